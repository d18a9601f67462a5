// SPDX-License-Identifier: MIT OR Apache-2.0
//! The reading end of a channel.

use super::layout::{field, TRANSPORT};
use super::{cursor::Cursor, session::Session};
use super::{Burst, Element, Fault, Geometry, GeometryError, Header, Peer, Read, Resume};
use crate::shm::{Memory, Region, Site};
use core::num::NonZeroU64;

/// Reads elements from a channel whose writer may do anything to the region.
///
/// The states, and what leads from one to another:
///
/// - **detached**: no epoch is adopted. A non-zero epoch whose header is sound
///   leads to *synchronised*, an unsound one to *faulty*.
/// - **synchronised** with an epoch: its geometry is a checked private copy.
///   Epoch 0 leads to *detached*, another epoch is checked anew, counters that
///   no writer would produce lead to *faulty*.
/// - **faulty**: nothing is read until the epoch changes.
///
/// [`open`](Self::open) leads from any of them to *detached* and looks once.
///
/// Every call does a bounded amount of work: at most one header is checked and
/// at most one element taken, or as many as a burst may have, whatever the
/// region holds.
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
/// use muennet_core::channel::{Peer, Read, Reader};
///
/// // A region that no writer has started yet.
/// let mut reader = Reader::new(Words::new(512), NonZeroU64::MIN, 16)?;
/// assert_eq!(reader.peer(), Peer::Down);
/// assert_eq!(reader.read(|_| ()), Read::Inactive);
/// assert_eq!((reader.geometry(), reader.header().epoch), (None, 0));
/// # Ok::<(), muennet_core::channel::GeometryError>(())
/// ```
#[derive(Debug)]
pub struct Reader<M: Memory> {
    region: Region<M>,
    protocol: NonZeroU64,
    min_element: usize,
    resume: Resume,
    /// The epoch that `state` stands for; 0 while detached.
    epoch: u64,
    state: State,
    /// A new epoch was adopted and not yet reported by `read`.
    unreported: bool,
    #[cfg(feature = "log")]
    report: super::report::Report,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Detached,
    Synchronised(Session),
    Faulty(Fault),
}

/// Why no element was taken; the reader's state says the rest.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Nothing {
    Empty,
    Inactive,
    NewEpoch,
    Overrun { lost: u64 },
    Faulty,
}

impl<M: Memory> Reader<M> {
    /// Takes over a channel's memory. `min_element` is the least element size
    /// in bytes that the framing can work with; the writer's own is adopted with
    /// its epoch.
    ///
    /// # Errors
    ///
    /// [`GeometryError`] when not one such element fits.
    pub fn new(memory: M, protocol: NonZeroU64, min_element: usize) -> Result<Self, GeometryError> {
        let region = Region::new(memory)?;
        Geometry::fill(region.len(), min_element)?;
        Ok(Self {
            region,
            protocol,
            min_element,
            resume: Resume::default(),
            epoch: 0,
            state: State::Detached,
            unreported: false,
            #[cfg(feature = "log")]
            report: Default::default(),
        })
    }

    /// Chooses where reading goes on after an overrun.
    #[must_use]
    pub fn with_resume(mut self, resume: Resume) -> Self {
        self.resume = resume;
        self
    }

    /// Comes up: whatever was written before this call is passed over. Gives the
    /// number of elements passed over, which is the writer's word.
    ///
    /// An epoch that runs is adopted at its end; [`read`](Self::read) reports it as
    /// [`Read::NewEpoch`]. Each epoch that begins later is read from its first
    /// element, however many are written by the time it is seen. A reader that
    /// never came up reads the epoch that it finds from its first element, too.
    pub fn open(&mut self) -> u64 {
        let read = match &self.state {
            State::Synchronised(session) => session.read().count(),
            State::Detached | State::Faulty(_) => 0,
        };
        let read_of = core::mem::take(&mut self.epoch);
        self.state = State::Detached;
        self.unreported = false;
        // An epoch that ends meanwhile is not adopted here: the one behind it began
        // after this call did, and is read from its start.
        self.peer();
        let State::Synchronised(session) = &mut self.state else {
            return 0;
        };
        // A count of a later epoch does no harm: every element is looked at behind
        // another look at the count and one at the epoch.
        session.skip(self.region.load(field::WRITTEN));
        let read = if read_of == self.epoch { read } else { 0 };
        session.seen().saturating_sub(read)
    }

    /// Looks at the epoch now, adopts a new one, and says what became of it.
    pub fn peer(&mut self) -> Peer {
        let observed = self.region.load(field::EPOCH);
        if observed != self.epoch {
            self.follow(observed);
        }
        self.known()
    }

    /// The state of the writer as of the last look.
    fn known(&self) -> Peer {
        match self.state {
            State::Detached => Peer::Down,
            State::Synchronised(_) => Peer::Up { epoch: self.epoch },
            State::Faulty(fault) => Peer::Faulty(fault),
        }
    }

