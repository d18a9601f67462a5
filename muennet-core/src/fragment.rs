// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cutting an IPv4 packet into fragments (RFC 791), without a copy of its payload.

use crate::shm::Part;
use core::ops::Range;

/// Bytes of the least and the largest IPv4 header.
const MIN_HEADER: usize = 20;
const MAX_HEADER: usize = 60;
/// Fragments begin at multiples of so many bytes.
const UNIT: usize = 8;
/// The least path MTU in bytes that every network has.
const MIN_MTU: usize = 68;

const DONT_FRAGMENT: u16 = 0x4000;
const MORE_FRAGMENTS: u16 = 0x2000;
const OFFSET: u16 = 0x1fff;

/// Options of one byte, and the bit of those that belong into every fragment.
const END_OF_OPTIONS: u8 = 0;
const NO_OPERATION: u8 = 1;
const COPIED: u8 = 0x80;

/// An IPv4 packet's header, for those who must decide over its length.
///
/// ```
/// use muennet_core::fragment::Header;
///
/// let mut packet = [0; 1400];
/// // IPv4, a header of 20 bytes, 1400 bytes in all.
/// (packet[0], packet[2], packet[3]) = (0x45, 0x05, 0x78);
/// let header = Header::parse(&packet, packet.len()).expect("this is IPv4");
/// assert!(!header.dont_fragment());
/// // Fragments of at most 576 bytes have 552 bytes of payload, a multiple of 8.
/// assert_eq!(header.fragments(576).expect("a fragment has room").count(), 3);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Header {
    bytes: [u8; MAX_HEADER],
    len: usize,
    total: usize,
    field: u16,
}

impl Header {
    /// Parses the header at the start of a packet of `len` bytes, whose first
    /// bytes are `start`; `None` if that is no whole IPv4 header.
    pub fn parse(start: &[u8], len: usize) -> Option<Self> {
        let first = *start.first()?;
        let header_len = usize::from(first & 0x0f) * 4;
        if first >> 4 != 4 || header_len < MIN_HEADER {
            return None;
        }
        let mut bytes = [0; MAX_HEADER];
        let header = bytes.get_mut(..header_len)?;
        header.copy_from_slice(start.get(..header_len)?);
        let total = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
        (header_len <= total && total <= len).then_some(Self {
            bytes,
            len: header_len,
            total,
            field: u16::from_be_bytes([bytes[6], bytes[7]]),
        })
    }

    /// True if the sender forbids fragments.
    pub fn dont_fragment(&self) -> bool {
        self.field & DONT_FRAGMENT != 0
    }

    /// The fragments of at most `mtu` bytes, in order; an `mtu` below 68, the least
    /// of any network, counts as 68. `None` if the packet lies about its offset.
    pub fn fragments(self, mtu: usize) -> Option<Fragments> {
        let room = mtu.max(MIN_MTU) - self.len;
        let end = usize::from(self.field & OFFSET) * UNIT + (self.total - self.len);
        (end <= usize::from(OFFSET) * UNIT + UNIT).then_some(Fragments {
            header: self,
            at: self.len,
            step: room - room % UNIT,
            last_step: room,
        })
    }
}

/// The fragments of a packet.
///
/// ```
/// use muennet_core::fragment::Header;
///
/// let mut packet = [0; 100];
/// (packet[0], packet[3]) = (0x45, 100);
/// let header = Header::parse(&packet, packet.len()).expect("this is IPv4");
/// // 80 bytes of payload, 48 in each fragment but the last.
/// let lengths = header.fragments(68).expect("a fragment has room").map(|fragment| {
///     fragment.with_parts::<2, _>(&[(&packet[..]).into()], |parts| {
///         parts.iter().map(|part| part.len()).sum::<usize>()
///     })
/// });
/// assert_eq!(lengths.collect::<Vec<_>>(), [68, 52]);
/// ```
#[derive(Debug)]
pub struct Fragments {
    header: Header,
    at: usize,
    step: usize,
    last_step: usize,
}

/// One fragment: a header of its own, and a part of the packet.
///
/// ```
/// use muennet_core::fragment::Header;
///
/// let mut packet = [0; 100];
/// (packet[0], packet[3]) = (0x45, 100);
/// let header = Header::parse(&packet, packet.len()).expect("this is IPv4");
/// let first = header.fragments(68).and_then(|mut all| all.next()).unwrap();
/// // Its header says its own length, and that more follow.
/// assert_eq!(first.header()[2..4], [0, 68]);
/// assert_eq!(first.header()[6], 0x20);
/// ```
#[derive(Debug)]
pub struct Fragment {
    header: [u8; MAX_HEADER],
    len: usize,
    payload: Range<usize>,
}

impl Iterator for Fragments {
    type Item = Fragment;

