// SPDX-License-Identifier: MIT OR Apache-2.0
//! The receiving half of a device, and the right to take a frame from it.

use crate::counters;
use muennet_core::{
    channel::Read,
    framing::{Frame, Framing},
    link::{Arrival, Receiver},
    shm::Memory,
};
use smoltcp::phy;

/// Frames that are taken with one look at the peer's counters: each look fetches
/// the header from the peer's cache.
const BURST: usize = 8;

/// Bursts without a frame that one look passes over at most, so that a peer that
/// sends nonsense does not keep us here.
const PATIENCE: usize = 4;

/// The receiving half.
#[derive(Debug)]
pub(crate) struct Rx<R: Memory, F, const SIZE: usize> {
    pub(crate) receiver: Receiver<R, F>,
    buffers: [[u8; SIZE]; BURST],
    /// The frames in `buffers`, in order; `None` where an element held no frame.
    frames: [Option<Frame>; BURST],
    /// The first that nobody consumed yet.
    next: usize,
    pub(crate) counters: counters::Received,
}

impl<R: Memory, F: Framing, const SIZE: usize> Rx<R, F, SIZE> {
    pub(crate) fn new(receiver: Receiver<R, F>) -> Self {
        Self {
            receiver,
            buffers: [[0; SIZE]; BURST],
            frames: [None; BURST],
            next: BURST,
            counters: counters::Received::default(),
        }
    }

    /// Comes up: frames from before are passed over, those of the last burst, too.
    pub(crate) fn open(&mut self) {
        self.receiver.open();
        self.next = BURST;
    }

    /// True when a frame waits, or the peer has changed.
    pub(crate) fn has_pending(&self) -> bool {
        self.holds_frames() || self.receiver.has_pending()
    }

    /// True when a frame of the last burst waits.
    #[inline]
    pub(crate) fn holds_frames(&self) -> bool {
        self.frames.iter().skip(self.next).any(Option::is_some)
    }

    /// Takes a burst, unless a frame of the last one waits.
    #[inline]
    pub(crate) fn fill(&mut self) {
        for _ in 0..PATIENCE {
            while let Some(None) = self.frames.get(self.next) {
                self.next += 1;
            }
            if self.next < BURST || !self.take() {
                break;
            }
        }
    }

    /// The next frame of the last burst, copied out of shared memory once; the same
    /// again until its token is consumed.
    #[inline]
    pub(crate) fn token(&mut self) -> Option<RxToken<'_>> {
        let frame = (*self.frames.get(self.next)?)?;
        Some(RxToken {
            bytes: self.buffers.get_mut(self.next)?.get_mut(..frame.len)?,
            mark: frame.meta.mark,
            next: &mut self.next,
        })
    }

    /// Takes the next burst; false if there is nothing.
    fn take(&mut self) -> bool {
        let mut arrivals = self
            .buffers
            .each_mut()
            .map(|buffer| Arrival::new(&mut buffer[..]));
        match self.receiver.receive_burst(&mut arrivals) {
            Read::Taken(burst) => {
                for (frame, arrival) in self.frames.iter_mut().zip(&arrivals) {
                    *frame = match arrival.result {
                        Some(Ok(frame)) => {
                            self.counters.frames += 1;
                            self.counters.bytes += frame.len as u64;
                            Some(frame)
                        }
                        Some(Err(_)) => {
                            self.counters.rejected += 1;
                            None
                        }
                        None => None,
                    };
                }
                self.counters.lost = self.counters.lost.saturating_add(burst.lost as u64);
                self.next = 0;
            }
            Read::NewEpoch { .. } => self.counters.epochs += 1,
            Read::Overrun { lost } => {
                // The number is the peer's word.
                self.counters.lost = self.counters.lost.saturating_add(lost);
            }
            Read::Empty | Read::Inactive | Read::Faulty(_) => return false,
        }
        true
    }
}

/// A received frame, in private memory.
///
/// Dropped unused it takes nothing away: the next token is for the same frame.
///
/// ```
/// use core::num::NonZeroU64;
/// use muennet_core::framing::Ethernet;
/// use muennet_host::in_process;
/// use smoltcp::{phy::{Device as _, RxToken as _, TxToken as _}, time::Instant};
/// use smoltcp_device::Device;
///
/// let framing = Ethernet::new(1500)?;
/// let (a, b) = in_process::links(1 << 16, NonZeroU64::MIN, framing, ((), ()))?;
/// let (mut a, mut b): (Device<_, _, _, _>, Device<_, _, _, _>) = (Device::new(a), Device::new(b));
/// a.activate(NonZeroU64::MIN);
/// b.activate(NonZeroU64::MIN);
/// a.transmit(Instant::ZERO).unwrap().consume(60, |frame| frame.fill(7));
/// a.flush();
/// // Dropped unused, and asked for again.
/// assert!(b.receive(Instant::ZERO).is_some());
/// let (token, _answer) = b.receive(Instant::ZERO).unwrap();
/// assert_eq!(token.mark(), 0);
/// assert_eq!(token.consume(|frame| (frame.len(), frame[0])), (60, 7));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RxToken<'a> {
    bytes: &'a mut [u8],
    mark: u32,
    /// The device's place in the burst, moved on when the frame is consumed.
    next: &'a mut usize,
}

impl RxToken<'_> {
    /// The mark that came with the frame; 0 where the framing carries none.
    pub fn mark(&self) -> u32 {
        self.mark
    }

    /// Gives the frame, which its user may change.
    pub(crate) fn consume_mut<T>(self, take: impl FnOnce(&mut [u8]) -> T) -> T {
        *self.next += 1;
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
