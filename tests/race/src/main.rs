// SPDX-License-Identifier: MIT OR Apache-2.0
//! A race between a reader and a hostile writer, in real threads: `race SECONDS [FRAMING]`.
//!
//! The reader has the channel mapped read-only between guard pages, as a Muen subject has.
//! One thread writes sound frames there, another writes whatever it likes at any time; the
//! same goes on behind a sender. No end panics or touches memory outside of the region and
//! of its buffers (AddressSanitizer looks), each call returns, and a frame that is delivered
//! keeps to its bounds and to the length in its own header.

mod end;
mod memory;
mod peer;
mod random;

use muennet_core::{config::Mode, framing::Dynamic};
use std::{
    process::ExitCode,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

const FRAMINGS: [(&str, Mode); 3] = [
    ("raw", Mode::Raw),
    ("net_hdr", Mode::NetHdr),
    ("eth_dev", Mode::Ethernet),
];
/// Bytes of the longest frame that is sent.
const MTU: u16 = 300;

/// State that the threads share.
#[derive(Default)]
pub struct Race {
    over: AtomicBool,
    hostile_writes: AtomicU64,
}

impl Race {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().and_then(|seconds| seconds.parse().ok());
    let chosen = arguments.next();
    let Some(seconds) = seconds else {
        eprintln!("usage: race SECONDS [raw|net_hdr|eth_dev]");
        return ExitCode::FAILURE;
    };
    for (name, mode) in FRAMINGS {
        if chosen.as_ref().is_none_or(|chosen| chosen == name) {
            run(name, mode, Duration::from_secs(seconds));
        }
    }
    ExitCode::SUCCESS
}

/// Races for a while in one framing.
fn run(name: &str, mode: Mode, lasting: Duration) {
    let framing = Dynamic::new(mode, MTU).expect("an MTU of any mode");
    let race = Race::default();
    let (input, output) = (memory::Channel::new(), memory::Channel::new());
    let tally = thread::scope(|threads| {
        threads.spawn(|| peer::honest(&race, input.writable(), framing));
        threads.spawn(|| peer::hostile(&race, [input.writable(), output.writable()], framing));
        let reader = threads.spawn(|| end::reader(&race, input.readable(), mode, framing));
        let sender = threads.spawn(|| end::sender(&race, output.writable(), framing));
        let start = Instant::now();
        // An end that panics is over early.
        while start.elapsed() < lasting && !reader.is_finished() && !sender.is_finished() {
            thread::sleep(Duration::from_millis(10));
        }
        race.over.store(true, Ordering::Relaxed);
        let sent = sender.join().expect("the sender holds");
        (reader.join().expect("the reader holds"), sent)
    });
    let (read, sent) = tally;
    let writes = race.hostile_writes.load(Ordering::Relaxed);
    assert!(read.frames > 0 && read.refused > 0 && sent > 0 && writes > 0);
    println!(
        "{name}: {writes} hostile writes, {} looks, {} frames delivered, {} refusals and faults, \
         {sent} frames sent",
        read.looks, read.frames, read.refused
    );
}
