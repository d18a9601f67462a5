// SPDX-License-Identifier: MIT OR Apache-2.0
//! The medium of smoltcp that a framing carries.

use core::fmt;
use muennet_core::{
    channel::{Element, Slot},
    framing::{Dynamic, Ethernet, Frame, FrameError, Framing, NetHdr, Packet, Raw, Reject, Sink},
    shm::{Memory, MemoryMut},
};
use smoltcp::phy::Medium;

/// A framing that a network stack can run over.
///
/// ```
/// use muennet_core::framing::{Ethernet, NetHdr};
/// use smoltcp::phy::Medium;
/// use smoltcp_device::StackFraming;
///
/// // A tag has room beside the frames that the stack makes.
/// let framing = Ethernet::with_vlan(1500)?;
/// assert_eq!((framing.medium(), StackFraming::max_untagged(&framing)), (Medium::Ethernet, 1514));
/// assert_eq!(NetHdr::new(1500)?.medium(), Medium::Ip);
/// # Ok::<(), muennet_core::framing::MtuError>(())
/// ```
pub trait StackFraming: Framing {
    /// The kind of its frames.
    fn medium(&self) -> Medium;

    /// Bytes of the longest frame that the stack may make: it puts no VLAN's tag in, for
    /// which some framings have room beside.
    fn max_untagged(&self) -> usize {
        self.max_frame()
    }
}

impl StackFraming for Ethernet {
    fn medium(&self) -> Medium {
        Medium::Ethernet
    }

    fn max_untagged(&self) -> usize {
        self.max_untagged()
    }
}

impl StackFraming for NetHdr {
    fn medium(&self) -> Medium {
        Medium::Ip
    }
}

/// A framing chosen at run time, Ethernet or IP.
///
/// ```
/// use muennet_core::framing::{Dynamic, Mode};
/// use smoltcp::phy::Medium;
/// use smoltcp_device::{Selected, StackFraming};
///
/// let selected = Selected::try_from(Dynamic::new(Mode::NetHdr, 1500)?)?;
/// assert_eq!(selected.medium(), Medium::Ip);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selected {
    framing: Dynamic,
    medium: Medium,
}

/// Raw mode carries neither Ethernet nor IP: use [`raw::Port`](crate::raw::Port).
///
/// ```
/// use muennet_core::framing::{Dynamic, Mode};
/// use smoltcp_device::Selected;
///
/// let error = Selected::try_from(Dynamic::new(Mode::Raw, 100)?).unwrap_err();
/// assert!(error.to_string().starts_with("raw mode carries no medium"));
/// # Ok::<(), muennet_core::framing::MtuError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawMode(pub Raw);

impl fmt::Display for RawMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("raw mode carries no medium of a network stack; use Ethernet or net_hdr mode")
    }
}

impl core::error::Error for RawMode {}

impl From<Ethernet> for Selected {
    fn from(framing: Ethernet) -> Self {
        Self {
            framing: Dynamic::Ethernet(framing),
            medium: Medium::Ethernet,
        }
    }
}

impl From<NetHdr> for Selected {
    fn from(framing: NetHdr) -> Self {
        Self {
            framing: Dynamic::NetHdr(framing),
            medium: Medium::Ip,
        }
    }
}

impl TryFrom<Dynamic> for Selected {
    type Error = RawMode;

    fn try_from(framing: Dynamic) -> Result<Self, RawMode> {
        match framing {
            Dynamic::Ethernet(framing) => Ok(framing.into()),
            Dynamic::NetHdr(framing) => Ok(framing.into()),
            Dynamic::Raw(framing) => Err(RawMode(framing)),
        }
    }
}

impl StackFraming for Selected {
    fn medium(&self) -> Medium {
        self.medium
    }

    fn max_untagged(&self) -> usize {
        match self.framing {
            Dynamic::Ethernet(framing) => framing.max_untagged(),
            framing => framing.max_frame(),
        }
    }
}

impl Framing for Selected {
    type Head = <Dynamic as Framing>::Head;

    fn element_size(&self) -> usize {
        self.framing.element_size()
    }

    fn min_element(&self) -> usize {
        self.framing.min_element()
    }

    #[inline]
    fn max_frame(&self) -> usize {
        self.framing.max_frame()
    }

    #[inline]
    fn admit(&self, packet: &Packet<'_>) -> Result<Self::Head, FrameError> {
        self.framing.admit(packet)
    }

    #[inline]
    fn encode<M: MemoryMut>(&self, slot: &mut Slot<'_, M>, head: Self::Head, packet: &Packet<'_>) {
        self.framing.encode(slot, head, packet);
    }

    #[inline]
    fn decode<M: Memory>(
        &self,
        element: &Element<'_, M>,
        sink: &mut impl Sink,
    ) -> Result<Frame, Reject> {
        self.framing.decode(element, sink)
    }
}
