// SPDX-License-Identifier: MIT OR Apache-2.0
//! The channel: SHMStream version 2, one writer, one reader, one way.
//!
//! The reader's mapping is read-only, so nothing flows back: a slow reader
//! loses elements and notices it. The two ends agree by counters in the header
//! ([`layout`]) with the fences of a sequence lock:
//!
//! | writer | reader |
//! |---------------------------------|--------------------------------------|
//! | `wsc := n + 1` | load `wc` |
//! | release fence: no byte of the element is seen without the new `wsc` | acquire fence: the element is at least as new as `wc` says |
//! | the element's bytes | copy the element |
//! | release fence: `wc` is not seen without the bytes | acquire fence: the counters below are at least as new as any byte copied |
//! | `wc := n + 1` | load `wsc`, then `epoch`: was the slot overwritten meanwhile? |

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
