// SPDX-License-Identifier: MIT OR Apache-2.0
//! The IP header in a segment: IPv4 and IPv6.

use super::{sum::of_header, transport::put};

/// Offsets in an IPv4 header.
mod ipv4 {
    pub(super) const TOTAL: usize = 2;
    pub(super) const ID: usize = 4;
    pub(super) const CHECKSUM: usize = 10;
    pub(super) const MIN: usize = 20;
}

/// Offsets in an IPv6 header.
mod ipv6 {
    pub(super) const PAYLOAD: usize = 4;
    pub(super) const HEADER: usize = 40;
}

/// The fields of the large packet's header from which those of a segment follow.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fields {
    Ipv4 { id: u16, fixed_id: bool },
    Ipv6,
}

impl Fields {
    /// Reads the fields of `header`, all bytes up to the transport's header; `None` if it is
    /// no IP header of that length.
    pub(super) fn read(header: &[u8], fixed_id: bool) -> Option<Self> {
        let first = *header.first()?;
        match first >> 4 {
            4 if header.len() >= ipv4::MIN && usize::from(first & 0x0f) * 4 == header.len() => {
                let id = u16::from_be_bytes(*header.get(ipv4::ID..)?.first_chunk()?);
                Some(Self::Ipv4 { id, fixed_id })
            }
            6 if header.len() >= ipv6::HEADER => Some(Self::Ipv6),
            _ => None,
        }
    }

    /// Changes the `header` of the segment before to that of segment `index`, a packet of
    /// `len` bytes from the IP header on.
    #[inline]
    pub(super) fn write(&self, header: &mut [u8], index: u16, len: u16) {
        match *self {
            Self::Ipv4 { id, fixed_id } => {
                put(header, ipv4::TOTAL, len.to_be_bytes());
                if !fixed_id {
                    put(header, ipv4::ID, id.wrapping_add(index).to_be_bytes());
                }
                put(header, ipv4::CHECKSUM, [0, 0]);
                let sum = of_header(header);
                put(header, ipv4::CHECKSUM, sum.to_be_bytes());
            }
            Self::Ipv6 => {
                // CAST: at most 40. The segment has this header.
                let payload = len.wrapping_sub(ipv6::HEADER as u16);
                put(header, ipv6::PAYLOAD, payload.to_be_bytes());
            }
        }
    }
}
