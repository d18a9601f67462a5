// SPDX-License-Identifier: MIT OR Apache-2.0
//! A network link: channel, framing and event put together.
//!
//! [`Sender`] and [`Receiver`] are independent halves; an interface that works
//! one way has one of them, a [`Link`] has both.

use crate::channel::{Fault, GeometryError, Peer, Read, Reader, Writer};
use crate::framing::{Frame, FrameError, Framing, Meta, Reject, Sink};
use crate::notify::Notifier;
use crate::shm::{Memory, MemoryMut};
use core::{fmt, num::NonZeroU64};

/// Both directions of a link.
#[derive(Debug)]
pub struct Link<R: Memory, W: MemoryMut, F, N> {
    /// Frames from the peer.
    pub rx: Receiver<R, F>,
    /// Frames to the peer.
    pub tx: Sender<W, F, N>,
}

/// The half that sends.
#[derive(Debug)]
pub struct Sender<W: MemoryMut, F, N> {
    writer: Writer<W>,
    framing: F,
    notifier: N,
}

/// Why a frame was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// No epoch was started: call [`Sender::activate`] first.
    Inactive,
    /// The framing cannot carry it.
    Frame(FrameError),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inactive => f.write_str("the sender is inactive; activate it first"),
            Self::Frame(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SendError {}

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
        if !self.is_active() {
            return Err(SendError::Inactive);
        }
        let len = parts
            .iter()
            .fold(0usize, |sum, part| sum.saturating_add(part.len()));
        let framing = &self.framing;
        let head = framing.admit(parts, len, meta).map_err(SendError::Frame)?;
        self.writer
            .write(|slot| framing.encode(slot, head, parts, len));
        Ok(())
    }

    /// Rings the peer's event.
    #[inline]
    pub fn notify(&self) {
        self.notifier.notify();
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

    /// The framing in use.
    pub fn framing(&self) -> &F {
        &self.framing
    }
}

/// The half that receives.
#[derive(Debug)]
pub struct Receiver<R: Memory, F> {
    reader: Reader<R>,
    framing: F,
}

/// What one [`Receiver::receive`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// A whole frame lies where the sink placed it.
    Frame(Frame),
    /// Nothing new.
    Empty,
    /// The peer's writer is inactive.
    Inactive,
    /// The peer started a new epoch; its frames come next.
    NewEpoch,
    /// The peer was faster and overwrote frames.
    Overrun {
        /// Frames lost.
        lost: u64,
    },
    /// One element held no acceptable frame and was passed over.
    Rejected(Reject),
    /// The peer's header is impossible; nothing is read until its next epoch.
    Faulty(Fault),
}

impl<R: Memory, F: Framing> Receiver<R, F> {
    /// Takes over the memory of a channel that the peer writes.
    ///
    /// # Errors
    ///
    /// [`GeometryError`] when no element of the framing fits.
    pub fn new(memory: R, protocol: NonZeroU64, framing: F) -> Result<Self, GeometryError> {
        let reader = Reader::new(memory, protocol, framing.min_element())?;
        Ok(Self { reader, framing })
    }

    /// Takes at most one frame. The work is bounded whatever the peer does.
    ///
    /// Only after [`Received::Frame`] are the bytes in `sink` a frame.
    #[inline]
    pub fn receive(&mut self, sink: &mut impl Sink) -> Received {
        let framing = &self.framing;
        match self.reader.read(|element| framing.decode(element, sink)) {
            Read::Taken(Ok(frame)) => Received::Frame(frame),
            Read::Taken(Err(reject)) => Received::Rejected(reject),
            Read::Empty => Received::Empty,
            Read::Inactive => Received::Inactive,
            Read::NewEpoch => Received::NewEpoch,
            Read::Overrun { lost } => Received::Overrun { lost },
            Read::Faulty(fault) => Received::Faulty(fault),
        }
    }

    /// Looks at the peer's epoch now; the carrier is on while it is
    /// [`Peer::Up`]. A new epoch that this call adopts is still reported by
    /// [`receive`](Self::receive).
    pub fn peer(&mut self) -> Peer {
        self.reader.peer()
    }

    /// True when [`receive`](Self::receive) has something to say.
    #[inline]
    pub fn has_pending(&self) -> bool {
        self.reader.has_pending()
    }

    /// Passes over all frames sent so far.
    pub fn drain(&mut self) {
        self.reader.drain();
    }

    /// Elements in the peer's channel, while one is known.
    pub fn elements(&self) -> Option<u64> {
        self.reader.geometry().map(|geometry| geometry.elements())
    }

    /// Elements of this framing that the region has room for.
    pub fn capacity(&self) -> u64 {
        self.reader.capacity(self.framing.element_size())
    }

    /// The framing in use.
    pub fn framing(&self) -> &F {
        &self.framing
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::framing::Ethernet;
    use crate::shm::heap::Heap;
    use core::cell::Cell;

    const PROTOCOL: NonZeroU64 = NonZeroU64::new(0x7ade_5c54_9b08_e814).unwrap();
    const MTU: u16 = 100;
    const ELEMENT: usize = 116;

    struct Bell<'a>(&'a Cell<u32>);