    fn next(&mut self) -> Option<Fragment> {
        let Header {
            bytes,
            len,
            total,
            field,
        } = self.header;
        let left = total.checked_sub(self.at).filter(|left| *left > 0)?;
        let last = left <= self.last_step;
        let step = if last { left } else { self.step };
        let mut header = bytes;
        if self.at > len {
            leave_first_options(&mut header[MIN_HEADER..len]);
        }
        // CAST: at most what an IPv4 packet's length and offset hold.
        let offset = (field & OFFSET).wrapping_add(((self.at - len) / UNIT) as u16);
        let more = if last {
            field & MORE_FRAGMENTS
        } else {
            MORE_FRAGMENTS
        };
        header[2..4].copy_from_slice(&((len + step) as u16).to_be_bytes());
        header[6..8].copy_from_slice(&(offset & OFFSET | more).to_be_bytes());
        header[10..12].copy_from_slice(&[0, 0]);
        let sum = checksum(&header[..len]);
        header[10..12].copy_from_slice(&sum.to_be_bytes());
        let payload = self.at..self.at + step;
        self.at += step;
        Some(Fragment {
            header,
            len,
            payload,
        })
    }
}

impl Fragment {
    /// The fragment's header.
    pub fn header(&self) -> &[u8] {
        self.header.get(..self.len).unwrap_or(&[])
    }

