// SPDX-License-Identifier: MIT OR Apache-2.0
#![cfg_attr(not(muennet_kernel), no_std)]
#![deny(
    unsafe_code,
    unsafe_op_in_unsafe_fn,
    clippy::undocumented_unsafe_blocks
)]
#![warn(missing_docs)]
#![doc = include_str!("../README.md")]

#[cfg(not(target_has_atomic = "64"))]
compile_error!(
    "muennet-core needs 64-bit atomics: the counters of a channel are read and written in one \
     access each, and this target has none"
);

#[cfg(any(test, loom, feature = "hostile"))]
extern crate std;

pub mod carrier;
pub mod channel;
pub mod config;
pub mod event;
pub mod fragment;
pub mod framing;
pub mod ivshmem;
pub mod link;
pub mod notify;
pub mod path_mtu;
#[expect(unsafe_code, reason = "it alone touches shared memory")]
pub mod shm;
pub mod sinfo;
