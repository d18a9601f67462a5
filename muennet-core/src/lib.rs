// SPDX-License-Identifier: MIT OR Apache-2.0
#![cfg_attr(not(muennet_kernel), no_std)]
#![deny(
    unsafe_code,
    unsafe_op_in_unsafe_fn,
    clippy::undocumented_unsafe_blocks
)]
#![warn(missing_docs)]
#![doc = include_str!("../README.md")]
//!
//! ## Modules
//!
//! - [`shm`]: shared memory that a peer may change at any time; but for one file of
//!   [`notify`], the only `unsafe`.
//! - [`channel`]: SHMStream version 2, a lossy ring with one writer and one reader. Its
//!   page draws the region and argues for every fence.
//! - [`framing`]: how a packet lies in an element of the ring.
//! - [`link`]: reader, writer, framing and event put together; what adapters use.
//! - [`notify`]: telling the peer to look; [`event`]: sleeping until it tells us.
//! - [`sinfo`]: how a subject learns its channels, in versions 3 to 5 of Muen's subject information.
//! - [`ivshmem`]: the region that stands in for Muen under QEMU.
//! - [`config`]: the parameters of a network interface, as users type them.
//! - [`marks`]: the owner of a packet's mark.
//! - [`path_mtu`], [`fragment`]: packets that are too long for where they go.
//! - [`segment`]: packets of TCP and UDP that are larger than a frame.
//! - [`carrier`]: the carrier of an interface, which follows the peer.

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
pub mod marks;
pub mod notify;
pub mod path_mtu;
pub mod segment;
#[expect(unsafe_code, reason = "it alone touches shared memory")]
pub mod shm;
pub mod sinfo;
