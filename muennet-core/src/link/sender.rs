// SPDX-License-Identifier: MIT OR Apache-2.0
//! Frames to the peer.

use crate::channel::{Geometry, GeometryError, Writer};
use crate::framing::{FrameError, Framing, Meta, Packet};
use crate::notify::Notifier;
use crate::segment::CutError;
use crate::shm::MemoryMut;
use core::{fmt, num::NonZeroU64};

/// The half that sends.
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
///     framing::{Ethernet, FrameError, Meta, Packet},
///     link::{SendError, Sender},
/// };
///
/// let mut sender = Sender::new(Words::new(4096), NonZeroU64::MIN, Ethernet::new(100)?, ())?;
/// let frame = [0xff; 60];
/// assert_eq!(sender.send(&[&frame], Meta::default()), Err(SendError::Inactive));
/// sender.activate(NonZeroU64::MIN);
/// assert_eq!(sender.send(&[&frame], Meta::default()), Ok(()));
/// // A batch is written whole or not at all.
/// let parts = [&[0xff; 200][..]];
/// let error = sender.write_batch(&[Packet::new(&parts)]).unwrap_err();
/// assert_eq!(error.index, 0);
/// assert_eq!(error.error, SendError::Frame(FrameError::TooLong { len: 200, max: 114 }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Sender<W: MemoryMut, F, N> {
    pub(super) writer: Writer<W>,
    pub(super) framing: F,
    notifier: N,
}

/// Why a frame was not sent.
///
/// ```
/// use muennet_core::{framing::FrameError, link::SendError};
///
/// let error = SendError::Frame(FrameError::NotIp { version: 5 });
/// assert!(error.to_string().contains('5'));
/// assert_eq!(SendError::Inactive.to_string(), "the sender is inactive; activate it first");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SendError {
    /// No epoch was started: call [`Sender::activate`] first.
    Inactive,
    /// The framing cannot carry it.
    Frame(FrameError),
    /// The packet cannot be cut into segments.
    Cut(CutError),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inactive => f.write_str("the sender is inactive; activate it first"),
            Self::Frame(error) => error.fmt(f),
            Self::Cut(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SendError {}

/// The first frame of a batch that cannot be sent, and why.
///
/// ```
/// use muennet_core::link::{BatchError, SendError};
///
/// // Nothing of the batch was sent; the frames before the third could be.
/// let error = BatchError { index: 2, error: SendError::Inactive };
/// assert!(error.to_string().contains('2'));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BatchError {
    /// Its place in the batch, counted from 0.
    pub index: usize,
    /// The reason for the refusal.
    pub error: SendError,
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, error } = self;
        write!(f, "frame {index} of the batch: {error}")
    }
}

impl core::error::Error for BatchError {}

impl<W: MemoryMut, F: Framing, N: Notifier> Sender<W, F, N> {
    /// Takes over the memory of a channel that this end writes; stays inactive.
    ///
    /// # Errors
    ///
    /// [`GeometryError`] when no element of the framing fits.
    pub fn new(
        memory: W,
        protocol: NonZeroU64,
        framing: F,
        notifier: N,
    ) -> Result<Self, GeometryError> {
        let writer = Writer::new(memory, protocol, framing.element_size())?;
        Ok(Self {
            writer,
            framing,
            notifier,
        })
    }

    /// Starts a new epoch and rings. `epoch` should be random.
    pub fn activate(&mut self, epoch: NonZeroU64) {
        self.writer.activate(epoch);
        self.notifier.notify();
    }

    /// Ends the epoch, if one runs, and rings.
    pub fn deactivate(&mut self) {
        if self.is_active() {
            self.writer.deactivate();
            self.notifier.notify();
        }
    }

    /// Stops sending, if an epoch runs, and rings; the epoch stays in the channel, so that
    /// the peer can still receive all that was sent. It does not notice the end.
    pub fn detach(&mut self) {
        if self.is_active() {
            self.writer.detach();
            self.notifier.notify();
        }
    }

    /// True from [`activate`](Self::activate) to [`deactivate`](Self::deactivate).
    #[inline]
    pub fn is_active(&self) -> bool {
        self.writer.epoch().is_some()
    }

    /// Writes the frame that `parts` make up, with its `meta`, without ringing.
    ///
    /// It always fits: a reader that is too slow loses the oldest.
    ///
    /// # Errors
    ///
    /// [`SendError`]; nothing was written then.
    #[inline]
    pub fn write(&mut self, parts: &[&[u8]], meta: Meta) -> Result<(), SendError> {
        self.write_packet(&Packet::new(parts).with_meta(meta))
    }

    /// Writes one frame, without ringing.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    #[inline]
    pub fn write_packet(&mut self, packet: &Packet<'_>) -> Result<(), SendError> {
        let head = self.admit(packet)?;
        let framing = &self.framing;
        self.writer.write(|slot| framing.encode(slot, head, packet));
        Ok(())
    }

    /// Writes frames together, without ringing: the peer sees all of them or none
    /// yet, and both ends touch the header once for all.
    ///
    /// More than a few dozen gain nothing: the batch takes as many elements
    /// away from a slow reader when it begins.
    ///
    /// # Errors
    ///
    /// [`BatchError`] names the first that cannot be sent; nothing was written then.
    #[inline]
    pub fn write_batch(&mut self, packets: &[Packet<'_>]) -> Result<(), BatchError> {
        for (index, packet) in packets.iter().enumerate() {
            self.admit(packet)
                .map_err(|error| BatchError { index, error })?;
        }
        let framing = &self.framing;
        let mut rest = packets.iter();
        // CAST: usize is at most 64 bits on every target.
        self.writer.write_batch(packets.len() as u64, |slot| {
            let Some(packet) = rest.next() else { return };
            // As above, where all of them were admitted.
            if let Ok(head) = framing.admit(packet) {
                framing.encode(slot, head, packet);
            }
        });
        Ok(())
    }

    #[inline]
    pub(super) fn admit(&self, packet: &Packet<'_>) -> Result<F::Head, SendError> {
        if !self.is_active() {
            return Err(SendError::Inactive);
        }
        packet
            .check()
            .and_then(|()| self.framing.admit(packet))
            .map_err(SendError::Frame)
    }

    /// Rings the peer's event.
    #[inline]
    pub fn notify(&self) {
        self.notifier.notify();
    }

    /// Rings once more for a peer that [came up](super::Receiver::came_up): a
    /// reader of the original spends the event of our start, and of any frame
    /// before, on noticing the epoch, and leaves the frame until the next event.
    pub fn greet(&self) {
        if self.is_active() {
            self.notifier.notify();
        }
    }

    /// Writes a frame and rings.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    #[inline]
    pub fn send(&mut self, parts: &[&[u8]], meta: Meta) -> Result<(), SendError> {
        self.write(parts, meta)?;
        self.notify();
        Ok(())
    }

    /// Elements that the channel holds before the oldest is overwritten.
    pub fn elements(&self) -> u64 {
        self.writer.geometry().elements()
    }

    /// Element size and count.
    pub fn geometry(&self) -> Geometry {
        self.writer.geometry()
    }

    /// The running epoch, if any.
    pub fn epoch(&self) -> Option<NonZeroU64> {
        self.writer.epoch()
    }

    /// The framing in use.
    pub fn framing(&self) -> &F {
        &self.framing
    }
}
