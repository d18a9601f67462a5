// SPDX-License-Identifier: MIT OR Apache-2.0
//! The sending half of a device, and the right to send a frame by it.

use crate::{counters, Ring};
use muennet_core::{
    framing::{Framing, Meta},
    link::Sender,
    notify::Notifier,
    shm::MemoryMut,
};
use smoltcp::phy;

/// The sending half.
#[derive(Debug)]
pub(crate) struct Tx<W: MemoryMut, F, N, const SIZE: usize> {
    pub(crate) sender: Sender<W, F, N>,
    buffer: [u8; SIZE],
    ring: Ring,
    /// Frames were sent since the peer's event was rung.
    unannounced: bool,
    pub(crate) counters: counters::Sent,
}

impl<W: MemoryMut, F: Framing, N: Notifier, const SIZE: usize> Tx<W, F, N, SIZE> {
    pub(crate) fn new(sender: Sender<W, F, N>, ring: Ring) -> Self {
        Self {
            sender,
            buffer: [0; SIZE],
            ring,
            unannounced: false,
            counters: counters::Sent::default(),
        }
    }

    /// Bytes of the longest frame.
    pub(crate) fn max_frame(&self) -> usize {
        self.sender.framing().max_frame().min(SIZE)
    }

    /// Rings the peer's event if anything was sent since the last time.
    pub(crate) fn flush(&mut self) {
        if core::mem::take(&mut self.unannounced) {
            self.sender.notify();
        }
    }

    pub(crate) fn token(&mut self, mark: u32) -> TxToken<'_, W, F, N, SIZE> {
        TxToken { tx: self, mark }
    }
}

/// Room for a frame to be sent. Dropped unused it sends and reserves nothing.
#[derive(Debug)]
pub struct TxToken<'a, W: MemoryMut, F, N, const SIZE: usize> {
    tx: &'a mut Tx<W, F, N, SIZE>,
    mark: u32,
}

impl<W: MemoryMut, F: Framing, N: Notifier, const SIZE: usize> TxToken<'_, W, F, N, SIZE> {
    /// Marks the frame, where the framing carries marks.
    pub fn set_mark(&mut self, mark: u32) {
        self.mark = mark;
    }
}

impl<W: MemoryMut, F: Framing, N: Notifier, const SIZE: usize> phy::TxToken
    for TxToken<'_, W, F, N, SIZE>
{
    /// Builds the frame in private memory and then publishes it whole, so that a
    /// `build` that panics leaves nothing in the channel.
    ///
    /// # Panics
    ///
    /// When `len` is more than the capabilities say.
    fn consume<T, B>(self, len: usize, build: B) -> T
    where
        B: FnOnce(&mut [u8]) -> T,
    {
        let tx = self.tx;
        let frame = &mut tx.buffer[..len];
        let result = build(frame);
        match tx.sender.write(&[frame], Meta { mark: self.mark }) {
            Ok(()) => {
                tx.counters.frames += 1;
                tx.counters.bytes += len as u64;
                tx.unannounced = true;
                if tx.ring == Ring::EachFrame {
                    tx.flush();
                }
            }
            Err(_) => tx.counters.failed += 1,
        }
        result
    }

    #[cfg(feature = "packetmeta-id")]
    fn set_meta(&mut self, meta: phy::PacketMeta) {
        if meta.id != 0 {
            self.mark = meta.id;
        }
    }
}
