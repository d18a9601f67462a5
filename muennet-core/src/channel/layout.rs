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

pub use crate::shm::HEADER_SIZE;

/// The transport marker: "SHMStream20=" in base64 (SHMStream version 2).
pub const TRANSPORT: u64 = 0x4873_12b6_b79a_9b6d;

/// The words of the header.
pub(crate) mod field {
    use crate::shm::HeaderWord;

    pub(crate) const TRANSPORT: HeaderWord = HeaderWord::at(0);
    pub(crate) const EPOCH: HeaderWord = HeaderWord::at(8);
    pub(crate) const PROTOCOL: HeaderWord = HeaderWord::at(16);
    pub(crate) const SIZE: HeaderWord = HeaderWord::at(24);
    pub(crate) const ELEMENTS: HeaderWord = HeaderWord::at(32);
    pub(crate) const RESERVED: HeaderWord = HeaderWord::at(40);
    pub(crate) const WRITE_START: HeaderWord = HeaderWord::at(48);
    pub(crate) const WRITTEN: HeaderWord = HeaderWord::at(56);
}
