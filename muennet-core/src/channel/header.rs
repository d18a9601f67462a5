// SPDX-License-Identifier: MIT OR Apache-2.0
//! A copy of the header, for those that show it.

use super::layout::field;
use crate::shm::{Memory, Region};

/// A copy of a channel's header: each field is loaded once, and none is checked.
/// The fields need not belong together: the writer may be at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The transport marker, [`TRANSPORT`](super::layout::TRANSPORT) if all is well.
    pub transport: u64,
    /// Number of the writer's start; 0 = inactive.
    pub epoch: u64,
    /// Number of the protocol that the elements follow.
    pub protocol: u64,
    /// Bytes per element.
    pub element_size: u64,
    /// Elements in the data area.
    pub elements: u64,
    /// Elements whose writing has begun.
    pub write_start: u64,
    /// Elements whose writing has ended.
    pub written: u64,
}

impl Header {
    pub(super) fn observe<M: Memory>(region: &Region<M>) -> Self {
        Self {
            transport: region.load(field::TRANSPORT),
            epoch: region.load(field::EPOCH),
            protocol: region.load(field::PROTOCOL),
            element_size: region.load(field::SIZE),
            elements: region.load(field::ELEMENTS),
            write_start: region.load(field::WRITE_START),
            written: region.load(field::WRITTEN),
        }
    }
}
