// SPDX-License-Identifier: MIT OR Apache-2.0
#![doc = include_str!("protocol.md")]

pub(crate) mod cursor;
mod element;
mod fault;
mod geometry;
mod header;
pub mod layout;
mod outcome;
mod reader;
#[cfg(feature = "log")]
mod report;
mod session;
mod writer;

pub use element::{Element, Slot};
pub use fault::Fault;
pub use geometry::{Geometry, GeometryError};
pub use header::Header;
pub use outcome::{Burst, Peer, Read, Resume};
pub(crate) use reader::Nothing;
pub use reader::Reader;
pub use writer::Writer;

#[cfg(all(test, loom))]
mod models;
#[cfg(all(test, not(loom)))]
mod tests;
