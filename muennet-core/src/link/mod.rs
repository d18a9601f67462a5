// SPDX-License-Identifier: MIT OR Apache-2.0
//! A network link: channel, framing and event put together.
//!
//! [`Sender`] and [`Receiver`] are independent halves; an interface that works
//! one way has one of them, a [`Link`] has both.

use crate::shm::{Memory, MemoryMut};

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