    /// The adopted epoch while synchronised, else 0.
    #[inline]
    pub(crate) fn epoch(&self) -> u64 {
        match self.state {
            State::Synchronised(_) => self.epoch,
            State::Detached | State::Faulty(_) => 0,
        }
    }

    /// The adopted element size and count, while synchronised.
    pub fn geometry(&self) -> Option<Geometry> {
        match &self.state {
            State::Synchronised(session) => Some(*session.geometry()),
            _ => None,
        }
    }

    /// Elements of `element_size` bytes that the region has room for.
    pub fn capacity(&self, element_size: usize) -> u64 {
        Geometry::fill(self.region.len(), element_size).map_or(0, |geometry| geometry.elements())
    }

    /// True when the next [`read`](Self::read) has something to say: an element,
    /// an overrun, or a change of epoch.
    pub fn has_pending(&self) -> bool {
        if self.region.load(field::EPOCH) != self.epoch {
            return true;
        }
        match &self.state {
            State::Synchronised(session) => {
                self.unreported || self.region.load(field::WRITTEN) != session.read().count()
            }
            _ => false,
        }
    }

    /// Skips all that was written so far.
    pub fn drain(&mut self) {
        if let State::Synchronised(session) = &mut self.state {
            session.skip(self.region.load(field::WRITTEN));
        }
    }

    /// Goes to the newest `count` elements of those that the channel still holds,
    /// whether they were read before or not.
    pub fn rewind(&mut self, count: u64) {
        if let State::Synchronised(session) = &mut self.state {
            let written = self.region.load(field::WRITTEN);
            // The elements are at least as new as this count says.
            self.region.acquire(Site::RewindThenCopy);
            session.rewind(written, count);
        }
    }

    /// A copy of the header as it is now, unchecked.
    pub fn header(&self) -> Header {
        Header::observe(&self.region)
    }

