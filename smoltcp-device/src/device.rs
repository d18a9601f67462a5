// SPDX-License-Identifier: MIT OR Apache-2.0
//! The device.

use crate::{
    rx::{Rx, RxToken},
    tx::{Tx, TxToken},
    Counters, Next, Options, StackFraming,
};
use core::num::NonZeroU64;
use muennet_core::{
    channel::Peer,
    link::Link,
    notify::Notifier,
    shm::{Memory, MemoryMut},
};
use smoltcp::{
    phy,
    phy::DeviceCapabilities,
    time::{Duration, Instant},
};

/// Bytes of the longest frame of an MTU of 1500: with an Ethernet header.
pub const MAX_FRAME: usize = 1514;

/// A smoltcp device over a link in Ethernet or IP mode: `F` is one of the core's
/// framings `Ethernet` and `NetHdr`, or [`Selected`](crate::Selected).
///
/// `SIZE` is the length of its buffers in bytes; frames longer than that are neither
/// received nor sent. Frames longer than the framing's MTU are received if the peer
/// sends such.
///
/// ```
/// use core::num::NonZeroU64;
/// use muennet_core::{channel::Peer, framing::Ethernet};
/// use muennet_host::in_process;
/// use smoltcp_device::Device;
///
/// let framing = Ethernet::new(1500)?;
/// let (link, mut peer) = in_process::links(1 << 16, NonZeroU64::MIN, framing, ((), ()))?;
/// let mut device: Device<_, _, _, _> = Device::new(link);
/// device.activate(NonZeroU64::MIN);
/// assert_eq!(device.peer(), Peer::Down);
/// peer.activate(NonZeroU64::MIN);
/// assert_eq!(device.link_change(), Some(Peer::Up { epoch: 1 }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Device<R: Memory, W: MemoryMut, F, N, const SIZE: usize = MAX_FRAME> {
    rx: Rx<R, F, SIZE>,
    tx: Tx<W, F, N, SIZE>,
    options: Options,
    /// Frames that the input channel has room for. smoltcp asks for each frame.
    capacity: u64,
    /// The state of the link that was told last.
    told: Peer,
}

impl<R: Memory, W: MemoryMut, F: StackFraming, N: Notifier, const SIZE: usize>
    Device<R, W, F, N, SIZE>
{
    /// Makes a device of a link; it is inactive until [`activate`](Self::activate).
    pub fn new(link: Link<R, W, F, N>) -> Self {
        Self::with_options(link, Options::default())
    }

    /// As [`new`](Self::new), with other than the default options.
    pub fn with_options(link: Link<R, W, F, N>, options: Options) -> Self {
        Self {
            capacity: link.rx.capacity(),
            rx: Rx::new(link.rx),
            tx: Tx::new(link.tx, options.ring),
            options,
            told: Peer::Down,
        }
    }

    /// Comes up: starts sending with a new epoch, a random number, and receiving with
    /// what the peer sends from now on. A peer that starts later loses nothing.
    pub fn activate(&mut self, epoch: NonZeroU64) {
        // Frames of the life before go with it.
        self.tx.publish();
        self.rx.open();
        self.tx.sender.activate(epoch);
    }

    /// Stops sending: the peer's carrier goes off.
    pub fn deactivate(&mut self) {
        self.tx.publish();
        self.tx.sender.deactivate();
    }

    /// Publishes the frames that are held and stops sending, but leaves the epoch in the
    /// channel: a slow peer can still receive the last frames, which
    /// [`deactivate`](Self::deactivate) takes away. Its carrier stays on.
    pub fn detach(&mut self) {
        self.tx.publish();
        self.tx.sender.detach();
    }

    /// Publishes the frames that are held, and rings the peer's event if anything
    /// was published since the last call. Call it after each poll of the interface:
    /// frames are published some at a time, and rung for once for all of the poll.
    ///
    /// Without it, the next poll publishes them.
    pub fn flush(&mut self) {
        self.tx.flush();
    }

    /// Publishes the frames that are held, and leaves the ringing to
    /// [`flush`](Self::flush).
    pub fn publish(&mut self) {
        self.tx.publish();
    }

    /// The state of the link: the peer is there while it is [`Peer::Up`].
    pub fn peer(&mut self) -> Peer {
        let peer = self.rx.receiver.peer();
        self.greet();
        peer
    }

    /// Rings the peer once when it has come up.
    #[inline]
    fn greet(&mut self) {
        if self.rx.receiver.came_up() {
            self.tx.sender.greet();
        }
    }

    /// The state of the link, if it is another than at the last call. A peer that
    /// started anew is up with another epoch.
    pub fn link_change(&mut self) -> Option<Peer> {
        let now = self.peer();
        (core::mem::replace(&mut self.told, now) != now).then_some(now)
    }

    /// True when polling the interface would find a frame or a change of the
    /// link. Ask once more before going to sleep until the next event.
    pub fn has_pending(&self) -> bool {
        self.rx.has_pending()
    }

    /// When to poll next; `delay` is what the interface's `poll_delay` says.
    pub fn next_poll(&self, delay: Option<Duration>) -> Next {
        if self.has_pending() {
            return Next::Now;
        }
        match delay {
            Some(Duration::ZERO) => Next::Now,
            Some(delay) => Next::Within(delay.into()),
            None => Next::OnEvent,
        }
    }

    /// Counters since the device was made.
    pub fn counters(&self) -> Counters {
        Counters::of(
            &self.rx.counters,
            self.rx.receiver.skipped(),
            &self.tx.counters,
        )
    }

    /// Sets the mark of frames whose packet metadata says none.
    pub fn set_mark(&mut self, mark: u32) {
        self.options.mark = mark;
    }

    #[cfg(feature = "embassy")]
    pub(crate) fn framing(&self) -> &F {
        self.tx.sender.framing()
    }

    /// The tokens to take the next frame and to answer it, if there is a frame.
    pub(crate) fn take(&mut self) -> Option<(RxToken<'_>, TxToken<'_, W, F, N, SIZE>)> {
        if !self.rx.holds_frames() {
            // Between bursts, as the answers to one are complete.
            self.tx.publish();
        }
        self.rx.fill();
        self.greet();
        let token = self.rx.token()?;
        // An answer on the spot, as to a ping, belongs to where the question came from.
        let mark = match token.mark() {
            0 => self.options.mark,
            mark => mark,
        };
        Some((token, self.tx.token(mark)))
    }

    /// The token to send a frame: always ready, since a writer never waits.
    pub(crate) fn send(&mut self) -> TxToken<'_, W, F, N, SIZE> {
        self.tx.token(self.options.mark)
    }
}

impl<R: Memory, W: MemoryMut, F: StackFraming, N: Notifier, const SIZE: usize> phy::Device
    for Device<R, W, F, N, SIZE>
{
    type RxToken<'a>
        = RxToken<'a>
    where
        Self: 'a;
    type TxToken<'a>
        = TxToken<'a, W, F, N, SIZE>
    where
        Self: 'a;

    fn receive(&mut self, _: Instant) -> Option<(Self::RxToken<'_>, Self::TxToken<'_>)> {
        self.take()
    }

    fn transmit(&mut self, _: Instant) -> Option<Self::TxToken<'_>> {
        Some(self.send())
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let framing = self.tx.sender.framing();
        let longest = self.tx.max_frame().min(framing.max_untagged());
        self.options
            .capabilities(framing.medium(), longest, self.capacity)
    }
}
