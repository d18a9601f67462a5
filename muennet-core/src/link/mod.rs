// SPDX-License-Identifier: MIT OR Apache-2.0
//! A network link: channel, framing and event put together.
//!
//! [`Sender`] and [`Receiver`] are independent halves; an interface that works
//! one way has one of them, a [`Link`] has both.

use crate::channel::Peer;
use crate::framing::{Framing, Sink};
use crate::notify::Notifier;
use crate::shm::{Memory, MemoryMut};
use core::num::NonZeroU64;

mod receiver;
mod sender;

pub use receiver::{Arrival, Received, Receiver};
pub use sender::{BatchError, SendError, Sender};

#[cfg(all(test, not(loom)))]
mod tests;

/// Both directions of a link.
#[derive(Debug)]
pub struct Link<R: Memory, W: MemoryMut, F, N> {
    /// Frames from the peer.
    pub rx: Receiver<R, F>,
    /// Frames to the peer.
    pub tx: Sender<W, F, N>,
}

/// Both halves at once. What looks at the peer here also rings it once when it has
/// come up; a user of the halves alone asks [`Receiver::came_up`] and calls
/// [`Sender::greet`].
impl<R: Memory, W: MemoryMut, F: Framing, N: Notifier> Link<R, W, F, N> {
    /// Comes up: passes over what the peer sent before ([`Receiver::open`]), then
    /// starts a new epoch ([`Sender::activate`]).
    pub fn activate(&mut self, epoch: NonZeroU64) {
        self.rx.open();
        self.tx.activate(epoch);
    }

    /// As [`Sender::deactivate`].
    pub fn deactivate(&mut self) {
        self.tx.deactivate();
    }

    /// As [`Receiver::receive`].
    #[inline]
    pub fn receive(&mut self, sink: &mut impl Sink) -> Received {
        let received = self.rx.receive(sink);
        self.greet();
        received
    }

    /// As [`Receiver::peer`].
    pub fn peer(&mut self) -> Peer {
        let peer = self.rx.peer();
        self.greet();
        peer
    }

    #[inline]
    fn greet(&mut self) {
        if self.rx.came_up() {
            self.tx.greet();
        }
    }
}
