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

#[allow(unsafe_code)]
mod api;
mod config;
mod endpoint;
mod frame;
#[allow(unsafe_code)]
mod handle;
#[allow(unsafe_code)]
mod memory;
#[allow(unsafe_code)]
mod notify;
#[cfg(not(any(test, feature = "std")))]
mod panic;
#[allow(unsafe_code)]
mod pointers;
mod result;
#[allow(unsafe_code)]
mod sinfo;

pub use api::*;
pub use config::{Config, Input, Mode, Output, Resume};
pub use endpoint::{Counters, Info};
pub use frame::{Arrival, Burst, Frame, Packet, Slice, BATCH, PACKET_CHECKSUM, PARTS};
pub use handle::{Link, LINK_ALIGN, LINK_SIZE};
pub use notify::muennet_hypercall;
pub use result::{muennet_message, Code};
pub use sinfo::*;
