// SPDX-License-Identifier: MIT OR Apache-2.0
//! Looking at channels from outside, as a pure reader.
//!
//! A [`Watch`] follows one channel; [`report`] says what it saw, [`view`] draws
//! that, [`record`] keeps the frames for Wireshark. Whatever lies in the channel is
//! copied and checked as every reader does it: a lying writer shows as one.

mod decode;
pub mod record;
pub mod report;
pub mod view;
mod watch;

pub use decode::decode;
pub use watch::{Last, Seen, Watch};
