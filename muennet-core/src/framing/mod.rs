// SPDX-License-Identifier: MIT OR Apache-2.0
//! Framing: how a packet lies in an element.
//!
//! A mode is one implementation of [`Framing`] in a file of its own; both ends
//! of a channel use the same.

mod ethernet;

pub use ethernet::{Ethernet, MtuError};

use crate::channel::{Element, Slot};
use crate::shm::{Memory, MemoryMut};
use core::fmt;

/// One way to lay packets into elements.
pub trait Framing {
    /// Bytes of the elements that a writer of this framing makes.
    fn element_size(&self) -> usize;

    /// The least element size in bytes that a reader can work with.
    fn min_element(&self) -> usize;

    /// Bytes of the longest frame that is sent or accepted.
    fn max_frame(&self) -> usize;

    /// Says whether a frame of `len` bytes can be sent.
    ///
    /// # Errors
    ///
    /// The reason why not.
    fn admit(&self, len: usize) -> Result<(), FrameError>;

    /// Lays a frame, given in parts of `len` bytes in all, into `slot`.
    /// Call it only with what [`admit`](Self::admit) let pass.
    fn encode<M: MemoryMut>(&self, slot: &mut Slot<'_, M>, frame: &[&[u8]], len: usize);

    /// Copies the frame in `element` to where `sink` wants it; gives its length.
    ///
    /// # Errors
    ///
    /// The reason why the element holds no frame to accept.
    fn decode<M: Memory>(
        &self,
        element: &Element<'_, M>,
        sink: &mut impl Sink,
    ) -> Result<usize, Reject>;
}

/// Where a received frame goes.
pub trait Sink {
    /// Makes room for a frame of `len` bytes, a length that was checked:
    /// 1 ≤ `len` ≤ [`Framing::max_frame`]. `None` drops the frame; a slice of
    /// another length does as well.
    ///
    /// The copy may turn out to be torn. The frame in it counts only once
    /// [`Received::Frame`](crate::link::Received::Frame) was returned.
    fn place(&mut self, len: usize) -> Option<&mut [u8]>;
}

/// Takes frames into a buffer, each at its start.
impl Sink for &mut [u8] {
    fn place(&mut self, len: usize) -> Option<&mut [u8]> {
        self.get_mut(..len)
    }
}

/// Why a frame cannot be sent in this framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// It has more bytes than an element takes.
    TooLong {
        /// Bytes of the frame.
        len: usize,
        /// Bytes an element takes.
        max: usize,
    },
    /// It has fewer bytes than its header needs.
    TooShort {
        /// Bytes of the frame.
        len: usize,
        /// Bytes of the header.
        min: usize,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { len, max } => {
                write!(
                    f,
                    "a frame of {len} bytes is longer than the {max} that an element takes"
                )
            }
            Self::TooShort { len, min } => {
                write!(
                    f,
                    "a frame of {len} bytes is shorter than its header of {min}"
                )
            }
        }
    }
}

impl core::error::Error for FrameError {}

/// Why a received element was not accepted as a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reject {
    /// Its length field exceeds what it can hold or what this end accepts.
    TooLong {
        /// The length it claims, in bytes.
        found: usize,
        /// The most that is accepted.
        max: usize,
    },
    /// Its length field is below a frame's header.
    TooShort {
        /// The length it claims, in bytes.
        found: usize,
        /// The least that is accepted.
        min: usize,
    },
    /// The receiver had no room for it.
    NoRoom {
        /// Bytes of the frame.
        len: usize,
    },
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { found, max } => {
                write!(
                    f,
                    "length field {found} is above the {max} bytes that are accepted"
                )
            }
            Self::TooShort { found, min } => {
                write!(f, "length field {found} is below a header's {min} bytes")
            }
            Self::NoRoom { len } => write!(f, "no room for a frame of {len} bytes"),
        }
    }
}

impl core::error::Error for Reject {}
