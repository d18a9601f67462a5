// SPDX-License-Identifier: MIT OR Apache-2.0
//! Measures what receiving costs a machine with one CPU.
//!
//! It looks at the clock without pause. Whenever a look takes longer than usual,
//! something else had the CPU: interrupts and softirqs, which is where packets are
//! received. The time that is taken away, less what is taken away without packets,
//! is the cost. Time taken away without packets is measured before and after them. Where
//! both differ by more than a tenth of the cost, something else ran: the program prints
//! `disturbed`, and the caller repeats the round. Under `qemu -icount shift=0,sleep=off` a
//! nanosecond is an instruction.

use anyhow::{ensure, Context, Result};
use clap::Parser;
use std::{
    fs::File,
    io::Write,
    os::unix::fs::FileExt,
    process::ExitCode,
    time::{Duration, Instant},
};

/// Measures what receiving costs, in nanoseconds a packet.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The interface whose packets are counted.
    interface: String,
    /// Packets to wait for.
    #[arg(long)]
    packets: u64,
}

/// Duration of the measurement without packets, before them and after.
const QUIET: Duration = Duration::from_millis(50);
/// The two measurements may differ by this part of the cost.
const STEADY: f64 = 0.1;
/// No packets for so long means that none come.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(Some(cost)) => {
            println!("{cost:.1}");
            ExitCode::SUCCESS
        }
        Ok(None) => {
            println!("disturbed");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("meter: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The cost, unless the round was disturbed.
fn run(args: &Args) -> Result<Option<f64>> {
    let path = format!("/sys/class/net/{}/statistics/rx_packets", args.interface);
    let file = File::open(&path).with_context(|| path.clone())?;
    let count = || -> Result<u64> {
        let mut text = [0; 24];
        let len = file.read_at(&mut text, 0)?;
        Ok(std::str::from_utf8(&text[..len])?.trim().parse()?)
    };
    let usual = usual();
    // The machine is quiet: what ticks anyway.
    let before = Watch::new(usual, QUIET).until(|| Ok(false))?;
    let start = count()?;
    println!("ready");
    std::io::stdout().flush()?;
    let busy = Watch::new(usual, PATIENCE).until(|| Ok(count()? >= start + args.packets))?;
    let received = count()? - start;
    ensure!(
        received >= args.packets,
        "{received} of {} packets came",
        args.packets
    );
    let after = Watch::new(usual, QUIET).until(|| Ok(false))?;
    let cost = cost(before.share(), after.share(), &busy);
    Ok(cost.map(|seconds| seconds * 1e9 / received as f64))
}

/// Seconds that the packets took, where other things take the shares `before` and `after`
/// of the time; `None` if these are not steady enough to tell.
fn cost(before: f64, after: f64, busy: &Seen) -> Option<f64> {
    let lasted = busy.lasted.as_secs_f64();
    let cost = busy.taken.as_secs_f64() - (before + after) / 2.0 * lasted;
    ((before - after).abs() * lasted < STEADY * cost).then_some(cost)
}

/// The usual time of a look at the clock.
fn usual() -> Duration {
    let mut looks: Vec<_> = (0..1000).map(|_| Instant::now().elapsed()).collect();
    looks.sort();
    looks[looks.len() / 2]
}

struct Watch {
    usual: Duration,
    patience: Duration,
}

/// Counts since the first taking.
struct Seen {
    taken: Duration,
    lasted: Duration,
}

impl Seen {
    /// The part of the time that was taken away.
    fn share(&self) -> f64 {
        self.taken.as_secs_f64() / self.lasted.as_secs_f64()
    }
}

impl Watch {
    fn new(usual: Duration, patience: Duration) -> Self {
        Self { usual, patience }
    }

    /// Watches until `done`, which is asked after each taking, or the end of patience.
    fn until(&self, mut done: impl FnMut() -> Result<bool>) -> Result<Seen> {
        let start = Instant::now();
        let (mut taken, mut asked) = (Duration::ZERO, Duration::ZERO);
        let mut last = start;
        loop {
            let now = Instant::now();
            let took = now - last;
            last = now;
            if took > 4 * self.usual {
                taken += took - self.usual;
                let ended = done()?;
                // Asking takes time as well, ours.
                last = Instant::now();
                asked += last - now;
                if ended {
                    break;
                }
            }
            if now - start > self.patience {
                break;
            }
        }
        let lasted = (start.elapsed()).saturating_sub(asked);
        Ok(Seen { taken, lasted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disturbed_round_has_no_cost() {
        let busy = Seen {
            taken: Duration::from_millis(30),
            lasted: Duration::from_millis(100),
        };
        let steady = cost(0.01, 0.01, &busy).unwrap();
        assert!((steady - 0.029).abs() < 1e-9, "{steady}");
        assert!(cost(0.01, 0.02, &busy).is_some());
        // Something ran before, or after, that does not run always.
        assert_eq!(cost(0.5, 0.01, &busy), None);
        assert_eq!(cost(0.01, 0.2, &busy), None);
        // More than all there is: no cost is negative.
        assert_eq!(cost(0.4, 0.4, &busy), None);
        assert_eq!(cost(0.3, 0.3, &busy), None);
    }
}
