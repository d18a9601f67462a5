// SPDX-License-Identifier: MIT OR Apache-2.0
//! Segmentation: a TCP or UDP packet that is larger than a frame, cut into frames
//! while it is copied (TSO and USO of network devices).
//!
//! The headers of the large packet are copied once, into a template. For each segment the
//! fields that differ are changed in it:
//!
//! | header | field | value in a segment |
//! |--------|-------|--------------------|
//! | IPv4 | total length, checksum | of the segment |
//! | IPv4 | identification | one more than in the segment before, if not [fixed](Cut::fixed_id) |
//! | IPv6 | payload length | of the segment |
//! | TCP | sequence number | of the segment's first byte |
//! | TCP | FIN, PSH | in the last segment only |
//! | TCP | CWR | in the first segment only |
//! | UDP | length | of the segment |
//! | TCP, UDP | checksum | the pseudo header's sum, with the segment's length |
//!
//! The bytes before the IP header, options and extension headers are the same in all segments.
//! Linux makes the same bytes in software (GSO). Source: `tcp_gso_segment`,
//! `__udp_gso_segment`, `inet_gso_segment` and `ipv6_gso_segment` of Linux; RFC 9293, RFC 768,
//! RFC 791, RFC 8200, RFC 3168.

mod error;
mod network;
mod pieces;
#[cfg(all(test, not(loom)))]
mod reference;
mod segments;
mod sum;
mod template;
#[cfg(all(test, not(loom)))]
mod tests;
mod transport;

pub use error::CutError;
pub use segments::{Segment, Segments};
pub use template::MAX_HEADERS;
pub use transport::Transport;

pub(crate) use pieces::Pieces;

/// The way to cut a packet.
///
/// ```
/// use muennet_core::segment::{Cut, Segments, Transport};
///
/// // IPv4 and UDP; the packet has 28 bytes of headers and 2500 of payload.
/// let mut head = [0; 28];
/// head[0] = 0x45;
/// let cut = Cut { network: 0, transport: 20, protocol: Transport::Udp, size: 1000, fixed_id: false };
/// let segments = Segments::new(&head, 2528, &cut)?;
/// assert_eq!((segments.count(), segments.total()), (3, 2584));
/// # Ok::<(), muennet_core::segment::CutError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Cut {
    /// Offset of the IP header in bytes from the packet's start: 14 behind an Ethernet header.
    pub network: usize,
    /// Offset of the TCP or UDP header in bytes from the packet's start.
    pub transport: usize,
    /// The protocol of that header.
    pub protocol: Transport,
    /// Bytes of payload in each segment; the last one may have fewer.
    pub size: usize,
    /// All segments have the IPv4 identification of the large packet.
    pub fixed_id: bool,
}
