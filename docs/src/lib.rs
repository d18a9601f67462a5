// SPDX-License-Identifier: MIT OR Apache-2.0
//! The documents beside this crate, so that their Rust is compiled by `cargo test`.
//! Its tests hold the other snippets to what programs take, and links to files.

#[cfg(doctest)]
#[doc = include_str!("../first-component.md")]
pub mod first_component {}

#[cfg(doctest)]
#[doc = include_str!("../protocol.md")]
pub mod protocol {}
