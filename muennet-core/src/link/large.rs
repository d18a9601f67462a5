// SPDX-License-Identifier: MIT OR Apache-2.0
//! Packets larger than a frame, sent as segments.

use super::{SendError, Sender};
use crate::framing::{Framing, Meta, Packet};
use crate::notify::Notifier;
use crate::segment::{Cut, CutError, Pieces, Segment, Segments};
use crate::shm::{MemoryMut, Part};

/// The part of a large packet that left.
///
/// ```
/// use muennet_core::link::Sent;
///
/// // The payload of 2500 bytes left with 42 bytes of headers in each of three frames.
/// let sent = Sent { frames: 3, bytes: 2500 + 3 * 42 };
/// assert_eq!(sent.bytes / sent.frames, 875);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Sent {
    /// Frames that were written.
    pub frames: usize,
    /// Bytes of all these frames.
    pub bytes: usize,
}

impl<W: MemoryMut, F: Framing, N: Notifier> Sender<W, F, N> {
    /// Cuts a packet into [segments](crate::segment) and writes them together, without
    /// ringing: the headers are changed for each, the payload goes straight from `parts` into
    /// the elements, and its sum is taken on the way.
    ///
    /// The packet begins with `head`, which is the first of `parts` or its start, and holds
    /// all headers. `PARTS` is at least two more than there are parts.
    ///
    /// The peer sees all segments or none yet, as those of
    /// [`write_batch`](Self::write_batch). A packet of more segments than the channel has
    /// elements loses its first.
    ///
    /// # Errors
    ///
    /// [`SendError`]; nothing was written then.
    pub fn write_segments<const PARTS: usize>(
        &mut self,
        head: &[u8],
        parts: &[Part<'_>],
        cut: &Cut,
        meta: Meta,
    ) -> Result<Sent, SendError> {
        let max = PARTS.saturating_sub(2);
        if parts.len() > max {
            let parts = parts.len();
            return Err(SendError::Cut(CutError::Parts { parts, max }));
        }
        let len = Packet::of_parts(parts).len();
        let mut segments = Segments::new(head, len, cut).map_err(SendError::Cut)?;
        let mut pieces = Pieces::new(parts);
        pieces.take(segments.header_len(), |_| {});
        let sent = Sent {
            frames: segments.count(),
            bytes: segments.total(),
        };

        // A framing looks at the length of a frame and at its first bytes. All segments have
        // the same first bytes, and all but the last the same length.
        let (mut ahead, mut unread) = (segments.clone(), pieces.clone());
        let first = self.head_of::<PARTS>(&mut ahead, &mut unread, meta)?;
        let mut last = first;
        if sent.frames > 1 {
            unread.take(ahead.skip_to_last(), |_| {});
            last = self.head_of::<PARTS>(&mut ahead, &mut unread, meta)?;
        }

        let framing = &self.framing;
        // CAST: usize is at most 64 bits on every target.
        self.writer.write_batch(sent.frames as u64, |slot| {
            let Some(segment) = segments.next() else {
                return;
            };
            let head = if segment.is_last() { last } else { first };
            with_packet::<PARTS, _>(&segment, &mut pieces, meta, |packet| {
                framing.encode(slot, head, packet);
            });
        });
        Ok(sent)
    }

    /// The head of the next segment's frame.
    fn head_of<const PARTS: usize>(
        &self,
        segments: &mut Segments,
        pieces: &mut Pieces<'_, '_>,
        meta: Meta,
    ) -> Result<F::Head, SendError> {
        let Some(segment) = segments.next() else {
            return Err(SendError::Cut(CutError::Empty));
        };
        with_packet::<PARTS, _>(&segment, pieces, meta, |packet| self.admit(packet))
    }
}

/// Calls `with` with the frame of a segment, whose payload is the next of `pieces`.
#[inline]
fn with_packet<const PARTS: usize, T>(
    segment: &Segment<'_>,
    pieces: &mut Pieces<'_, '_>,
    meta: Meta,
    with: impl FnOnce(&Packet<'_>) -> T,
) -> T {
    let mut own = [Part::from(segment.header()); PARTS];
    let mut used = 1;
    pieces.take(segment.payload(), |piece| {
        if let Some(place) = own.get_mut(used) {
            *place = piece;
            used = used.wrapping_add(1);
        }
    });
    let packet = Packet::of_parts(own.get(..used).unwrap_or(&[]));
    with(&packet.with_meta(meta).with_checksum(segment.checksum()))
}
