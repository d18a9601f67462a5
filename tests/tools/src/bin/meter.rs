// SPDX-License-Identifier: MIT OR Apache-2.0
//! Measures what receiving costs a machine with one CPU.
//!
//! It looks at the clock without pause. Whenever a look takes longer than usual,
//! something else had the CPU: interrupts and softirqs, which is where packets are
//! received. The time that is taken away, less what is taken away without packets,
//! is the cost. Under `qemu -icount shift=0,sleep=off` a nanosecond is an instruction.

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

/// What is taken away without packets is measured for so long.
const QUIET: Duration = Duration::from_millis(50);
/// No packets for so long means that none come.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(cost) => {
            println!("{cost:.1}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("meter: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<f64> {
    let path = format!("/sys/class/net/{}/statistics/rx_packets", args.interface);
    let file = File::open(&path).with_context(|| path.clone())?;
    let count = || -> Result<u64> {
        let mut text = [0; 24];
        let len = file.read_at(&mut text, 0)?;
        Ok(std::str::from_utf8(&text[..len])?.trim().parse()?)
    };
    let usual = usual();
    // The machine is quiet: what ticks anyway.
    let quiet = Watch::new(usual, QUIET).until(|| Ok(false))?;
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
    let ticks = quiet.taken.as_secs_f64() / quiet.lasted.as_secs_f64();
    let cost = busy.taken.as_secs_f64() - ticks * busy.lasted.as_secs_f64();
    Ok(cost * 1e9 / received as f64)
}

/// How long a look at the clock takes as a rule.
fn usual() -> Duration {
    let mut looks: Vec<_> = (0..1000).map(|_| Instant::now().elapsed()).collect();
    looks.sort();
    looks[looks.len() / 2]
}

struct Watch {
    usual: Duration,
    patience: Duration,
}

/// What was seen from the first taking on.
struct Seen {
    taken: Duration,
    lasted: Duration,
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