    /// Takes the next element: `take` copies what it wants from it.
    ///
    /// `take` sees bytes that may change under its hands; only if the result is
    /// [`Read::Taken`] was the element whole, and only that hands the value on.
    #[inline]
    pub fn read<T>(&mut self, take: impl FnOnce(&Element<'_, M>) -> T) -> Read<T> {
        match self.take(take) {
            Ok(taken) => Read::Taken(taken),
            Err(nothing) => self.explain(nothing),
        }
    }

    /// Takes up to `max` elements with one look at the counters before and one
    /// after: `take` is called for one after the other, in order.
    ///
    /// As for [`read`](Self::read), nothing that `take` copied counts before the
    /// result is there: then all do but the first [`Burst::lost`].
    /// Losses in a burst that still holds elements are reported in the burst
    /// alone; only if nothing is left, the result is [`Read::Overrun`].
    /// With a `max` of 0 the result is [`Read::Empty`], without a look.
    #[inline]
    pub fn read_burst(&mut self, max: usize, take: impl FnMut(&Element<'_, M>)) -> Read<Burst> {
        match self.take_burst(max, take) {
            Ok(burst) => Read::Taken(burst),
            Err(nothing) => self.explain(nothing),
        }
    }

    /// As [`read`](Self::read).
    #[inline]
    pub(crate) fn take<T>(
        &mut self,
        take: impl FnOnce(&Element<'_, M>) -> T,
    ) -> Result<T, Nothing> {
        self.look(1)?;
        let session = self.session()?;
        let mut end = session.read();
        let geometry = *session.geometry();
        let taken = take(&Element::new(&self.region, &geometry, &end));
        end.advance(&geometry);
        self.settle(1, end)?;
        Ok(taken)
    }

    #[inline]
    fn take_burst(
        &mut self,
        max: usize,
        mut take: impl FnMut(&Element<'_, M>),
    ) -> Result<Burst, Nothing> {
        // CAST: usize is at most 64 bits on every target.
        let max = max as u64;
        if max == 0 {
            return Err(Nothing::Empty);
        }
        self.look(max)?;
        let session = self.session()?;
        let mut end = session.read();
        let geometry = *session.geometry();
        // No more than the channel holds, whatever the counters say.
        let taken = session.pending().min(geometry.elements()).min(max);
        for _ in 0..taken {
            take(&Element::new(&self.region, &geometry, &end));
            end.advance(&geometry);
        }
        let lost = self.settle(taken, end)?;
        // CAST: both are at most `max`, which was a usize.
        Ok(Burst {
            taken: taken as usize,
            lost: lost as usize,
        })
    }

    /// The session that [`look`](Self::look) has found.
    #[inline(always)]
    fn session(&self) -> Result<&Session, Nothing> {
        match &self.state {
            State::Synchronised(session) => Ok(session),
            _ => Err(Nothing::Inactive),
        }
    }

    /// Makes sure that there is something to read. The write count is looked at
    /// when fewer elements than `wanted` are known of.
    #[inline(always)]
    fn look(&mut self, wanted: u64) -> Result<(), Nothing> {
        let observed = self.region.load(field::EPOCH);
        if observed != self.epoch {
            self.follow(observed);
        }
        // Not `mem::take`: that would store each time.
        if self.unreported {
            self.unreported = false;
            return Err(Nothing::NewEpoch);
        }
        let session = match &mut self.state {
            State::Synchronised(session) => session,
            State::Detached => return Err(Nothing::Inactive),
            State::Faulty(_) => return Err(Nothing::Faulty),
        };
        if session.pending() >= wanted {
            return Ok(());
        }
        let written = self.region.load(field::WRITTEN);
        // The elements copied later are at least as new as this count says, and the
        // epoch looked at later at least as new as this count.
        self.region.acquire(Site::WrittenThenCopy);
        if !session.see(written) {
            let seen = session.seen();
            let found = written;
            // A writer that starts anew clears its counters, epoch first.
            return Err(if self.region.load(field::EPOCH) == self.epoch {
                self.fail(Fault::WrittenBackwards { found, seen })
            } else {
                Nothing::Empty
            });
        }
        if session.pending() == 0 {
            return Err(Nothing::Empty);
        }
        if session.pending() > session.geometry().elements() {
            let lost = session.resume(self.resume, written, written);
            return Err(Nothing::Overrun { lost });
        }
        Ok(())
    }

    /// After `taken` elements, those before `end`, were copied: how many of them,
    /// from the first on, may have been overwritten meanwhile. Some are whole.
    #[inline(always)]
    fn settle(&mut self, taken: u64, end: Cursor) -> Result<u64, Nothing> {
        // The counters loaded below are at least as new as any byte copied above.
        self.region.acquire(Site::CopyThenStart);
        let started = self.region.load(field::WRITE_START);
        // A start count of a later epoch is not seen without the epoch's change.
        self.region.acquire(Site::StartThenEpoch);
        let observed = self.region.load(field::EPOCH);
        if observed != self.epoch {
            self.follow(observed);
            return Err(if core::mem::take(&mut self.unreported) {
                Nothing::NewEpoch
            } else {
                Nothing::Inactive
            });
        }
        let State::Synchronised(session) = &mut self.state else {
            return Err(Nothing::Inactive);
        };
        if started < session.seen() {
            let written = session.seen();
            return Err(self.fail(Fault::StartedBehindWritten { started, written }));
        }
        let lost = session.overtaken(started);
        if lost > 0 && lost >= taken {
            // Where the newest is by now.
            let written = self.region.load(field::WRITTEN);
            // Elements up to this count are copied without another look at it.
            self.region.acquire(Site::ResumeThenCopy);
            let lost = session.resume(self.resume, started, written);
            return Err(Nothing::Overrun { lost });
        }
        session.advance(end);
        Ok(lost)
    }

    /// The result that stands for `nothing`.
    #[cold]
    pub(crate) fn explain<T>(&self, nothing: Nothing) -> Read<T> {
        match (nothing, &self.state) {
            (Nothing::Empty, _) => Read::Empty,
            (Nothing::NewEpoch, _) => Read::NewEpoch { epoch: self.epoch },
            (Nothing::Overrun { lost }, _) => Read::Overrun { lost },
            (Nothing::Faulty, State::Faulty(fault)) => Read::Faulty(*fault),
            (Nothing::Inactive | Nothing::Faulty, _) => Read::Inactive,
        }
    }

    #[cold]
    fn fail(&mut self, fault: Fault) -> Nothing {
        self.change(self.epoch, State::Faulty(fault));
        Nothing::Faulty
    }

    fn change(&mut self, epoch: u64, state: State) {
        self.epoch = epoch;
        self.state = state;
        #[cfg(feature = "log")]
        self.report.change(self.known());
    }

    /// Follows the writer to the `observed` epoch, which is not the state's.
    #[cold]
    fn follow(&mut self, observed: u64) {
        self.unreported = false;
        if observed == 0 {
            self.change(0, State::Detached);
            return;
        }
        // The header is at least as new as the epoch.
        self.region.acquire(Site::EpochThenHeader);
        let checked = self.check_header();
        // If the writer began anew meanwhile, the epoch below has changed.
        self.region.acquire(Site::HeaderThenEpoch);
        if self.region.load(field::EPOCH) != observed {
            // Unsettled: whatever was copied is no statement. Look again at the next call.
            self.epoch = 0;
            self.state = State::Detached;
            return;
        }
        self.unreported = checked.is_ok();
        let state = match checked {
            Ok(geometry) => State::Synchronised(Session::new(geometry)),
            Err(fault) => State::Faulty(fault),
        };
        self.change(observed, state);
    }

    /// Copies the header's fields, each once, and checks the copies.
    fn check_header(&self) -> Result<Geometry, Fault> {
        let transport = self.region.load(field::TRANSPORT);
        let protocol = self.region.load(field::PROTOCOL);
        let size = self.region.load(field::SIZE);
        let elements = self.region.load(field::ELEMENTS);
        if transport != TRANSPORT {
            return Err(Fault::Transport { found: transport });
        }
        if protocol != self.protocol.get() {
            return Err(Fault::Protocol {
                found: protocol,
                expected: self.protocol.get(),
            });
        }
        Geometry::check(self.region.len(), self.min_element, size, elements)
    }
}