    impl Notifier for Bell<'_> {
        fn notify(&self) {
            self.0.set(self.0.get() + 1);
        }
    }

    type Ends<'a> = (
        Heap,
        Sender<Heap, Ethernet, Bell<'a>>,
        Receiver<Heap, Ethernet>,
    );

    fn ends(rings: &Cell<u32>) -> Ends<'_> {
        let framing = Ethernet::new(MTU).unwrap();
        let heap = Heap::new(64 + 3 * ELEMENT);
        let sender = Sender::new(heap.clone(), PROTOCOL, framing, Bell(rings)).unwrap();
        let receiver = Receiver::new(heap.clone(), PROTOCOL, framing).unwrap();
        (heap, sender, receiver)
    }

    fn frame_of(len: usize) -> Received {
        Received::Frame(Frame {
            len,
            meta: Meta::default(),
        })
    }

    fn receive(receiver: &mut Receiver<Heap, Ethernet>) -> (Received, std::vec::Vec<u8>) {
        let mut buffer = [0xee; 200];
        let received = receiver.receive(&mut &mut buffer[..]);
        let len = match received {
            Received::Frame(frame) => frame.len,
            _ => 0,
        };
        assert!(buffer[114..].iter().all(|byte| *byte == 0xee));
        (received, buffer[..len].to_vec())
    }

    #[test]
    fn frames_of_every_length_cross() {
        let rings = Cell::new(0);
        let (_, mut sender, mut receiver) = ends(&rings);
        assert_eq!(
            sender.send(&[&[0; 20]], Meta::default()),
            Err(SendError::Inactive)
        );
        sender.activate(PROTOCOL);
        assert_eq!(rings.get(), 1);
        assert_eq!(receive(&mut receiver).0, Received::NewEpoch);
        for len in 14..=114usize {
            let frame: std::vec::Vec<u8> = (0..len).map(|i| (i * 7 + len) as u8).collect();
            let (head, tail) = frame.split_at(len / 3);
            sender.send(&[head, tail], Meta::default()).unwrap();
            assert_eq!(receive(&mut receiver), (frame_of(len), frame));
        }
        assert_eq!(rings.get(), 1 + 101);
        assert_eq!(
            sender.send(&[&[0; 115]], Meta::default()),
            Err(SendError::Frame(FrameError::TooLong { len: 115, max: 114 }))
        );
        assert_eq!(
            sender.send(&[&[0; 13]], Meta::default()),
            Err(SendError::Frame(FrameError::TooShort { len: 13, min: 14 }))
        );
        assert_eq!(receive(&mut receiver).0, Received::Empty);
        sender.deactivate();
        sender.deactivate();
        assert_eq!(rings.get(), 1 + 101 + 1);
        assert_eq!(receiver.peer(), Peer::Down);
    }

    #[test]
    fn the_length_lies_in_the_last_two_bytes() {
        let rings = Cell::new(0);
        let (heap, mut sender, _) = ends(&rings);
        sender.activate(PROTOCOL);
        sender.write(&[&[0x55; 20]], Meta::default()).unwrap();
        assert_eq!(heap.peek(64), 0x5555_5555_5555_5555);
        assert_eq!(heap.peek(64 + 16), 0x5555_5555);
        assert_eq!(heap.peek(64 + 112), 20 << 16);
    }

    #[test]
    fn a_lying_length_costs_one_frame() {
        let rings = Cell::new(0);
        let (heap, mut sender, mut receiver) = ends(&rings);
        sender.activate(PROTOCOL);
        assert_eq!(receive(&mut receiver).0, Received::NewEpoch);
        sender.send(&[&[1; 20]], Meta::default()).unwrap();
        heap.poke(64 + 112, 0xffff << 16);
        assert_eq!(
            receive(&mut receiver).0,
            Received::Rejected(Reject::TooLong {
                found: 0xffff,
                max: 114
            })
        );
        sender.send(&[&[2; 20]], Meta::default()).unwrap();
        assert_eq!(receive(&mut receiver), (frame_of(20), std::vec![2; 20]));
        for _ in 0..2 {
            sender.send(&[&[3; 20]], Meta::default()).unwrap();
        }
        heap.poke(64 + 112, 13 << 16);
        assert!(matches!(receive(&mut receiver).0, Received::Frame(_)));
        assert_eq!(
            receive(&mut receiver).0,
            Received::Rejected(Reject::TooShort { found: 13, min: 14 })
        );
    }

    #[test]
    fn no_room_costs_one_frame() {
        let rings = Cell::new(0);
        let (_, mut sender, mut receiver) = ends(&rings);
        sender.activate(PROTOCOL);
        assert_eq!(receive(&mut receiver).0, Received::NewEpoch);
        sender.send(&[&[1; 20]], Meta::default()).unwrap();
        sender.send(&[&[2; 19]], Meta::default()).unwrap();
        let mut small = [0; 19];
        assert_eq!(
            receiver.receive(&mut &mut small[..]),
            Received::Rejected(Reject::NoRoom { len: 20 })
        );
        assert_eq!(receiver.receive(&mut &mut small[..]), frame_of(19));
        assert_eq!(small, [2; 19]);
    }
}
