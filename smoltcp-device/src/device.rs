// SPDX-License-Identifier: MIT OR Apache-2.0
//! The device.

use crate::{
    capabilities,
    tokens::{RxToken, TxToken},
};
use core::num::NonZeroU64;
use muennet_core::{
    channel::Peer,
    framing::Ethernet,
    link::{Link, Received},
    notify::Notifier,
    shm::{Memory, MemoryMut},
};
use smoltcp::{phy, phy::DeviceCapabilities, time::Instant};

/// Bytes of the longest frame a [`Device`] handles: an MTU of 1500 and the header.
pub const MAX_FRAME: usize = 1514;

/// Elements without a frame that one `receive` passes over at most.
const PATIENCE: usize = 32;

/// A smoltcp device over a link in Ethernet mode.
///
/// `SIZE` is the length of its two buffers in bytes; frames longer than that are
/// neither received nor sent.
#[derive(Debug)]
pub struct Device<R: Memory, W: MemoryMut, N, const SIZE: usize = MAX_FRAME> {
    link: Link<R, W, Ethernet, N>,
    received: [u8; SIZE],
    to_send: [u8; SIZE],
    /// Length of the frame in `received` that nobody consumed yet.
    pending: Option<usize>,
    unannounced: bool,
    counters: Counters,
}

/// What happened so far.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// Frames received.
    pub received: u64,
    /// Frames sent.
    pub sent: u64,
    /// Frames that the peer overwrote before they were read.
    pub lost: u64,
    /// Elements that held no acceptable frame.
    pub rejected: u64,
    /// Starts of the peer.
    pub epochs: u64,
    /// Frames that could not be sent: the device is inactive, or they do not fit.
    pub not_sent: u64,
}

impl<R: Memory, W: MemoryMut, N: Notifier, const SIZE: usize> Device<R, W, N, SIZE> {
    /// Makes a device of a link; it is inactive until [`activate`](Self::activate).
    pub fn new(link: Link<R, W, Ethernet, N>) -> Self {
        Self {
            link,
            received: [0; SIZE],
            to_send: [0; SIZE],
            pending: None,
            unannounced: false,
            counters: Counters::default(),
        }
    }

    /// Starts sending with a new epoch, a random number.
    pub fn activate(&mut self, epoch: NonZeroU64) {
        self.link.tx.activate(epoch);
    }

    /// Stops sending: the peer's carrier goes off.
    pub fn deactivate(&mut self) {
        self.link.tx.deactivate();
    }

    /// Rings the peer's event if anything was sent since the last call. Call it
    /// after each poll of the interface.
    pub fn flush(&mut self) {
        if core::mem::take(&mut self.unannounced) {
            self.link.tx.notify();
        }
    }

    /// The state of the link: the peer is there while it is [`Peer::Up`].
    pub fn peer(&mut self) -> Peer {
        self.link.rx.peer()
    }

    /// True when polling the interface would find a frame or a change of the
    /// link. Ask once more before going to sleep until the next event.
    pub fn has_pending(&self) -> bool {
        self.pending.is_some() || self.link.rx.has_pending()
    }

    /// What happened so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Sees to it that a frame is in `received`, if there is one.
    fn fill(&mut self) -> Option<usize> {
        for _ in 0..PATIENCE {
            if self.pending.is_some() {
                break;
            }
            match self.link.rx.receive(&mut &mut self.received[..]) {
                Received::Frame(frame) => {
                    self.counters.received += 1;
                    self.pending = Some(frame.len);
                }
                Received::NewEpoch { .. } => self.counters.epochs += 1,
                Received::Overrun { lost } => {
                    self.counters.lost = self.counters.lost.saturating_add(lost);
                }
                Received::Rejected(_) => self.counters.rejected += 1,
                Received::Empty | Received::Inactive | Received::Faulty(_) => break,
            }
        }
        self.pending
    }

    fn max_frame(&self) -> usize {
        let framing = muennet_core::framing::Framing::max_frame(self.link.tx.framing());
        framing.min(SIZE)
    }
}

impl<R: Memory, W: MemoryMut, N: Notifier, const SIZE: usize> phy::Device
    for Device<R, W, N, SIZE>
{
    type RxToken<'a>
        = RxToken<'a>
    where
        Self: 'a;
    type TxToken<'a>
        = TxToken<'a, W, Ethernet, N>
    where
        Self: 'a;

    fn receive(&mut self, now: Instant) -> Option<(Self::RxToken<'_>, Self::TxToken<'_>)> {
        let _ = now;
        let len = self.fill()?;
        Some((
            RxToken {
                frame: &self.received[..len],
                pending: &mut self.pending,
            },
            TxToken {
                sender: &mut self.link.tx,
                buffer: &mut self.to_send,
                counters: &mut self.counters,
                unannounced: &mut self.unannounced,
            },
        ))
    }

    /// Always ready: a writer never waits.
    fn transmit(&mut self, now: Instant) -> Option<Self::TxToken<'_>> {
        let _ = now;
        Some(TxToken {
            sender: &mut self.link.tx,
            buffer: &mut self.to_send,
            counters: &mut self.counters,
            unannounced: &mut self.unannounced,
        })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        capabilities::ethernet(self.max_frame(), self.link.rx.capacity())
    }
}
