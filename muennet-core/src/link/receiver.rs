// SPDX-License-Identifier: MIT OR Apache-2.0
//! Frames from the peer.

use crate::channel::{
    Burst, Fault, Geometry, GeometryError, Header, Nothing, Peer, Read, Reader, Resume,
};
use crate::framing::{Frame, Framing, Reject, Sink};
use crate::shm::Memory;
use core::{convert::Infallible, num::NonZeroU64};

/// The half that receives.
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
///     channel::Read,
///     framing::{Ethernet, Meta},
///     link::{Arrival, Receiver, Sender},
/// };
///
/// let (memory, protocol) = (Words::new(8192), NonZeroU64::MIN);
/// let framing = Ethernet::new(1500)?;
/// let mut receiver = Receiver::new(memory, protocol, framing)?;
/// let mut sender = Sender::new(memory, protocol, framing, ())?;
/// sender.activate(NonZeroU64::MIN);
/// sender.send(&[&[1; 60]], Meta::default())?;
/// sender.send(&[&[2; 61]], Meta::default())?;
///
/// // Several frames with one look at the header.
/// let mut buffers = [[0; 1514]; 4];
/// let mut arrivals = buffers.each_mut().map(|buffer| Arrival::new(&mut buffer[..]));
/// // The first outcome is the start of the sender.
/// while let Read::NewEpoch { .. } = receiver.receive_burst(&mut arrivals) {}
/// let lengths = arrivals.iter().map(|arrival| match arrival.result {
///     Some(Ok(frame)) => frame.len,
///     _ => 0,
/// });
/// assert_eq!(lengths.collect::<Vec<_>>(), [60, 61, 0, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Receiver<R: Memory, F> {
    reader: Reader<R>,
    framing: F,
    /// Frames passed over by coming up.
    skipped: u64,
    /// The peer's epoch that it was rung for; 0 for none.
    greeted: u64,
}

/// The outcome of one [`Receiver::receive`].
///
/// ```
/// use muennet_core::{channel::Fault, framing::Reject, link::Received};
///
/// /// The line for a log, if the outcome deserves one.
/// fn line(received: &Received) -> Option<String> {
///     match received {
///         Received::Overrun { lost } => Some(format!("{lost} frames lost")),
///         Received::Rejected(reject) => Some(reject.to_string()),
///         Received::Faulty(fault) => Some(fault.to_string()),
///         _ => None,
///     }
/// }
///
/// assert_eq!(line(&Received::Empty), None);
/// assert_eq!(line(&Received::Overrun { lost: 3 }).as_deref(), Some("3 frames lost"));
/// assert!(line(&Received::Rejected(Reject::UnknownProtocol { found: 7 })).is_some());
/// assert!(line(&Received::Faulty(Fault::NoElements)).is_some());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Received {
    /// A whole frame lies where the sink placed it.
    Frame(Frame),
    /// The channel holds no new element.
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
///
/// ```
/// use muennet_core::link::Arrival;
///
/// let mut buffer = [0; 1514];
/// let arrival = Arrival::new(&mut buffer[..]);
/// // Nothing arrived yet.
/// assert_eq!(arrival.result, None);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Arrival<S> {
    /// Destination of the frame.
    pub sink: S,
    /// The frame, or why there is none in the element; `None` if no element
    /// arrived here.
    pub result: Option<Result<Frame, Reject>>,
}

impl<S> Arrival<S> {
    /// An arrival without a frame.
    pub fn new(sink: S) -> Self {
        Self { sink, result: None }
    }
}

impl<R: Memory, F: Framing> Receiver<R, F> {
    /// Takes over the memory of a channel that the peer writes, and comes up as
    /// [`open`](Self::open) does: frames from before are not received.
    ///
    /// # Errors
    ///
    /// [`GeometryError`] when no element of the framing fits.
    pub fn new(memory: R, protocol: NonZeroU64, framing: F) -> Result<Self, GeometryError> {
        let mut receiver = Self::replaying(memory, protocol, framing)?;
        receiver.open();
        Ok(receiver)
    }

    /// As [`new`](Self::new), but an epoch that runs is received from its first
    /// frame: for tools that show what was.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn replaying(memory: R, protocol: NonZeroU64, framing: F) -> Result<Self, GeometryError> {
        let reader = Reader::new(memory, protocol, framing.min_element())?;
        Ok(Self {
            reader,
            framing,
            skipped: 0,
            greeted: 0,
        })
    }

    /// Comes up, again: frames that the peer sent before this call are passed over
    /// and counted as [`skipped`](Self::skipped) alone. Of an epoch that begins
    /// later nothing is passed over.
    ///
    /// Call it when the interface goes up, before [`Sender::activate`]: what the
    /// peer sends because it sees our epoch is then received.
    /// [`Link::activate`] does both.
    ///
    /// [`Sender::activate`]: super::Sender::activate
    /// [`Link::activate`]: super::Link::activate
    pub fn open(&mut self) {
        let skipped = self.reader.open();
        self.skipped = self.skipped.saturating_add(skipped);
        // For this one, activating the sender rings.
        self.greeted = self.reader.epoch();
    }

    /// Frames passed over by coming up, as the peer counts them.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// True once after the peer came up: ring it by [`Sender::greet`], outside of
    /// locks. [`Link`](super::Link) does so by itself.
    ///
    /// [`Sender::greet`]: super::Sender::greet
    #[inline]
    pub fn came_up(&mut self) -> bool {
        let epoch = self.reader.epoch();
        let came_up = epoch != self.greeted && epoch != 0;
        if epoch != self.greeted {
            self.greeted = epoch;
        }
        came_up
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

    /// A copy of the peer's header as it is now, unchecked.
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
