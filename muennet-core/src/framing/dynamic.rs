// SPDX-License-Identifier: MIT OR Apache-2.0
//! The mode chosen at run time, as a module's parameters do.

use super::{
    Ethernet, Frame, FrameError, Framing, Mode, MtuError, NetHdr, Packet, Raw, Reject, Sink,
};
use crate::channel::{Element, Slot};
use crate::shm::{Memory, MemoryMut};

/// One of the framings.
///
/// ```
/// use muennet_core::framing::{Dynamic, Framing, Mode};
///
/// let framing = Dynamic::new("eth_dev".parse()?, 1500)?;
/// // A header of 2 bytes for the length, 14 of Ethernet, and the MTU.
/// assert_eq!(framing.element_size(), 1516);
/// assert_eq!(framing.max_frame(), 1514);
/// assert!(Dynamic::new(Mode::Ethernet, u16::MAX).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[allow(missing_docs)] // The variants are the framings of the same names.
pub enum Dynamic {
    Raw(Raw),
    NetHdr(NetHdr),
    Ethernet(Ethernet),
}

/// The head of one of the framings.
///
/// ```
/// use muennet_core::framing::{Dynamic, Framing, Mode, Packet};
///
/// // A head is made by `admit` and taken by `encode`, of the same framing.
/// let framing = Dynamic::new(Mode::Ethernet, 1500)?;
/// assert!(framing.admit(&Packet::new(&[&[0xff; 60]])).is_ok());
/// # Ok::<(), muennet_core::framing::MtuError>(())
/// ```
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)] // As for `Dynamic`.
pub enum Head {
    Raw(<Raw as Framing>::Head),
    NetHdr(<NetHdr as Framing>::Head),
    Ethernet(<Ethernet as Framing>::Head),
}

impl Dynamic {
    /// The framing of `mode` for an MTU of `mtu` bytes.
    ///
    /// # Errors
    ///
    /// [`MtuError`] when that mode does not carry it.
    pub const fn new(mode: Mode, mtu: u16) -> Result<Self, MtuError> {
        match mode {
            Mode::Raw => match Raw::new(mtu) {
                Ok(framing) => Ok(Self::Raw(framing)),
                Err(error) => Err(error),
            },
            Mode::NetHdr => match NetHdr::new(mtu) {
                Ok(framing) => Ok(Self::NetHdr(framing)),
                Err(error) => Err(error),
            },
            Mode::Ethernet => match Ethernet::new(mtu) {
                Ok(framing) => Ok(Self::Ethernet(framing)),
                Err(error) => Err(error),
            },
        }
    }
}

/// Calls the same on whichever framing it is.
macro_rules! each {
    ($framing:expr, $each:ident => $call:expr) => {
        match $framing {
            Dynamic::Raw($each) => $call,
            Dynamic::NetHdr($each) => $call,
            Dynamic::Ethernet($each) => $call,
        }
    };
}

impl Framing for Dynamic {
    type Head = Head;

    fn element_size(&self) -> usize {
        each!(self, framing => framing.element_size())
    }

    fn min_element(&self) -> usize {
        each!(self, framing => framing.min_element())
    }

    #[inline]
    fn max_frame(&self) -> usize {
        each!(self, framing => framing.max_frame())
    }

    #[inline]
    fn admit(&self, packet: &Packet<'_>) -> Result<Self::Head, FrameError> {
        match self {
            Self::Raw(framing) => framing.admit(packet).map(Head::Raw),
            Self::NetHdr(framing) => framing.admit(packet).map(Head::NetHdr),
            Self::Ethernet(framing) => framing.admit(packet).map(Head::Ethernet),
        }
    }

    #[inline]
    fn encode<M: MemoryMut>(&self, slot: &mut Slot<'_, M>, head: Self::Head, packet: &Packet<'_>) {
        match (self, head) {
            (Self::Raw(framing), Head::Raw(head)) => framing.encode(slot, head, packet),
            (Self::NetHdr(framing), Head::NetHdr(head)) => framing.encode(slot, head, packet),
            (Self::Ethernet(framing), Head::Ethernet(head)) => {
                framing.encode(slot, head, packet);
            }
            // The head of another framing fits nothing: the element stays as it was.
            _ => {}
        }
    }

    #[inline]
    fn decode<M: Memory>(
        &self,
        element: &Element<'_, M>,
        sink: &mut impl Sink,
    ) -> Result<Frame, Reject> {
        each!(self, framing => framing.decode(element, sink))
    }
}
