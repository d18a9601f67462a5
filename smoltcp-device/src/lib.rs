// SPDX-License-Identifier: MIT OR Apache-2.0
#![no_std]
#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod capabilities;
mod device;
mod tokens;

pub use device::{Counters, Device, MAX_FRAME};
pub use tokens::{RxToken, TxToken};
