// SPDX-License-Identifier: MIT OR Apache-2.0
#![no_std]
#![deny(
    unsafe_code,
    unsafe_op_in_unsafe_fn,
    clippy::undocumented_unsafe_blocks
)]
#![warn(missing_docs)]
#![doc = include_str!("../README.md")]

#[cfg(any(test, feature = "std"))]
extern crate std;

#[expect(unsafe_code, reason = "functions that take pointers from C")]
mod api;
mod config;
mod endpoint;
mod frame;
#[expect(unsafe_code, reason = "the caller's memory for a link")]
mod handle;
#[expect(unsafe_code, reason = "regions that C has mapped")]
mod memory;
#[expect(unsafe_code, reason = "a callback of C, and the hypercall")]
mod notify;
#[cfg(not(any(test, feature = "std")))]
mod panic;
#[expect(unsafe_code, reason = "pointers from C")]
mod pointers;
mod result;
#[expect(unsafe_code, reason = "subject information and names from C")]
mod sinfo;

pub use api::*;
pub use config::{Config, Input, Mode, Output, Resume};
pub use endpoint::{Counters, Info};
pub use frame::{Arrival, Burst, Frame, Packet, Slice, BATCH, PACKET_CHECKSUM, PARTS};
pub use handle::{Link, LINK_ALIGN, LINK_SIZE};
pub use notify::muennet_hypercall;
pub use result::{muennet_message, Code};
pub use sinfo::*;
