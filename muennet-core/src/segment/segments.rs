// SPDX-License-Identifier: MIT OR Apache-2.0
//! The segments of a packet, in order.

use super::{template::Template, Cut, CutError};
use crate::framing::Checksum;
use core::num::NonZeroUsize;

/// The segments of a large packet.
///
/// ```
/// use muennet_core::segment::{Cut, Segments, Transport};
///
/// // IPv4 and TCP headers of 20 bytes each, and 2000 bytes of payload.
/// let mut packet = [0; 2040];
/// (packet[0], packet[32]) = (0x45, 0x50);
/// let cut = Cut {
///     network: 0,
///     transport: 20,
///     protocol: Transport::Tcp,
///     size: 1448,
///     fixed_id: false,
/// };
/// let mut segments = Segments::new(&packet[..40], packet.len(), &cut)?;
/// assert_eq!(segments.count(), 2);
/// let first = segments.next().expect("the first of two");
/// assert_eq!((&first.header()[2..4], first.payload()), (&[0x05, 0xd0][..], 1448));
/// # Ok::<(), muennet_core::segment::CutError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Segments {
    template: Template,
    size: usize,
    count: usize,
    /// Bytes of payload.
    end: usize,
    /// Bytes of payload in the segments before.
    at: usize,
    index: u16,
}

/// One segment: its headers, and the number of bytes of payload behind them.
///
/// ```
/// use muennet_core::segment::{Cut, Segments, Transport};
///
/// let mut head = [0; 28];
/// head[0] = 0x45;
/// let cut = Cut { network: 0, transport: 20, protocol: Transport::Udp, size: 1000, fixed_id: false };
/// let mut segments = Segments::new(&head, 1528, &cut)?;
/// let first = segments.next().unwrap();
/// assert_eq!((first.payload(), first.is_last()), (1000, false));
/// // The total length in its IPv4 header is the segment's.
/// assert_eq!(first.header()[2..4], 1028_u16.to_be_bytes());
/// let last = segments.next().unwrap();
/// assert_eq!((last.payload(), last.is_last()), (500, true));
/// # Ok::<(), muennet_core::segment::CutError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Segment<'a> {
    header: &'a [u8],
    payload: usize,
    checksum: Checksum,
    last: bool,
}

impl Segments {
    /// The segments of a packet of `len` bytes that begins with `head`.
    ///
    /// The checksum field of the large packet holds the sum of the pseudo header, with its
    /// length, as Linux leaves it there (`CHECKSUM_PARTIAL`).
    ///
    /// # Errors
    ///
    /// [`CutError`] if the headers are not where `cut` says, or no segment has room.
    pub fn new(head: &[u8], len: usize, cut: &Cut) -> Result<Self, CutError> {
        let template = Template::new(head, len, cut)?;
        let end = len.checked_sub(template.len()).filter(|end| *end > 0);
        let end = end.ok_or(CutError::Empty)?;
        let size = NonZeroUsize::new(cut.size).ok_or(CutError::Size { size: 0 })?;
        Ok(Self {
            count: (end.wrapping_sub(1) / size).saturating_add(1),
            end,
            template,
            size: cut.size,
            at: 0,
            index: 0,
        })
    }

    /// Segments in all.
    #[inline]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Bytes of headers in each segment.
    #[inline]
    pub fn header_len(&self) -> usize {
        self.template.len()
    }

    /// Bytes of all segments with their headers.
    pub fn total(&self) -> usize {
        self.end
            .saturating_add(self.count.saturating_mul(self.header_len()))
    }

    /// Passes over all segments before the last one, and gives the bytes of payload in them.
    pub(crate) fn skip_to_last(&mut self) -> usize {
        let last = self.count.saturating_sub(1);
        let (at, before) = (last.saturating_mul(self.size), self.at);
        self.at = at.max(before);
        // CAST: the identification has 16 bits and wraps.
        self.index = last as u16;
        self.at.saturating_sub(before)
    }

    /// The next segment; its header lies in the template until the one after it.
    #[inline]
    #[allow(clippy::should_implement_trait)] // An iterator's items do not borrow from it.
    pub fn next(&mut self) -> Option<Segment<'_>> {
        let left = self.end.saturating_sub(self.at);
        if left == 0 {
            return None;
        }
        let payload = left.min(self.size);
        let last = payload == left;
        self.template.write(self.index, self.at, payload, last);
        // At most the end.
        self.at = self.at.wrapping_add(payload);
        self.index = self.index.wrapping_add(1);
        Some(Segment {
            header: self.template.bytes(),
            payload,
            checksum: self.template.checksum(),
            last,
        })
    }
}

impl<'a> Segment<'a> {
    /// All headers, the fields of this segment filled in; the checksum field of the transport
    /// holds the pseudo header's sum.
    #[inline]
    pub fn header(&self) -> &'a [u8] {
        self.header
    }

    /// Bytes of the payload.
    #[inline]
    pub fn payload(&self) -> usize {
        self.payload
    }

    /// The checksum that is to be filled in.
    #[inline]
    pub fn checksum(&self) -> Checksum {
        self.checksum
    }

    /// True for the last segment of the packet.
    #[inline]
    pub fn is_last(&self) -> bool {
        self.last
    }
}
