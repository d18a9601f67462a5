// SPDX-License-Identifier: MIT OR Apache-2.0
#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(dead_code))]

// Only `ip` has what these need, so tests do without.
#[cfg(not(test))]
mod iproute2;
#[cfg(not(test))]
#[expect(unsafe_code, reason = "ip calls it as C")]
mod link;
mod mark;
