// SPDX-License-Identifier: MIT OR Apache-2.0
//! A network link: channel, framing and event put together.
//!
//! [`Sender`] and [`Receiver`] are independent halves; an interface that works
//! one way has one of them, a [`Link`] has both.

use crate::channel::{
    Burst, Fault, Geometry, GeometryError, Header, Nothing, Peer, Read, Reader, Resume, Writer,
};
use crate::framing::{Frame, FrameError, Framing, Meta, Packet, Reject, Sink};
use crate::notify::Notifier;
use crate::shm::{Memory, MemoryMut};
use core::{convert::Infallible, fmt, num::NonZeroU64};

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
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
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

/// The first frame of a batch that cannot be sent, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BatchError {
    /// Its place in the batch, counted from 0.
    pub index: usize,
    /// What is wrong with it.
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
    fn admit(&self, packet: &Packet<'_>) -> Result<F::Head, SendError> {
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

/// The half that receives.
#[derive(Debug)]
pub struct Receiver<R: Memory, F> {
    reader: Reader<R>,
    framing: F,
}

/// What one [`Receiver::receive`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Received {
    /// A whole frame lies where the sink placed it.
    Frame(Frame),
    /// Nothing new.
    Empty,
    /// The peer's writer is inactive.
    Inactive,
    /// The peer started a new epoch; its frames come next.
    NewEpoch {
        /// The peer's epoch.
        epoch: u64,
    },
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

/// Room for one frame of a burst.
#[derive(Debug, Clone, Copy, Default)]
pub struct Arrival<S> {
    /// Where the frame goes.
    pub sink: S,
    /// The frame, or why there is none in the element; `None` if no element
    /// arrived here.
    pub result: Option<Result<Frame, Reject>>,
}

impl<S> Arrival<S> {
    /// Nothing arrived yet.
    pub fn new(sink: S) -> Self {
        Self { sink, result: None }
    }
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
        match self.reader.take(|element| framing.decode(element, sink)) {
            Ok(Ok(frame)) => Received::Frame(frame),
            Ok(Err(reject)) => Received::Rejected(reject),
            Err(nothing) => self.explain(nothing),
        }
    }

    /// The result that stands for `nothing`.
    #[cold]
    fn explain(&self, nothing: Nothing) -> Received {
        match self.reader.explain::<Infallible>(nothing) {
            Read::Taken(never) => match never {},
            Read::Empty => Received::Empty,
            Read::Inactive => Received::Inactive,
            Read::NewEpoch { epoch } => Received::NewEpoch { epoch },
            Read::Overrun { lost } => Received::Overrun { lost },
            Read::Faulty(fault) => Received::Faulty(fault),
        }
    }

    /// Takes up to `arrivals.len()` frames with one look at the counters before
    /// and one after, each into the sink of one arrival, in order.
    ///
    /// After [`Read::Taken`] the arrivals with a [`result`](Arrival::result) count,
    /// good or bad; what any other's sink holds does not. [`Burst::lost`] frames
    /// of the burst were overwritten by the peer meanwhile, [`Read::Overrun`]
    /// says how many if nothing is left.
    #[inline]
    pub fn receive_burst<S: Sink>(&mut self, arrivals: &mut [Arrival<S>]) -> Read<Burst> {
        let framing = &self.framing;
        let max = arrivals.len();
        let mut next = arrivals.iter_mut();
        let read = self.reader.read_burst(max, |element| {
            if let Some(arrival) = next.next() {
                arrival.result = Some(framing.decode(element, &mut arrival.sink));
            }
        });
        next.for_each(|arrival| arrival.result = None);
        let void = match read {
            Read::Taken(Burst { lost, .. }) => lost,
            _ => max,
        };
        for arrival in arrivals.iter_mut().take(void) {
            arrival.result = None;
        }
        read
    }

    /// Chooses where receiving goes on after an overrun.
    #[must_use]
    pub fn with_resume(self, resume: Resume) -> Self {
        Self {
            reader: self.reader.with_resume(resume),
            ..self
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

    /// Goes to the newest `count` frames of those that the channel still holds,
    /// whether they were received before or not.
    pub fn rewind(&mut self, count: u64) {
        self.reader.rewind(count);
    }

    /// What the peer's header says now, unchecked.
    pub fn header(&self) -> Header {
        self.reader.header()
    }

    /// Elements in the peer's channel, while one is known.
    pub fn elements(&self) -> Option<u64> {
        self.reader.geometry().map(|geometry| geometry.elements())
    }

    /// The peer's element size and count, while one is known.
    pub fn geometry(&self) -> Option<Geometry> {
        self.reader.geometry()
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
    use crate::framing::{Checksum, Ethernet};
    use crate::shm::heap::Heap;
    use core::cell::Cell;

    const PROTOCOL: NonZeroU64 = NonZeroU64::new(0x7ade_5c54_9b08_e814).unwrap();
    const START: NonZeroU64 = NonZeroU64::new(3).unwrap();
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
        sender.activate(START);
        assert_eq!(rings.get(), 1);
        assert_eq!(
            receive(&mut receiver).0,
            Received::NewEpoch { epoch: START.get() }
        );
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
        sender.activate(START);
        sender.write(&[&[0x55; 20]], Meta::default()).unwrap();
        assert_eq!(heap.peek(64), 0x5555_5555_5555_5555);
        assert_eq!(heap.peek(64 + 16), 0x5555_5555);
        assert_eq!(heap.peek(64 + 112), 20 << 16);
    }

    #[test]
    fn frames_that_are_still_there_can_be_had_again() {
        let rings = Cell::new(0);
        let (heap, mut sender, mut receiver) = ends(&rings);
        receiver.rewind(1);
        assert_eq!(receive(&mut receiver).0, Received::Inactive);
        sender.activate(PROTOCOL);
        receiver.peer();
        receiver.rewind(u64::MAX);
        assert_eq!(
            receive(&mut receiver).0,
            Received::NewEpoch {
                epoch: PROTOCOL.get()
            }
        );
        for len in 20..25 {
            sender.write(&[&[7; 114][..len]], Meta::default()).unwrap();
        }
        // Of three elements the oldest may be under the writer's hands.
        receiver.rewind(u64::MAX);
        for len in [23, 24] {
            assert_eq!(receive(&mut receiver).0, frame_of(len));
        }
        assert_eq!(receive(&mut receiver).0, Received::Empty);
        receiver.rewind(1);
        assert_eq!(receive(&mut receiver).0, frame_of(24));
        receiver.rewind(0);
        assert_eq!(receive(&mut receiver).0, Received::Empty);
        // A count that runs backwards moves nothing.
        heap.poke(56, 2);
        receiver.rewind(1);
        assert!(matches!(receive(&mut receiver).0, Received::Faulty(_)));
        assert_eq!(receiver.header().written, 2);
        assert_eq!(receiver.header().write_start, 5);
    }

    #[test]
    fn a_lying_length_costs_one_frame() {
        let rings = Cell::new(0);
        let (heap, mut sender, mut receiver) = ends(&rings);
        sender.activate(START);
        assert_eq!(
            receive(&mut receiver).0,
            Received::NewEpoch { epoch: START.get() }
        );
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
        sender.activate(START);
        assert_eq!(
            receive(&mut receiver).0,
            Received::NewEpoch { epoch: START.get() }
        );
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

    #[test]
    fn batches_and_bursts_carry_what_single_frames_do() {
        let rings = Cell::new(0);
        let (_, mut sender, mut receiver) = ends(&rings);
        let frames: [[u8; 30]; 3] = core::array::from_fn(|i| [i as u8; 30]);
        let halves = frames.each_ref().map(|frame| {
            let (head, tail) = frame.split_at(7);
            [head, tail]
        });
        let packets = halves.each_ref().map(|parts| Packet::new(parts));
        assert_eq!(
            sender.write_batch(&packets),
            Err(BatchError {
                index: 0,
                error: SendError::Inactive
            })
        );
        sender.activate(START);
        let mut arrivals = [[0u8; 200]; 4].map(Buffer).map(Arrival::new);
        assert_eq!(
            receiver.receive_burst(&mut arrivals),
            Read::NewEpoch { epoch: 3 }
        );
        sender.write_batch(&packets).unwrap();
        assert_eq!(rings.get(), 1);
        assert_eq!(
            receiver.receive_burst(&mut arrivals),
            Read::Taken(Burst { taken: 3, lost: 0 })
        );
        for (arrival, frame) in arrivals.iter().zip(&frames) {
            let Some(Ok(Frame { len: 30, .. })) = arrival.result else {
                panic!("{:?}", arrival.result)
            };
            assert_eq!(arrival.sink.0[..30], frame[..]);
        }
        assert_eq!(arrivals[3].result, None);
        assert_eq!(receiver.receive_burst(&mut arrivals), Read::Empty);
        assert!(arrivals.iter().all(|arrival| arrival.result.is_none()));

        let bad = [packets[0], Packet::new(&[&[0; 13]]), packets[1]];
        let error = SendError::Frame(FrameError::TooShort { len: 13, min: 14 });
        assert_eq!(
            sender.write_batch(&bad),
            Err(BatchError { index: 1, error })
        );
        assert_eq!(receiver.receive_burst(&mut arrivals), Read::Empty);
    }

    struct Buffer([u8; 200]);

    impl Sink for Buffer {
        fn place(&mut self, len: usize) -> Option<&mut [u8]> {
            self.0.get_mut(..len)
        }
    }

    #[test]
    fn what_is_lost_in_a_burst_has_no_result() {
        let rings = Cell::new(0);
        let (heap, mut sender, mut receiver) = ends(&rings);
        sender.activate(START);
        assert!(matches!(
            receive(&mut receiver).0,
            Received::NewEpoch { .. }
        ));
        for value in 0..3 {
            sender.write(&[&[value; 20]], Meta::default()).unwrap();
        }
        // Element 3 is being written, where element 0 lies.
        heap.poke(48, 4);
        heap.poke(64 + ELEMENT + 112 - 4, 0xffff << 48);
        let mut arrivals = [[0u8; 200]; 3].map(Buffer).map(Arrival::new);
        assert_eq!(
            receiver.receive_burst(&mut arrivals),
            Read::Taken(Burst { taken: 3, lost: 1 })
        );
        assert_eq!(arrivals[0].result, None);
        assert!(matches!(
            arrivals[1].result,
            Some(Err(Reject::TooLong { found: 0xffff, .. }))
        ));
        assert!(matches!(arrivals[2].result, Some(Ok(_))));
    }

    #[test]
    fn a_checksum_is_filled_in_wherever_the_parts_end() {
        // An IPv4 header of RFC 1071's kind, worked out by hand many times over:
        // its checksum is b861.
        let header = [
            0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0x00, 0x00, 0xc0, 0xa8,
            0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7,
        ];
        let mut frame = [0x5a; 14 + 20];
        frame[14..].copy_from_slice(&header);
        let mut expected = frame;
        expected[24..26].copy_from_slice(&[0xb8, 0x61]);
        let checksum = Checksum {
            start: 14,
            offset: 10,
        };
        let rings = Cell::new(0);
        let (_, mut sender, mut receiver) = ends(&rings);
        sender.activate(START);
        receive(&mut receiver);
        for first in 0..=frame.len() {
            for second in first..=frame.len() {
                let parts = [&frame[..first], &frame[first..second], &frame[second..]];
                sender
                    .write_packet(&Packet::new(&parts).with_checksum(checksum))
                    .unwrap();
                assert_eq!(receive(&mut receiver).1, expected);
            }
        }
        for (start, offset) in [(33, 0), (14, 11), (14, 20), (35, 0), (usize::MAX, 2)] {
            let parts = [&frame[..]];
            let packet = Packet::new(&parts).with_checksum(Checksum { start, offset });
            let len = frame.len();
            let error = FrameError::Checksum { start, offset, len };
            assert_eq!(sender.write_packet(&packet), Err(SendError::Frame(error)));
        }
    }
}
