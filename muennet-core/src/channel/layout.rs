// SPDX-License-Identifier: MIT OR Apache-2.0
//! The header of an SHMStream version 2 channel.
//!
//! | offset | field | meaning |
//! |-------:|-----------|---------------------------------------------------|
//! | 0 | transport | [`TRANSPORT`] |
//! | 8 | epoch | 0 = inactive, else the number of this start |
//! | 16 | protocol | what the elements mean |
//! | 24 | size | bytes per element |
//! | 32 | elements | elements in the data area |
//! | 40 | reserved | 0 |
//! | 48 | wsc | write start count: elements whose writing has begun |
//! | 56 | wc | write count: elements whose writing has ended |
//!
//! Every field is a little-endian u64; element 0 follows at offset 64.

/// Bytes of the header, and the offset of the first element.
pub const HEADER_SIZE: usize = 64;

/// The transport marker: "SHMStream20=" in base64 (SHMStream version 2).
pub const TRANSPORT: u64 = 0x4873_12b6_b79a_9b6d;

/// A word of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Transport,
    Epoch,
    Protocol,
    Size,
    Elements,
    Reserved,
    WriteStart,
    Written,
}

impl Field {
    /// Bytes from the start of the region.
    #[inline]
    pub(crate) const fn offset(self) -> usize {
        self as usize * size_of::<u64>()
    }
}

// What `Region` relies on: every field is an aligned word inside the header.
const _: () = assert!(Field::Written.offset() + size_of::<u64>() == HEADER_SIZE);
