// SPDX-License-Identifier: MIT OR Apache-2.0
#![no_std]
#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]
//!
//! ## Modules
//!
//! - the crate's root: [`Device`] for smoltcp, with its [`Options`] and [`Counters`];
//! - [`raw`]: messages without a stack;
#![cfg_attr(
    feature = "embassy",
    doc = "- [`embassy`]: the driver for embassy-net."
)]

mod counters;
mod device;
#[cfg(feature = "embassy")]
pub mod embassy;
mod medium;
mod next;
mod options;
pub mod raw;
mod rx;
mod tx;

pub use counters::Counters;
pub use device::{Device, MAX_FRAME};
pub use medium::{RawMode, Selected, StackFraming};
pub use next::Next;
pub use options::{Options, Ring};
pub use rx::RxToken;
pub use tx::TxToken;
