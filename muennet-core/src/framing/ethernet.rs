// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ethernet mode: the frame from offset 0, its length as a little-endian u16 in
//! the last two bytes of the element.

use super::{FrameError, Framing, Reject, Sink};
use crate::channel::{Element, Slot};
use crate::shm::{Memory, MemoryMut};
use core::fmt;

/// Bytes of an Ethernet header.
const HEADER: usize = 14;
/// Bytes of the length field at the end of an element.
const LENGTH: usize = size_of::<u16>();

/// Ethernet frames without checksum, at most `mtu` + 14 bytes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ethernet {
    mtu: u16,
}

/// An MTU for which the frame's length would not fit its field of 16 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MtuError {
    /// The MTU asked for, in bytes.
    pub mtu: u16,
}

impl fmt::Display for MtuError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mtu, max) = (self.mtu, Ethernet::MAX_MTU);
        write!(f, "MTU {mtu} is not between 1 and {max} bytes")
    }
}

impl core::error::Error for MtuError {}

impl Ethernet {
    /// The largest MTU in bytes: header and payload are counted in 16 bits.
    pub const MAX_MTU: u16 = u16::MAX - HEADER as u16;

    /// Framing for payloads of up to `mtu` bytes.
    ///
    /// # Errors
    ///
    /// [`MtuError`] outside of 1..=[`MAX_MTU`](Self::MAX_MTU).
    pub const fn new(mtu: u16) -> Result<Self, MtuError> {
        if mtu == 0 || mtu > Self::MAX_MTU {
            return Err(MtuError { mtu });
        }
        Ok(Self { mtu })
    }
}

impl Framing for Ethernet {
    #[inline]
    fn element_size(&self) -> usize {
        self.max_frame() + LENGTH
    }

    #[inline]
    fn min_element(&self) -> usize {
        HEADER + LENGTH
    }

    #[inline]
    fn max_frame(&self) -> usize {
        self.mtu as usize + HEADER
    }

    #[inline]
    fn admit(&self, len: usize) -> Result<(), FrameError> {
        if len > self.max_frame() {
            let max = self.max_frame();
            return Err(FrameError::TooLong { len, max });
        }
        if len < HEADER {
            return Err(FrameError::TooShort { len, min: HEADER });
        }
        Ok(())
    }

    #[inline]
    fn encode<M: MemoryMut>(&self, slot: &mut Slot<'_, M>, frame: &[&[u8]], len: usize) {
        let mut at = 0;
        for part in frame {
            slot.put(at, part);
            at += part.len();
        }
        // CAST: `admit` let only lengths up to `max_frame` pass, a u16.
        let length = (len as u16).to_le_bytes();
        slot.put(slot.size().saturating_sub(LENGTH), &length);
    }

    #[inline]
    fn decode<M: Memory>(
        &self,
        element: &Element<'_, M>,
        sink: &mut impl Sink,
    ) -> Result<usize, Reject> {
        let room = element.size().saturating_sub(LENGTH);
        let mut length = [0; LENGTH];
        element.copy_out(room, &mut length);
        let found = usize::from(u16::from_le_bytes(length));
        let max = room.min(self.max_frame());
        if found > max {
            return Err(Reject::TooLong { found, max });
        }
        if found < HEADER {
            return Err(Reject::TooShort { found, min: HEADER });
        }
        let placed = sink
            .place(found)
            .is_some_and(|target| target.len() == found && element.copy_out(0, target));
        if placed {
            Ok(found)
        } else {
            Err(Reject::NoRoom { len: found })
        }
    }
}
