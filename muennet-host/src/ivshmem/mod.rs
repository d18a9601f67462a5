// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ivshmem-server protocol (QEMU docs/specs/ivshmem-spec), both ends.
//!
//! The server sends messages of eight bytes, a little-endian i64, some with a
//! file descriptor: the version 0; the client's own number; -1 with the shared
//! memory; then for each peer its number once for each of its vectors, with an
//! eventfd that rings it; the client's own last.

#[expect(unsafe_code, reason = "vmm-sys-util takes and lends raw descriptors")]
pub mod client;
mod greeting;
mod message;
pub mod observer;
#[expect(unsafe_code, reason = "vmm-sys-util lends raw descriptors")]
pub mod server;
