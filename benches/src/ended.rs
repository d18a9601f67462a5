// SPDX-License-Identifier: MIT OR Apache-2.0
//! The sign by which a side learns that the other has all it wanted.

use rustix::event::{poll, PollFd, PollFlags, Timespec};
use std::sync::atomic::{AtomicBool, Ordering};

/// Calls between looks at the input, since each is a system call.
const SELDOM: u32 = 4096;

/// Told by another thread, or by the end of the standard input.
#[derive(Debug)]
pub enum Ended<'a> {
    /// Another thread sets it.
    By(&'a AtomicBool),
    /// The input is looked at every so many calls.
    Input {
        /// Calls so far.
        calls: u32,
    },
}

impl Ended<'_> {
    /// By the standard input.
    pub fn by_input() -> Self {
        Self::Input { calls: 0 }
    }

    /// True once it is so.
    pub fn is_so(&mut self) -> bool {
        match self {
            Self::By(flag) => flag.load(Ordering::Relaxed),
            Self::Input { calls } => {
                *calls = calls.wrapping_add(1);
                let now = Timespec {
                    tv_sec: 0,
                    tv_nsec: 0,
                };
                calls.is_multiple_of(SELDOM) && hung_up(Some(&now))
            }
        }
    }

    /// Waits for the end of the standard input.
    pub fn wait(&self) {
        while matches!(self, Self::Input { .. }) && !hung_up(None) {}
    }
}

fn hung_up(limit: Option<&Timespec>) -> bool {
    let input = std::io::stdin();
    let mut wait = [PollFd::new(&input, PollFlags::IN)];
    // Nobody writes to it: what can be read is its end.
    poll(&mut wait, limit).is_ok_and(|count| count > 0)
}
