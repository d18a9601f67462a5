// SPDX-License-Identifier: MIT OR Apache-2.0
//! A storm: what a peer may do at no cost to itself, thousands of times a second.

use crate::region::{Region, PROTOCOL};
use clap::ValueEnum;
use std::{
    thread,
    time::{Duration, Instant},
};

/// The kinds of storms.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Gust {
    /// A new epoch, and the event.
    Epochs,
    /// A new epoch with a protocol that nobody expects, and the event.
    Faults,
    /// The end of the epoch, and the event.
    Ends,
    /// The event alone.
    Bells,
}

/// Blows `count` times, what is in `of` by turns, `rate` times a second or as often as
/// the machine allows; at the end a sound epoch begins.
pub fn blow(region: &mut Region, of: &[Gust], count: u64, rate: u32) {
    let start = Instant::now();
    for (number, gust) in (0..count).zip(of.iter().cycle()) {
        match gust {
            Gust::Epochs => region.start(),
            Gust::Faults => region.start_with(&[(PROTOCOL, u64::MAX)]),
            Gust::Ends => region.stop(),
            Gust::Bells => {}
        }
        region.ring();
        let due = Duration::from_secs_f64(number as f64 / f64::from(rate.max(1)));
        if let Some(early) = due.checked_sub(start.elapsed()) {
            thread::sleep(early);
        }
    }
    region.start();
    region.ring();
}
