// SPDX-License-Identifier: MIT OR Apache-2.0
//! Servers of the example components: echo over TCP and UDP, a page over HTTP, and
//! iperf3. No `std`, no allocation: the sockets and their buffers are the caller's.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod echo;
pub mod http;
pub mod iperf3;
mod text;

pub use text::Text;
