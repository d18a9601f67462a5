// SPDX-License-Identifier: MIT OR Apache-2.0
//! Raw mode: messages without a network stack.

use crate::{counters, rx::Rx, Counters};
use core::num::NonZeroU64;
use muennet_core::{
    channel::Peer,
    framing::{Meta, Raw},
    link::{Link, SendError, Sender},
    notify::Notifier,
    shm::{Memory, MemoryMut},
};

/// Sends and receives messages of up to an element's `SIZE` bytes.
///
/// A message comes out as long as the sender's element, with zeros behind what
/// was sent; it may get lost, as on any network.
///
/// ```
/// use core::num::NonZeroU64;
/// use muennet_core::framing::Raw;
/// use muennet_host::in_process;
/// use smoltcp_device::raw::Port;
///
/// let protocol = NonZeroU64::MIN;
/// let (a, b) = in_process::links(1 << 16, protocol, Raw::new(100)?, ((), ()))?;
/// let (mut a, mut b) = (Port::<_, _, _, 100>::new(a), Port::<_, _, _, 100>::new(b));
/// a.activate(NonZeroU64::MIN);
/// b.activate(NonZeroU64::MIN);
/// a.send(b"hello")?;
/// assert_eq!(b.receive(|message| message[..5].to_vec()), Some(b"hello".to_vec()));
/// assert_eq!(b.counters().received, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Port<R: Memory, W: MemoryMut, N, const SIZE: usize> {
    rx: Rx<R, Raw, SIZE>,
    sender: Sender<W, Raw, N>,
    sent: counters::Sent,
}

impl<R: Memory, W: MemoryMut, N: Notifier, const SIZE: usize> Port<R, W, N, SIZE> {
    /// Makes a port of a link; it is inactive until [`activate`](Self::activate).
    pub fn new(link: Link<R, W, Raw, N>) -> Self {
        Self {
            rx: Rx::new(link.rx),
            sender: link.tx,
            sent: counters::Sent::default(),
        }
    }

    /// Comes up: starts sending with a new epoch, a random number, and receiving with
    /// what the peer sends from now on.
    pub fn activate(&mut self, epoch: NonZeroU64) {
        self.rx.open();
        self.sender.activate(epoch);
    }

    /// Stops sending.
    pub fn deactivate(&mut self) {
        self.sender.deactivate();
    }

    /// Stops sending, but leaves the epoch in the channel, so that the peer can still
    /// receive the last messages.
    pub fn detach(&mut self) {
        self.sender.detach();
    }

    /// Sends a message and rings the peer's event. Never waits.
    ///
    /// # Errors
    ///
    /// [`SendError`]; nothing was sent then.
    pub fn send(&mut self, message: &[u8]) -> Result<(), SendError> {
        match self.sender.send(&[message], Meta::default()) {
            Ok(()) => {
                self.sent.frames += 1;
                self.sent.bytes += message.len() as u64;
                Ok(())
            }
            Err(error) => {
                self.sent.failed += 1;
                Err(error)
            }
        }
    }

    /// Gives the next message to `take`, if there is one.
    pub fn receive<T>(&mut self, take: impl FnOnce(&[u8]) -> T) -> Option<T> {
        self.rx.fill();
        self.greet();
        let token = self.rx.token()?;
        Some(token.consume_mut(|message| take(message)))
    }

    /// True when [`receive`](Self::receive) would find something.
    pub fn has_pending(&self) -> bool {
        self.rx.has_pending()
    }

    /// The state of the link.
    pub fn peer(&mut self) -> Peer {
        let peer = self.rx.receiver.peer();
        self.greet();
        peer
    }

    /// Rings the peer once when it has come up.
    fn greet(&mut self) {
        if self.rx.receiver.came_up() {
            self.sender.greet();
        }
    }

    /// Counters since the device was made.
    pub fn counters(&self) -> Counters {
        Counters::of(&self.rx.counters, self.rx.receiver.skipped(), &self.sent)
    }
}
