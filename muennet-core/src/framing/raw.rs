// SPDX-License-Identifier: MIT OR Apache-2.0
//! Raw mode: the payload alone, zero padded. Its length is not on the wire, so the
//! receiver gets the whole element.

use super::{mtu, Frame, FrameError, Framing, Meta, MtuError, Packet, Reject, Sink, LONGEST};
use crate::channel::{Element, Slot};
use crate::shm::{Memory, MemoryMut};

/// Payloads of up to `mtu` bytes, in elements of `mtu` bytes.
///
/// ```
/// use muennet_core::framing::{Framing, Raw};
///
/// assert_eq!(Raw::new(100)?.max_frame(), 100);
/// # Ok::<(), muennet_core::framing::MtuError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Raw {
    mtu: u16,
}

impl Raw {
    /// Framing for payloads of up to `mtu` bytes.
    ///
    /// # Errors
    ///
    /// [`MtuError`] for 0.
    pub const fn new(mtu: u16) -> Result<Self, MtuError> {
        match mtu::check(mtu, u16::MAX) {
            Ok(mtu) => Ok(Self { mtu }),
            Err(error) => Err(error),
        }
    }
}

impl Framing for Raw {
    type Head = ();

    #[inline]
    fn element_size(&self) -> usize {
        self.mtu.into()
    }

    #[inline]
    fn min_element(&self) -> usize {
        1
    }

    #[inline]
    fn max_frame(&self) -> usize {
        self.mtu.into()
    }

    #[inline]
    fn admit(&self, packet: &Packet<'_>) -> Result<Self::Head, FrameError> {
        let (len, max) = (packet.len(), self.max_frame());
        match len {
            0 => Err(FrameError::TooShort { len, min: 1 }),
            len if len > max => Err(FrameError::TooLong { len, max }),
            _ => Ok(()),
        }
    }

    #[inline]
    fn encode<M: MemoryMut>(&self, slot: &mut Slot<'_, M>, (): Self::Head, packet: &Packet<'_>) {
        packet.put(slot, 0);
        slot.clear_from(packet.len());
    }

    #[inline]
    fn decode<M: Memory>(
        &self,
        element: &Element<'_, M>,
        sink: &mut impl Sink,
    ) -> Result<Frame, Reject> {
        // Elements may be larger than ours, as their writer's MTU is.
        let (len, max) = (element.size(), LONGEST);
        if len > max {
            return Err(Reject::TooLong { found: len, max });
        }
        let placed = sink
            .place(len)
            .is_some_and(|target| target.len() == len && element.copy_out(0, target));
        if placed {
            let meta = Meta::default();
            Ok(Frame { len, meta })
        } else {
            Err(Reject::NoRoom { len })
        }
    }
}