    /// Calls `with` with the parts of the fragment, of a packet in `parts`: its
    /// header, then pieces of the packet's payload. `N` is one more than there
    /// are parts, or more; what exceeds that is left out.
    pub fn with_parts<const N: usize, T>(
        &self,
        parts: &[Part<'_>],
        with: impl FnOnce(&[Part<'_>]) -> T,
    ) -> T {
        let mut own = [Part::from(self.header()); N];
        let (mut used, mut start) = (1, 0);
        for part in parts {
            let end = start + part.len();
            let from = self.payload.start.clamp(start, end) - start;
            let to = self.payload.end.clamp(start, end) - start;
            if let (true, Some(place)) = (from < to, own.get_mut(used)) {
                *place = part.get(from..to);
                used += 1;
            }
            start = end;
        }
        with(own.get(..used).unwrap_or(&[]))
    }
}

/// Blanks the options that belong into the first fragment only.
fn leave_first_options(options: &mut [u8]) {
    let mut at = 0;
    while let Some(kind) = options.get(at).copied() {
        let len = match kind {
            END_OF_OPTIONS => return,
            NO_OPERATION => 1,
            _ => match options.get(at + 1) {
                Some(len) if *len >= 2 => usize::from(*len),
                _ => return,
            },
        };
        let end = at.saturating_add(len).min(options.len());
        if kind & COPIED == 0 {
            options[at..end].fill(NO_OPERATION);
        }
        at = end;
    }
}

/// The Internet checksum (RFC 1071) of an even number of bytes.
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = bytes
        .chunks_exact(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    // CAST: folded to 16 bits.
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{vec, vec::Vec};

    fn packet(options: &[u8], payload: usize, field: u16) -> Vec<u8> {
        let len = 20 + options.len();
        let mut packet = vec![0; len];
        packet[0] = 0x40 | (len / 4) as u8;
        packet[2..4].copy_from_slice(&((len + payload) as u16).to_be_bytes());
        packet[4..6].copy_from_slice(&[0xab, 0xcd]);
        packet[6..8].copy_from_slice(&field.to_be_bytes());
        packet[8..10].copy_from_slice(&[64, 17]);
        packet[12..20].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2]);
        packet[20..].copy_from_slice(options);
        packet.extend((0..payload).map(|i| (i * 7) as u8));
        packet
    }

    fn cut(packet: &[u8], mtu: usize) -> Vec<Vec<u8>> {
        let header = Header::parse(packet, packet.len()).unwrap();
        let (a, rest) = packet.split_at(packet.len().min(header.len + 3));
        let (b, c) = rest.split_at(rest.len() / 2);
        let fragments = header.fragments(mtu).unwrap();
        fragments
            .map(|fragment| {
                fragment.with_parts::<4, _>(&[a, b, c].map(Part::from), |parts| {
                    let bytes =
                        |part: &Part<'_>| (0..part.len()).map_while(|at| part.byte(at)).collect();
                    parts.iter().map(bytes).collect::<Vec<Vec<u8>>>().concat()
                })
            })
            .collect()
    }

    /// Puts fragments together as a receiver does.
    fn joined(fragments: &[Vec<u8>]) -> Vec<u8> {
        let mut payload = Vec::new();
        for (index, fragment) in fragments.iter().enumerate() {
            let header = Header::parse(fragment, fragment.len()).unwrap();
            assert_eq!(header.total, fragment.len());
            assert_eq!(checksum(&fragment[..header.len]), 0);
            assert_eq!(usize::from(header.field & OFFSET) * UNIT, payload.len());
            let more = header.field & MORE_FRAGMENTS != 0;
            assert_eq!(more, index + 1 < fragments.len());
            payload.extend_from_slice(&fragment[header.len..]);
        }
        payload
    }

    #[test]
    fn fragments_join_to_the_packet() {
        for payload in [1, 7, 8, 1379, 1380, 1381, 1480, 4000] {
            for mtu in [68, 69, 576, 1280, 1400, 1401] {
                let packet = packet(&[], payload, 0);
                let fragments = cut(&packet, mtu);
                assert!(fragments.iter().all(|fragment| fragment.len() <= mtu));
                assert_eq!(joined(&fragments), packet[20..], "{payload} {mtu}");
            }
        }
    }

    #[test]
    fn an_absurd_mtu_counts_as_the_least() {
        let packet = packet(&[], 100, 0);
        for mtu in [0, 1, 20, 28, 67] {
            assert_eq!(cut(&packet, mtu), cut(&packet, 68));
        }
    }

    #[test]
    fn a_fragment_is_cut_further() {
        let packet = packet(&[], 64, MORE_FRAGMENTS | 100);
        let fragments = cut(&packet, 68);
        let fields: Vec<_> = fragments
            .iter()
            .map(|fragment| u16::from_be_bytes([fragment[6], fragment[7]]))
            .collect();
        assert_eq!(fields, [MORE_FRAGMENTS | 100, MORE_FRAGMENTS | 106]);
    }

    #[test]
    fn options_for_the_first_fragment_stay_there() {
        // Record route (7, not copied), then router alert (148, copied).
        let packet = packet(&[7, 4, 4, 0, 148, 4, 0, 0], 200, 0);
        let fragments = cut(&packet, 100);
        assert_eq!(fragments[0][20..28], [7, 4, 4, 0, 148, 4, 0, 0]);
        assert_eq!(fragments[1][20..28], [1, 1, 1, 1, 148, 4, 0, 0]);
    }

    #[test]
    fn options_are_read_as_far_as_they_can_be() {
        for (options, later) in [
            // An option without a length, and one that is copied.
            ([1, 148, 4, 0, 0, 1, 7, 2], [1, 148, 4, 0, 0, 1, 1, 1]),
            // Bytes behind the end stay as they are.
            ([7, 3, 4, 0, 7, 3, 9, 0], [1, 1, 1, 0, 7, 3, 9, 0]),
            // A length that leads nowhere.
            ([7, 1, 7, 3, 4, 0, 0, 0], [7, 1, 7, 3, 4, 0, 0, 0]),
            // A length beyond the options.
            ([1, 7, 40, 3, 4, 5, 6, 7], [1; 8]),
        ] {
            let fragments = cut(&packet(&options, 200, 0), 100);
            assert_eq!(fragments[0][20..28], options);
            assert_eq!(fragments[1][20..28], later);
        }
    }

    #[test]
    fn the_checksum_is_that_of_a_header_on_the_wire() {
        let header = [
            0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0, 0, 0xc0, 0xa8, 0x00,
            0x01, 0xc0, 0xa8, 0x00, 0xc7,
        ];
        assert_eq!(checksum(&header), 0xb861);
    }

    #[test]
    fn parts_without_bytes_of_the_fragment_are_left_out() {
        let packet = packet(&[], 100, 0);
        let (header, payload) = packet.split_at(20);
        let (first, second) = payload.split_at(48);
        let fragments = Header::parse(&packet, 120).unwrap().fragments(68).unwrap();
        let parts = [header, first, second].map(Part::from);
        for fragment in fragments {
            // The first two are the one part each, and the last is the rest.
            fragment.with_parts::<4, _>(&parts, |parts| assert_eq!(parts.len(), 2));
        }
    }

    #[test]
    fn what_is_no_header_is_not_parsed() {
        let good = packet(&[], 10, DONT_FRAGMENT);
        assert!(Header::parse(&good, good.len()).unwrap().dont_fragment());
        assert!(Header::parse(&good[..19], good.len()).is_none());
        assert!(Header::parse(&good, good.len() - 1).is_none());
        for first in [0x65, 0x44, 0x46] {
            let mut bad = good.clone();
            bad[0] = first;
            bad[3] = 20;
            assert!(Header::parse(&bad, bad.len()).is_none(), "{first:#x}");
        }
        let may = packet(&[], 10, MORE_FRAGMENTS | OFFSET);
        assert!(!Header::parse(&may, may.len()).unwrap().dont_fragment());
    }

    #[test]
    fn a_fragment_ends_where_offsets_end() {
        // The last offset is 65528: eight bytes have room there.
        for (offset, payload, fits) in [
            (OFFSET, 8, true),
            (OFFSET, 9, false),
            (OFFSET, 100, false),
            (OFFSET - 1, 16, true),
            (OFFSET - 1, 17, false),
            (1000, 100, true),
        ] {
            let packet = packet(&[], payload, offset);
            let header = Header::parse(&packet, packet.len()).unwrap();
            let fragments = header.fragments(68);
            assert_eq!(fragments.is_some(), fits, "{payload} bytes at {offset}");
        }
    }
}
