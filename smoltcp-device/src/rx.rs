// SPDX-License-Identifier: MIT OR Apache-2.0
//! The receiving half of a device, and the right to take a frame from it.

use crate::counters;
use muennet_core::{
    framing::{Frame, Framing},
    link::{Received, Receiver},
    shm::Memory,
};
use smoltcp::phy;

/// Elements without a frame that one look passes over at most, so that a peer
/// that sends nonsense does not keep us here.
const PATIENCE: usize = 32;

/// The receiving half.
#[derive(Debug)]
pub(crate) struct Rx<R: Memory, F, const SIZE: usize> {
    pub(crate) receiver: Receiver<R, F>,
    buffer: [u8; SIZE],
    /// The frame in `buffer` that nobody consumed yet.
    pending: Option<Frame>,
    pub(crate) counters: counters::Received,
}

impl<R: Memory, F: Framing, const SIZE: usize> Rx<R, F, SIZE> {
    pub(crate) fn new(receiver: Receiver<R, F>) -> Self {
        Self {
            receiver,
            buffer: [0; SIZE],
            pending: None,
            counters: counters::Received::default(),
        }
    }

    /// True when a frame waits, or the peer has changed.
    pub(crate) fn has_pending(&self) -> bool {
        self.pending.is_some() || self.receiver.has_pending()
    }

    /// The next frame, copied out of shared memory once; the same again until its
    /// token is consumed.
    pub(crate) fn token(&mut self) -> Option<RxToken<'_>> {
        if self.pending.is_none() {
            self.pending = self.take();
        }
        let frame = self.pending?;
        Some(RxToken {
            bytes: &mut self.buffer[..frame.len],
            mark: frame.meta.mark,
            pending: &mut self.pending,
        })
    }

    fn take(&mut self) -> Option<Frame> {
        for _ in 0..PATIENCE {
            match self.receiver.receive(&mut &mut self.buffer[..]) {
                Received::Frame(frame) => {
                    self.counters.frames += 1;
                    self.counters.bytes += frame.len as u64;
                    return Some(frame);
                }
                Received::NewEpoch { .. } => self.counters.epochs += 1,
                Received::Overrun { lost } => {
                    // The number is the peer's word.
                    self.counters.lost = self.counters.lost.saturating_add(lost);
                }
                Received::Rejected(_) => self.counters.rejected += 1,
                Received::Empty | Received::Inactive | Received::Faulty(_) => break,
            }
        }
        None
    }
}

/// A received frame, in private memory.
///
/// Dropped unused it takes nothing away: the next token is for the same frame.
#[derive(Debug)]
pub struct RxToken<'a> {
    bytes: &'a mut [u8],
    mark: u32,
    /// The device's note of the frame, taken away when it is consumed.
    pending: &'a mut Option<Frame>,
}

impl RxToken<'_> {
    /// The mark that came with the frame; 0 where the framing carries none.
    pub fn mark(&self) -> u32 {
        self.mark
    }

    /// Gives the frame, which its user may change.
    pub(crate) fn consume_mut<T>(self, take: impl FnOnce(&mut [u8]) -> T) -> T {
        *self.pending = None;
        take(self.bytes)
    }
}

impl phy::RxToken for RxToken<'_> {
    fn consume<T, F>(self, take: F) -> T
    where
        F: FnOnce(&[u8]) -> T,
    {
        self.consume_mut(|bytes| take(bytes))
    }

    #[cfg(feature = "packetmeta-id")]
    fn meta(&self) -> phy::PacketMeta {
        let mut meta = phy::PacketMeta::default();
        meta.id = self.mark;
        meta
    }
}
