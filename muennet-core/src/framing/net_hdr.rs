// SPDX-License-Identifier: MIT OR Apache-2.0
//! IP mode: a header of eight bytes, then an IPv4 or IPv6 packet.
//!
//! | offset | field | meaning |
//! |-------:|----------|--------------------------------------------------|
//! | 0 | mark | u32, little endian |
//! | 4 | length | u16, little endian: bytes of the packet |
//! | 6 | protocol | u8: 4 = IPv4, 41 = IPv6 |
//! | 7 | qos | u8: TOS or traffic class, shifted right by 2 |
//! | 8 | packet | |
//!
//! A reader takes the packet's length from its IP header, as the original does;
//! the length field may be larger, never smaller.

use super::{mtu, Frame, FrameError, Framing, Meta, MtuError, Packet, Reject, Sink};
use crate::channel::{Element, Slot};
use crate::shm::{Memory, MemoryMut};

/// Bytes of the header.
const HEADER: usize = 8;
/// Bytes of a packet up to the end of its length, for both versions of IP.
const PREFIX: usize = 8;
/// Bytes of the least IPv4 and IPv6 headers.
const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;
/// Protocol numbers (IANA) of the versions as payload.
const IPV4: u8 = 4;
const IPV6: u8 = 41;

/// IP packets of up to `mtu` bytes, each with a mark.
///
/// ```
/// use muennet_core::framing::{FrameError, Framing, NetHdr, Packet};
///
/// let framing = NetHdr::new(1500)?;
/// assert_eq!(framing.max_frame(), 1500);
/// let refused = framing.admit(&Packet::new(&[&[0x50; 20]])).map(drop);
/// assert_eq!(refused, Err(FrameError::NotIp { version: 5 }));
/// # Ok::<(), muennet_core::framing::MtuError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NetHdr {
    mtu: u16,
}

impl NetHdr {
    /// Framing for packets of up to `mtu` bytes.
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

/// Bytes of the packet by its IP header, and of the least such header.
fn ip_length(protocol: u8, prefix: [u8; PREFIX]) -> Result<(usize, usize), Reject> {
    let [first, _, a, b, c, d, ..] = prefix;
    let (version, length, min) = match protocol {
        IPV4 => (4, usize::from(u16::from_be_bytes([a, b])), IPV4_HEADER),
        IPV6 => {
            let payload = usize::from(u16::from_be_bytes([c, d]));
            (6, IPV6_HEADER + payload, IPV6_HEADER)
        }
        found => return Err(Reject::UnknownProtocol { found }),
    };
    if first >> 4 != version {
        return Err(Reject::Version {
            found: first >> 4,
            expected: version,
        });
    }
    Ok((length, min))
}

impl Framing for NetHdr {
    /// The header.
    type Head = [u8; HEADER];

    #[inline]
    fn element_size(&self) -> usize {
        HEADER + self.max_frame()
    }

    #[inline]
    fn min_element(&self) -> usize {
        HEADER + IPV4_HEADER
    }

    #[inline]
    fn max_frame(&self) -> usize {
        self.mtu.into()
    }

    #[inline]
    fn admit(&self, packet: &Packet<'_>) -> Result<Self::Head, FrameError> {
        let (len, max) = (packet.len(), self.max_frame());
        if len > max {
            return Err(FrameError::TooLong { len, max });
        }
        let (Some(first), Some(second)) = (packet.byte(0), packet.byte(1)) else {
            return Err(FrameError::TooShort {
                len,
                min: IPV4_HEADER,
            });
        };
        let (protocol, class, min) = match first >> 4 {
            4 => (IPV4, second, IPV4_HEADER),
            6 => (IPV6, first << 4 | second >> 4, IPV6_HEADER),
            version => return Err(FrameError::NotIp { version }),
        };
        if len < min {
            return Err(FrameError::TooShort { len, min });
        }
        let [m0, m1, m2, m3] = packet.meta().mark.to_le_bytes();
        // CAST: at most the MTU, a u16.
        let [l0, l1] = (len as u16).to_le_bytes();
        Ok([m0, m1, m2, m3, l0, l1, protocol, class >> 2])
    }

    #[inline]
    fn encode<M: MemoryMut>(&self, slot: &mut Slot<'_, M>, head: Self::Head, packet: &Packet<'_>) {
        slot.put_few(0, head);
        packet.put(slot, HEADER);
    }

    #[inline]
    fn decode<M: Memory>(
        &self,
        element: &Element<'_, M>,
        sink: &mut impl Sink,
    ) -> Result<Frame, Reject> {
        // Elements have at least `min_element` bytes.
        let header = element.fetch::<HEADER>(0).unwrap_or_default();
        let prefix = element.fetch::<PREFIX>(HEADER).unwrap_or_default();
        let [m0, m1, m2, m3, l0, l1, protocol, _qos] = header;
        let (len, min) = ip_length(protocol, prefix)?;
        if len < min {
            return Err(Reject::TooShort { found: len, min });
        }
        let field = usize::from(u16::from_le_bytes([l0, l1]));
        if len > field {
            return Err(Reject::LengthMismatch { ip: len, field });
        }
        // Not above 65535 by the field. A longer packet than we send is received: its
        // writer has the larger MTU.
        let max = element.size().saturating_sub(HEADER);
        if len > max {
            return Err(Reject::TooLong { found: len, max });
        }
        // The prefix is not read again: the length it holds is the one checked.
        let placed = sink
            .place(len)
            .filter(|target| target.len() == len)
            .and_then(|target| target.split_first_chunk_mut::<PREFIX>())
            .is_some_and(|(start, rest)| {
                *start = prefix;
                element.copy_out(HEADER + PREFIX, rest)
            });
        if placed {
            let mark = u32::from_le_bytes([m0, m1, m2, m3]);
            let meta = Meta { mark };
            Ok(Frame { len, meta })
        } else {
            Err(Reject::NoRoom { len })
        }
    }
}
