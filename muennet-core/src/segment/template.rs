// SPDX-License-Identifier: MIT OR Apache-2.0
//! The headers of a large packet, copied once, and changed for each segment.

use super::{
    network,
    transport::{self, Place},
    Cut, CutError,
};
use crate::framing::Checksum;

/// The most bytes of headers that a segment can have: Ethernet with two tags, an IP header with
/// options or extension headers, and the longest TCP header.
pub const MAX_HEADERS: usize = 192;

/// Headers of a packet.
#[derive(Debug, Clone)]
pub(super) struct Template {
    bytes: [u8; MAX_HEADERS],
    len: usize,
    network_at: usize,
    network: network::Fields,
    transport_at: usize,
    transport: transport::Fields,
    checksum: Checksum,
}

impl Template {
    /// Copies the headers at the start of `head`, the first bytes of a packet of `len` bytes.
    pub(super) fn new(head: &[u8], len: usize, cut: &Cut) -> Result<Self, CutError> {
        let (network_at, transport_at) = (cut.network, cut.transport);
        let outside = CutError::Transport {
            transport: transport_at,
            len: head.len(),
        };
        let rest = head.get(transport_at..).ok_or(outside)?;
        let header = cut.protocol.header_len(rest).ok_or(outside)?;
        // At most 60, behind an offset within a slice.
        let headers = transport_at.saturating_add(header);
        let too_long = CutError::Headers {
            len: headers,
            max: MAX_HEADERS,
        };
        let mut bytes = [0; MAX_HEADERS];
        let own = bytes.get_mut(..headers).ok_or(too_long)?;
        own.copy_from_slice(head.get(..headers).ok_or(outside)?);

        let no_network = CutError::Network {
            network: network_at,
            transport: transport_at,
        };
        let network = own
            .get(network_at..transport_at)
            .and_then(|header| network::Fields::read(header, cut.fixed_id))
            .ok_or(no_network)?;
        let size = cut.size;
        // The longest segment, counted from the IP header on, has a length of 16 bits.
        let longest = size.checked_add(headers.saturating_sub(network_at));
        if size == 0 || longest.is_none_or(|longest| longest > usize::from(u16::MAX)) {
            return Err(CutError::Size { size });
        }
        // The sum of a pseudo header takes a length of 32 bits.
        let whole = u32::try_from(len.saturating_sub(transport_at)).unwrap_or(u32::MAX);
        let transport = own
            .get(transport_at..)
            .and_then(|header| transport::Fields::read(cut.protocol, header, whole))
            .ok_or(outside)?;
        let checksum = Checksum {
            start: transport_at,
            offset: cut.protocol.checksum(),
        };
        Ok(Self {
            bytes,
            len: headers,
            network_at,
            network,
            transport_at,
            transport,
            checksum,
        })
    }

    /// Bytes of the headers.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The checksum that a segment has.
    #[inline]
    pub(super) fn checksum(&self) -> Checksum {
        self.checksum
    }

    /// The headers as they are.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }

    /// Changes the headers to those of segment `index`, `offset` bytes into the payload, with
    /// `payload` bytes of it.
    #[inline]
    pub(super) fn write(&mut self, index: u16, offset: usize, payload: usize, last: bool) {
        let Some(headers) = self.bytes.get_mut(..self.len) else {
            return;
        };
        let Some((before, transport)) = headers.split_at_mut_checked(self.transport_at) else {
            return;
        };
        // CAST: the longest segment has 16 bits from the IP header on, as `new` has seen.
        let from = |at: usize| (self.len.wrapping_sub(at).wrapping_add(payload)) as u16;
        if let Some(network) = before.get_mut(self.network_at..) {
            self.network.write(network, index, from(self.network_at));
        }
        let place = Place {
            // CAST: sequence numbers have 32 bits and wrap.
            offset: offset as u32,
            first: offset == 0,
            last,
            len: from(self.transport_at),
        };
        self.transport.write(transport, place);
    }
}
