// SPDX-License-Identifier: MIT OR Apache-2.0
//! Says what is going on, and how long it took.

use anyhow::Result;
use std::{
    fmt,
    io::{IsTerminal, Write},
    time::{Duration, Instant},
};

/// Steps shorter than this pass in silence.
const NOTEWORTHY: Duration = Duration::from_secs(1);

/// Runs one step of preparation. On a terminal its name stands there while it
/// runs; a line with its time stays if it took a second or failed.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let mut err = std::io::stderr();
    let terminal = err.is_terminal();
    if terminal {
        let _ = write!(err, "  ....  {name}");
        let _ = err.flush();
    }
    let start = Instant::now();
    let result = work();
    let took = start.elapsed();
    if terminal {
        let _ = write!(err, "\r\x1b[K");
    }
    if result.is_err() || took >= NOTEWORTHY {
        let mark = if result.is_ok() { "done" } else { "FAIL" };
        eprintln!("  {mark}  {name}  {}", Seconds(took));
    }
    result
}

/// A duration as people read it.
pub struct Seconds(pub Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        match seconds {
            s if s < 10.0 => write!(f, "{s:.1} s"),
            s if s < 120.0 => write!(f, "{s:.0} s"),
            s => write!(f, "{:.0} min {:.0} s", (s / 60.0).floor(), s % 60.0),
        }
    }
}
