// SPDX-License-Identifier: MIT OR Apache-2.0
//! smoltcp's tokens: the right to take one frame, or to send one.
//!
//! They borrow disjoint halves of the device, since smoltcp sends its answer
//! while it still holds the frame it answers.

use crate::device::Counters;
use muennet_core::{
    framing::{Framing, Meta},
    link::Sender,
    notify::Notifier,
    shm::MemoryMut,
};
use smoltcp::phy;

/// A received frame.
#[derive(Debug)]
pub struct RxToken<'a> {
    pub(crate) frame: &'a [u8],
    /// Length of the frame in the device; taken away when it is consumed.
    pub(crate) pending: &'a mut Option<usize>,
}

impl phy::RxToken for RxToken<'_> {
    fn consume<R, F>(self, take: F) -> R
    where
        F: FnOnce(&[u8]) -> R,
    {
        *self.pending = None;
        take(self.frame)
    }
}

/// Room for a frame to be sent.
#[derive(Debug)]
pub struct TxToken<'a, W: MemoryMut, F, N> {
    pub(crate) sender: &'a mut Sender<W, F, N>,
    pub(crate) buffer: &'a mut [u8],
    pub(crate) counters: &'a mut Counters,
    pub(crate) unannounced: &'a mut bool,
}

impl<W: MemoryMut, F: Framing, N: Notifier> phy::TxToken for TxToken<'_, W, F, N> {
    fn consume<R, B>(self, len: usize, build: B) -> R
    where
        B: FnOnce(&mut [u8]) -> R,
    {
        // smoltcp keeps to the capabilities, so the frame fits.
        let frame = &mut self.buffer[..len];
        let result = build(frame);
        match self.sender.write(&[frame], Meta::default()) {
            Ok(()) => {
                self.counters.sent += 1;
                *self.unannounced = true;
            }
            Err(_) => self.counters.not_sent += 1,
        }
        result
    }
}
