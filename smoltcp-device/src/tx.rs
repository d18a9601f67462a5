// SPDX-License-Identifier: MIT OR Apache-2.0
//! The sending half of a device, and the right to send a frame by it.

use crate::{counters, Ring};
use muennet_core::{
    framing::{Framing, Meta, Packet},
    link::Sender,
    notify::Notifier,
    shm::MemoryMut,
};
use smoltcp::phy;

/// Frames that are published together: each time, the header is fetched from the
/// peer's cache.
const BURST: usize = 8;

/// The sending half.
#[derive(Debug)]
pub(crate) struct Tx<W: MemoryMut, F, N, const SIZE: usize> {
    pub(crate) sender: Sender<W, F, N>,
    buffers: [[u8; SIZE]; BURST],
    /// Lengths and marks of the frames in `buffers` that were not published yet.
    held: [(usize, u32); BURST],
    count: usize,
    ring: Ring,
    /// Frames were published since the peer's event was rung.
    unannounced: bool,
    pub(crate) counters: counters::Sent,
}

impl<W: MemoryMut, F: Framing, N: Notifier, const SIZE: usize> Tx<W, F, N, SIZE> {
    pub(crate) fn new(sender: Sender<W, F, N>, ring: Ring) -> Self {
        Self {
            sender,
            buffers: [[0; SIZE]; BURST],
            held: [(0, 0); BURST],
            count: 0,
            ring,
            unannounced: false,
            counters: counters::Sent::default(),
        }
    }

    /// Bytes of the longest frame.
    pub(crate) fn max_frame(&self) -> usize {
        self.sender.framing().max_frame().min(SIZE)
    }

    /// Publishes the frames that are held, and rings the peer's event if anything
    /// was published since the last time.
    pub(crate) fn flush(&mut self) {
        self.publish();
        if core::mem::take(&mut self.unannounced) {
            self.sender.notify();
        }
    }

    /// Publishes the frames that are held.
    pub(crate) fn publish(&mut self) {
        let count = core::mem::take(&mut self.count).min(BURST);
        if count == 0 {
            return;
        }
        let mut parts: [[&[u8]; 1]; BURST] = [[&[]]; BURST];
        for ((part, buffer), (len, _)) in parts.iter_mut().zip(&self.buffers).zip(self.held) {
            *part = [buffer.get(..len).unwrap_or(&[])];
        }
        let mut packets = parts.each_ref().map(|part| Packet::new(part));
        for (packet, (_, mark)) in packets.iter_mut().zip(self.held) {
            *packet = packet.with_meta(Meta { mark });
        }
        let packets = &packets[..count];
        if self.sender.write_batch(packets).is_ok() {
            self.sent(
                packets.len(),
                self.held.iter().take(count).map(|(len, _)| len).sum(),
            );
            return;
        }
        // One of them cannot be sent; the others can.
        for (packet, (len, _)) in packets.iter().zip(self.held) {
            match self.sender.write_packet(packet) {
                Ok(()) => {
                    self.counters.frames += 1;
                    self.counters.bytes += len as u64;
                    self.unannounced = true;
                }
                Err(_) => self.counters.failed += 1,
            }
        }
    }

    fn sent(&mut self, frames: usize, bytes: usize) {
        self.counters.frames += frames as u64;
        self.counters.bytes += bytes as u64;
        self.unannounced = true;
    }

    pub(crate) fn token(&mut self, mark: u32) -> TxToken<'_, W, F, N, SIZE> {
        TxToken { tx: self, mark }
    }
}

/// Room for a frame to be sent. Dropped unused it sends and reserves nothing.
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
/// let token = a.transmit(Instant::ZERO).unwrap();
/// // The closure builds the frame; its result is that of `consume`.
/// let first = token.consume(60, |frame| {
///     frame.fill(0xff);
///     frame[0]
/// });
/// assert_eq!(first, 0xff);
/// a.flush();
/// assert!(b.has_pending());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
        let result = build(&mut tx.buffers[tx.count][..len]);
        tx.held[tx.count] = (len, self.mark);
        tx.count += 1;
        if tx.ring == Ring::EachFrame {
            tx.flush();
        } else if tx.count == BURST {
            tx.publish();
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
