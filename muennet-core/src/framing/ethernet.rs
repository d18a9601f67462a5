// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ethernet mode: the frame from offset 0, its length as a little-endian u16 in
//! the last two bytes of the element.

use super::{mtu, Frame, FrameError, Framing, Meta, MtuError, Packet, Reject, Sink};
use crate::channel::{Element, Slot};
use crate::shm::{Memory, MemoryMut};
use core::num::NonZeroU64;

/// Protocol of Solo5's channels: Ethernet mode with an MTU of 1500, both ways.
pub const SOLO5_PROTOCOL: NonZeroU64 = NonZeroU64::new(0x7ade_5c54_9b08_e814).unwrap();
/// Bytes of an Ethernet header.
const HEADER: usize = 14;
/// Bytes of a VLAN's tag (IEEE 802.1Q), behind the two addresses.
const TAG: u16 = 4;
/// Bytes of the length field at the end of an element.
const LENGTH: usize = size_of::<u16>();

/// Ethernet frames without checksum, at most `mtu` + 14 bytes long; 4 more with room for
/// a VLAN's tag.
///
/// ```
/// use muennet_core::framing::{Ethernet, Framing};
///
/// assert_eq!(Ethernet::new(1500)?.max_frame(), 1514);
/// // With room for a VLAN's tag.
/// assert_eq!(Ethernet::with_vlan(1500)?.max_frame(), 1518);
/// # Ok::<(), muennet_core::framing::MtuError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ethernet {
    mtu: u16,
    tag: u16,
}

impl Ethernet {
    /// The largest MTU in bytes: header and payload are counted in 16 bits.
    pub const MAX_MTU: u16 = u16::MAX - HEADER as u16;
    /// The largest MTU in bytes beside a VLAN's tag.
    pub const MAX_VLAN_MTU: u16 = Self::MAX_MTU - TAG;

    /// Framing for payloads of up to `mtu` bytes.
    ///
    /// # Errors
    ///
    /// [`MtuError`] outside of 1..=[`MAX_MTU`](Self::MAX_MTU).
    pub const fn new(mtu: u16) -> Result<Self, MtuError> {
        match mtu::check(mtu, Self::MAX_MTU) {
            Ok(mtu) => Ok(Self { mtu, tag: 0 }),
            Err(error) => Err(error),
        }
    }

    /// Framing for payloads of up to `mtu` bytes behind a VLAN's tag: elements have four
    /// bytes more than those of [`new`](Self::new).
    ///
    /// # Errors
    ///
    /// [`MtuError`] outside of 1..=[`MAX_VLAN_MTU`](Self::MAX_VLAN_MTU).
    pub const fn with_vlan(mtu: u16) -> Result<Self, MtuError> {
        match mtu::check(mtu, Self::MAX_VLAN_MTU) {
            Ok(mtu) => Ok(Self { mtu, tag: TAG }),
            Err(error) => Err(error),
        }
    }

    /// Bytes of the longest frame without a tag.
    #[inline]
    pub const fn max_untagged(&self) -> usize {
        self.mtu as usize + HEADER
    }
}

impl Framing for Ethernet {
    /// The length field.
    type Head = [u8; LENGTH];

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
        self.max_untagged() + self.tag as usize
    }

    #[inline]
    fn admit(&self, packet: &Packet<'_>) -> Result<Self::Head, FrameError> {
        let (len, max) = (packet.len(), self.max_frame());
        if len > max {
            return Err(FrameError::TooLong { len, max });
        }
        if len < HEADER {
            return Err(FrameError::TooShort { len, min: HEADER });
        }
        // CAST: at most `max_frame`, a u16.
        Ok((len as u16).to_le_bytes())
    }

    #[inline]
    fn encode<M: MemoryMut>(&self, slot: &mut Slot<'_, M>, head: Self::Head, packet: &Packet<'_>) {
        packet.put(slot, 0);
        slot.put_few(slot.size().saturating_sub(LENGTH), head);
    }

    #[inline]
    fn decode<M: Memory>(
        &self,
        element: &Element<'_, M>,
        sink: &mut impl Sink,
    ) -> Result<Frame, Reject> {
        let room = element.size().saturating_sub(LENGTH);
        // Elements have at least `min_element` bytes.
        let length = element.fetch::<LENGTH>(room).unwrap_or_default();
        let found = usize::from(u16::from_le_bytes(length));
        // A longer frame than we send is received: its writer has the larger MTU.
        let max = room;
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
            Ok(Frame {
                len: found,
                meta: Meta::default(),
            })
        } else {
            Err(Reject::NoRoom { len: found })
        }
    }
}
