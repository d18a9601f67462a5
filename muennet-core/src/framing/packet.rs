// SPDX-License-Identifier: MIT OR Apache-2.0
//! A frame to be sent, as its sender has it.

use super::{FrameError, Meta};
use crate::channel::Slot;
use crate::shm::{InternetSum, MemoryMut, Part};

/// A frame to be sent: its bytes, in one piece or several, and what goes with it.
///
/// ```
/// use muennet_core::framing::{Ethernet, Framing, Meta, Packet};
///
/// let (header, payload) = ([0xff; 14], [0x2a; 46]);
/// let parts = [&header[..], &payload];
/// let packet = Packet::new(&parts).with_meta(Meta { mark: 5 });
/// assert_eq!((packet.len(), packet.byte(14)), (60, Some(0x2a)));
/// assert!(Ethernet::new(1500)?.admit(&packet).is_ok());
/// assert!(Ethernet::new(40)?.admit(&packet).is_err());
/// # Ok::<(), muennet_core::framing::MtuError>(())
/// ```
#[derive(Debug, Clone, Copy)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Packet<'a> {
    parts: &'a [Part<'a>],
    len: usize,
    meta: Meta,
    checksum: Option<Checksum>,
}

/// A checksum to be filled in while the frame is copied, as Linux asks for with
/// `CHECKSUM_PARTIAL`.
///
/// It is the Internet checksum (RFC 1071) of all bytes from `start` on. What its
/// field holds before is part of the sum: the sum of the pseudo header, for TCP
/// and UDP. A checksum of 0 is sent as 0xffff. The field may lie at an odd offset:
/// the sum is stored there as it is, as `skb_checksum_help` of Linux does.
///
/// ```
/// use muennet_core::framing::{Checksum, Packet};
///
/// // UDP over IPv4 in an Ethernet frame: the UDP header begins at 34, its sum lies at 6.
/// let frame = [0; 60];
/// let parts = [&frame[..]];
/// let packet = Packet::new(&parts).with_checksum(Checksum { start: 34, offset: 6 });
/// assert_eq!(packet.len(), 60);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Checksum {
    /// Offset of the first byte that is summed, from the frame's start.
    pub start: usize,
    /// Offset of the field of two bytes for the sum, from `start`.
    pub offset: usize,
}

impl<'a> Packet<'a> {
    /// The frame that `parts` make up.
    #[inline]
    pub fn new(parts: &'a [&'a [u8]]) -> Self {
        Self::of_parts(Part::of_slices(parts))
    }

    /// The same of parts that others may change meanwhile: the frame that is sent then holds
    /// a mix of old and new bytes, and the checksum of what it holds.
    ///
    /// A framing looks at the first bytes before it copies; these should be nobody else's,
    /// or the peer gets a frame that contradicts itself.
    #[inline]
    pub fn of_parts(parts: &'a [Part<'a>]) -> Self {
        let len = parts
            .iter()
            .fold(0usize, |sum, part| sum.saturating_add(part.len()));
        Self {
            parts,
            len,
            meta: Meta::default(),
            checksum: None,
        }
    }

    /// With what goes beside its bytes.
    #[inline]
    #[must_use]
    pub fn with_meta(mut self, meta: Meta) -> Self {
        self.meta = meta;
        self
    }

    /// With a checksum to be filled in.
    #[inline]
    #[must_use]
    pub fn with_checksum(mut self, checksum: Checksum) -> Self {
        self.checksum = Some(checksum);
        self
    }

    /// Its bytes in all; [`usize::MAX`] for more than can be counted.
    #[inline]
    #[allow(clippy::len_without_is_empty)] // Whether an empty one is a frame is the framing's matter.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The metadata of the packet.
    #[inline]
    pub fn meta(&self) -> Meta {
        self.meta
    }

    /// The byte at `index`.
    #[inline]
    pub fn byte(&self, index: usize) -> Option<u8> {
        let mut index = index;
        for part in self.parts {
            match index.checked_sub(part.len()) {
                None => return part.byte(index),
                Some(behind) => index = behind,
            }
        }
        None
    }

    /// Checks that the checksum lies in the frame.
    #[inline]
    pub(crate) fn check(&self) -> Result<(), FrameError> {
        match self.checksum {
            Some(Checksum { start, offset })
                if start
                    .checked_add(offset)
                    .and_then(|field| field.checked_add(2))
                    .is_none_or(|end| end > self.len) =>
            {
                let len = self.len;
                Err(FrameError::Checksum { start, offset, len })
            }
            _ => Ok(()),
        }
    }

    /// Puts the frame into `slot` from `at` on, its checksum filled in. The framing
    /// has made sure that there is room.
    #[inline]
    pub fn put<M: MemoryMut>(&self, slot: &mut Slot<'_, M>, at: usize) {
        match self.checksum {
            None => {
                let mut at = at;
                for part in self.parts {
                    slot.put(at, *part);
                    // In a slot there is room for all of them, so that this cannot wrap.
                    at = at.wrapping_add(part.len());
                }
            }
            Some(checksum) => self.put_with(checksum, slot, at),
        }
    }

    fn put_with<M: MemoryMut>(&self, checksum: Checksum, slot: &mut Slot<'_, M>, at: usize) {
        let mut sum = InternetSum::default();
        let (mut next, mut before) = (at, checksum.start);
        for part in self.parts {
            let border = before.min(part.len());
            let (plain, summed) = (part.get(0..border), part.get(border..part.len()));
            slot.put(next, plain);
            slot.put_summing(next.wrapping_add(plain.len()), summed, &mut sum);
            before -= border;
            next = next.wrapping_add(part.len());
        }
        // The field lies in the frame, as `check` has seen.
        let field = at
            .wrapping_add(checksum.start)
            .wrapping_add(checksum.offset);
        slot.put_few(field, sum.checksum());
    }
}
