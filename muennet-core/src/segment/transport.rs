// SPDX-License-Identifier: MIT OR Apache-2.0
//! The transport's header in a segment: TCP and UDP.

use super::sum::with_length;

/// A transport protocol whose packets can be cut.
///
/// ```
/// use muennet_core::segment::{Cut, Transport};
///
/// // TCP over IPv4 in an Ethernet frame.
/// let cut = Cut { network: 14, transport: 34, protocol: Transport::Tcp, size: 1448, fixed_id: false };
/// assert_eq!(cut.protocol, Transport::Tcp);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Transport {
    /// TCP: the segments are parts of a stream (TSO).
    Tcp,
    /// UDP: each segment is a datagram of its own (`UDP_SEGMENT`).
    Udp,
}

/// Offsets in a TCP header.
mod tcp {
    pub(super) const SEQUENCE: usize = 4;
    pub(super) const DATA_OFFSET: usize = 12;
    pub(super) const FLAGS: usize = 13;
    pub(super) const CHECKSUM: usize = 16;
    pub(super) const MIN: usize = 20;
    /// Flags.
    pub(super) const FIN: u8 = 0x01;
    pub(super) const PSH: u8 = 0x08;
    pub(super) const CWR: u8 = 0x80;
}

/// Offsets in a UDP header.
mod udp {
    pub(super) const LENGTH: usize = 4;
    pub(super) const CHECKSUM: usize = 6;
    pub(super) const HEADER: usize = 8;
}

/// The place of a segment in its packet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Bytes of payload before it.
    pub(super) offset: u32,
    pub(super) first: bool,
    pub(super) last: bool,
    /// Bytes of the transport's header and the payload.
    pub(super) len: u16,
}

/// The fields of the large packet's header from which those of a segment follow.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fields {
    Tcp {
        sequence: u32,
        flags: u8,
        /// The pseudo header's sum, and the length that is part of it.
        sum: u16,
        len: u32,
    },
    Udp {
        sum: u16,
        len: u32,
    },
}

impl Transport {
    /// Bytes of the header that `bytes` begins with; `None` if it is not there as a whole.
    pub(super) fn header_len(self, bytes: &[u8]) -> Option<usize> {
        let len = match self {
            Self::Tcp => usize::from(*bytes.get(tcp::DATA_OFFSET)? >> 4) * 4,
            Self::Udp => udp::HEADER,
        };
        let min = match self {
            Self::Tcp => tcp::MIN,
            Self::Udp => udp::HEADER,
        };
        (len >= min && len <= bytes.len()).then_some(len)
    }

    /// Offset of the checksum in the header.
    #[inline]
    pub(super) fn checksum(self) -> usize {
        match self {
            Self::Tcp => tcp::CHECKSUM,
            Self::Udp => udp::CHECKSUM,
        }
    }
}

impl Fields {
    /// Reads the fields of a whole `header`, behind which the packet goes on: `len` bytes
    /// with the header.
    pub(super) fn read(protocol: Transport, header: &[u8], len: u32) -> Option<Self> {
        let word = |at: usize| header.get(at..)?.first_chunk::<2>().copied();
        let sum = u16::from_be_bytes(word(protocol.checksum())?);
        Some(match protocol {
            Transport::Tcp => Self::Tcp {
                sequence: u32::from_be_bytes(*header.get(tcp::SEQUENCE..)?.first_chunk()?),
                flags: *header.get(tcp::FLAGS)?,
                sum,
                len,
            },
            // The sum has the length that the header says.
            Transport::Udp => Self::Udp {
                sum,
                len: u16::from_be_bytes(word(udp::LENGTH)?).into(),
            },
        })
    }

    /// Changes the `header` of the segment before to that of the one at `place`.
    #[inline]
    pub(super) fn write(&self, header: &mut [u8], place: Place) {
        match *self {
            Self::Tcp {
                sequence,
                flags,
                sum,
                len,
            } => {
                let mut cleared = 0;
                if !place.last {
                    cleared |= tcp::FIN | tcp::PSH;
                }
                if !place.first {
                    cleared |= tcp::CWR;
                }
                let sequence = sequence.wrapping_add(place.offset);
                put(header, tcp::SEQUENCE, sequence.to_be_bytes());
                put(header, tcp::FLAGS, [flags & !cleared]);
                let sum = with_length(sum, len, place.len);
                put(header, tcp::CHECKSUM, sum.to_be_bytes());
            }
            Self::Udp { sum, len } => {
                put(header, udp::LENGTH, place.len.to_be_bytes());
                let sum = with_length(sum, len, place.len);
                put(header, udp::CHECKSUM, sum.to_be_bytes());
            }
        }
    }
}

/// Stores a field; the header is as long as its protocol's, so that it is there.
#[inline]
pub(super) fn put<const N: usize>(header: &mut [u8], at: usize, bytes: [u8; N]) {
    if let Some(field) = header
        .get_mut(at..)
        .and_then(|rest| rest.first_chunk_mut::<N>())
    {
        *field = bytes;
    }
}
