// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the example components serve: echo over TCP and UDP, and a page over HTTP.
//! No `std`, no allocation: the sockets and their buffers are the caller's.
#![no_std]
#![forbid(unsafe_code)]

pub mod echo;
pub mod http;
