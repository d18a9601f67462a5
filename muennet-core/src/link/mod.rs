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

mod large;
mod receiver;
mod sender;

pub use large::Sent;
pub use receiver::{Arrival, Received, Receiver};
pub use sender::{BatchError, SendError, Sender};

#[cfg(all(test, not(loom)))]
mod tests;

/// Both directions of a link.
///
/// ```
/// # use core::{cell::UnsafeCell, ptr::NonNull};
/// # use muennet_core::shm::{Memory, MemoryMut};
/// # #[derive(Clone, Copy)]
/// # struct Words(&'static [UnsafeCell<u64>]);
/// # impl Words {
/// #     fn new(count: usize) -> Self {
/// #         let words: Box<[_]> = (0..count).map(|_| UnsafeCell::new(0)).collect();
/// #         Self(Box::leak(words))
/// #     }
/// # }
/// # // SAFETY: the words are there for ever, and nothing but the channel touches them.
/// # unsafe impl Memory for Words {
/// #     fn base(&self) -> NonNull<u8> { NonNull::from(self.0).cast() }
/// #     fn len(&self) -> usize { size_of_val(self.0) }
/// # }
/// # // SAFETY: cells may be written, and there is one writer.
/// # unsafe impl MemoryMut for Words {}
/// use core::num::NonZeroU64;
/// use muennet_core::{
///     framing::{Ethernet, Meta},
///     link::{Link, Received, Receiver, Sender},
/// };
///
/// let (one, other) = (Words::new(4096), Words::new(4096));
/// let (protocol, framing) = (NonZeroU64::MIN, Ethernet::new(1500)?);
/// let end = |input, output| -> Result<_, muennet_core::channel::GeometryError> {
///     let rx = Receiver::new(input, protocol, framing)?;
///     Ok(Link { rx, tx: Sender::new(output, protocol, framing, ())? })
/// };
/// let (mut a, mut b) = (end(one, other)?, end(other, one)?);
/// a.activate(NonZeroU64::MIN);
/// b.activate(NonZeroU64::MIN);
/// a.tx.send(&[&[0xff; 60]], Meta::default())?;
/// let mut buffer = [0; 1514];
/// assert_eq!(b.receive(&mut &mut buffer[..]), Received::NewEpoch { epoch: 1 });
/// assert!(matches!(b.receive(&mut &mut buffer[..]), Received::Frame(frame) if frame.len == 60));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
