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
pub mod mapping;
pub mod policy;
pub mod tap;
pub mod wait;
