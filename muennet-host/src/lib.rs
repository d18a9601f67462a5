// SPDX-License-Identifier: MIT OR Apache-2.0
#![doc = include_str!("../README.md")]

pub mod attach;
pub mod bridge;
pub mod epoch;
pub mod events;
pub mod in_process;
pub mod inspect;
pub mod ivshmem;
pub mod layout;
pub mod log;
#[expect(
    unsafe_code,
    reason = "a mapping is memory that the compiler does not know"
)]
pub mod mapping;
pub mod policy;
pub mod printable;
#[expect(unsafe_code, reason = "a TAP is set up by ioctl")]
pub mod tap;
pub mod wait;
