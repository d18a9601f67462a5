// SPDX-License-Identifier: MIT OR Apache-2.0
//! The reading end of a channel.

use super::cursor::Cursor;
use super::layout::{Field, TRANSPORT};
use super::{Geometry, GeometryError, Header};
use crate::shm::{Memory, Region, Site};
use core::{fmt, num::NonZeroU64};

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
/// Every call does a bounded amount of work: at most one header is checked and
/// at most one element taken, or as many as a burst may have, whatever the
/// region holds.
#[derive(Debug)]
pub struct Reader<M: Memory> {
    region: Region<M>,
    protocol: NonZeroU64,
    min_element: usize,
    resume: Resume,
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
    Faulty { epoch: u64, fault: Fault },
}

impl State {
    fn peer(&self) -> Peer {
        match self {
            Self::Detached => Peer::Down,
            Self::Synchronised(session) => Peer::Up {
                epoch: session.epoch,
            },
            Self::Faulty { fault, .. } => Peer::Faulty(*fault),
        }
    }
}

/// What is known of the adopted epoch; private, never read back from the region.
#[derive(Debug, Clone, Copy)]
struct Session {
    epoch: u64,
    geometry: Geometry,
    read: Cursor,
    /// The last write count seen: elements below it were whole when looked at.
    seen: u64,
}

impl Session {
    /// Goes on after an overrun: the writer began `started` elements and ended
    /// `written`, which is above `read`.
    #[cold]
    fn overrun(&mut self, resume: Resume, started: u64, written: u64) -> Other {
        let elements = self.geometry.elements();
        let next = match resume {
            Resume::Newest => written,
            // `started` is above `elements` here, or nothing had been overrun.
            Resume::Oldest => (started.saturating_sub(elements) + elements / 8).min(written),
        };
        let lost = next - self.read.count();
        self.read.jump(next, &self.geometry);
        self.seen = written;
        Other::Overrun { lost }
    }
}

/// What a look came to when there is no element to hand out.
enum Other {
    Empty,
    Inactive,
    NewEpoch(u64),
    Overrun { lost: u64 },
    Faulty(Fault),
}

impl<T> From<Other> for Read<T> {
    #[inline]
    fn from(other: Other) -> Self {
        match other {
            Other::Empty => Self::Empty,
            Other::Inactive => Self::Inactive,
            Other::NewEpoch(epoch) => Self::NewEpoch { epoch },
            Other::Overrun { lost } => Self::Overrun { lost },
            Other::Faulty(fault) => Self::Faulty(fault),
        }
    }
}

/// What one [`Reader::read`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Read<T> {
    /// An element was taken, and was whole.
    Taken(T),
    /// Nothing new.
    Empty,
    /// The channel has no writer at work (epoch 0).
    Inactive,
    /// The writer started anew; reading begins with its first element. What was
    /// taken meanwhile does not count.
    NewEpoch {
        /// The writer's epoch.
        epoch: u64,
    },
    /// The writer was faster: `lost` elements were not read. Reading goes on
    /// where [`Resume`] says.
    Overrun {
        /// Elements that were written and never read.
        lost: u64,
    },
    /// The header or its counters are impossible; nothing is read until the
    /// epoch changes.
    Faulty(Fault),
}

/// What one [`Reader::read_burst`] took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Burst {
    /// Elements that were taken, those lost included.
    pub taken: usize,
    /// How many of them, from the first on, do not count: the writer may have
    /// overwritten them while they were copied. Less than `taken`.
    pub lost: usize,
}

/// Where reading goes on after an overrun.
///
/// Both lose elements; which is better depends on what they mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Resume {
    /// At the oldest element that is certainly whole: the fewest are lost. This
    /// is the default, since a stream over the link recovers from the loss of a
    /// few packets in one round trip, and from that of a whole ring with a timeout.
    ///
    /// "Certainly" takes a head start of an eighth of the elements. The very
    /// oldest is the one that the writer overwrites next: a reader that went on
    /// there would, as long as the writer is faster, find each element
    /// overwritten under its hands and never take one.
    #[default]
    Oldest,
    /// At the next element that will be written, as the original implementations
    /// do: what is read is never older than the overrun. For samples and states,
    /// where only the latest counts.
    Newest,
}

/// What the reader knows of the writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Peer {
    /// No epoch: nobody writes.
    Down,
    /// A sound header.
    Up {
        /// The writer's epoch.
        epoch: u64,
    },
    /// An impossible header or counter, until the next epoch.
    Faulty(Fault),
}

/// A header or counter that no sound writer of the expected kind produces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Fault {
    /// Not an SHMStream version 2 channel.
    Transport {
        /// Value of the header's transport field.
        found: u64,
    },
    /// The elements mean something else.
    Protocol {
        /// Value of the header's protocol field.
        found: u64,
        /// The protocol this end was configured with.
        expected: u64,
    },
    /// The element size is too small for the framing.
    ElementSize {
        /// Value of the header's size field.
        found: u64,
        /// The least the framing can work with.
        min: usize,
    },
    /// The header says there are no elements.
    NoElements,
    /// The elements would reach beyond the region.
    BeyondRegion {
        /// Value of the header's size field.
        size: u64,
        /// Value of the header's elements field.
        elements: u64,
        /// Bytes of the region.
        region: usize,
    },
    /// The write count is below what it was before.
    WrittenBackwards {
        /// Value of the header's write count.
        found: u64,
        /// The write count seen before.
        seen: u64,
    },
    /// Fewer elements were started than ended.
    StartedBehindWritten {
        /// Value of the header's write start count.
        started: u64,
        /// The write count seen before.
        written: u64,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Transport { found } => {
                write!(
                    f,
                    "transport is {found:#018x}, not {TRANSPORT:#018x} (SHMStream 2)"
                )
            }
            Self::Protocol { found, expected } => {
                write!(f, "protocol is {found:#x}, not {expected:#x} as configured")
            }
            Self::ElementSize { found, min } => {
                write!(f, "element size is {found} bytes, below the least of {min}")
            }
            Self::NoElements => f.write_str("element count is 0"),
            Self::BeyondRegion {
                size,
                elements,
                region,
            } => write!(
                f,
                "{elements} elements of {size} bytes do not fit into the region of {region} bytes"
            ),
            Self::WrittenBackwards { found, seen } => {
                write!(f, "write count is {found}, and was {seen} before")
            }
            Self::StartedBehindWritten { started, written } => {
                write!(
                    f,
                    "write start count is {started}, below the write count {written}"
                )
            }
        }
    }
}

impl core::error::Error for Fault {}

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

    /// Looks at the epoch now, adopts a new one, and says what became of it.
    pub fn peer(&mut self) -> Peer {
        let observed = self.region.load(Field::Epoch);
        self.follow(observed);
        self.state.peer()
    }

    /// The adopted element size and count, while synchronised.
    pub fn geometry(&self) -> Option<Geometry> {
        match self.state {
            State::Synchronised(session) => Some(session.geometry),
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
        let observed = self.region.load(Field::Epoch);
        match &self.state {
            State::Detached => observed != 0,
            State::Faulty { epoch, .. } => observed != *epoch,
            State::Synchronised(session) => {
                self.unreported
                    || observed != session.epoch
                    || self.region.load(Field::Written) != session.read.count()
            }
        }
    }

    /// Skips all that was written so far.
    pub fn drain(&mut self) {
        if let State::Synchronised(session) = &mut self.state {
            let written = self.region.load(Field::Written);
            if written >= session.read.count() {
                session.read.jump(written, &session.geometry);
                session.seen = written;
            }
        }
    }

    /// Goes to the newest `count` elements of those that the channel still holds,
    /// whether they were read before or not.
    pub fn rewind(&mut self, count: u64) {
        if let State::Synchronised(session) = &mut self.state {
            let written = self.region.load(Field::Written);
            // The elements are at least as new as this count says.
            self.region.acquire(Site::WrittenThenCopy);
            if written >= session.seen {
                // One less than there are: the writer may be at the oldest.
                let held = session.geometry.elements() - 1;
                let back = written - count.min(held).min(written);
                session.read.jump(back, &session.geometry);
                session.seen = written;
            }
        }
    }

    /// What the header says now, unchecked.
    pub fn header(&self) -> Header {
        Header::observe(&self.region)
    }

    /// Takes the next element: `take` copies what it wants from it.
    ///
    /// `take` sees bytes that may change under its hands; only if the result is
    /// [`Read::Taken`] was the element whole, and only that hands the value on.
    #[inline]
    pub fn read<T>(&mut self, take: impl FnOnce(&Element<'_, M>) -> T) -> Read<T> {
        let (session, _) = match self.look(1) {
            Ok(found) => found,
            Err(other) => return other.into(),
        };
        let taken = take(&self.element(&session, &session.read));
        let mut end = session.read;
        end.advance(&session.geometry);
        match self.settle(&session, end) {
            Ok(_) => Read::Taken(taken),
            Err(other) => other.into(),
        }
    }

    /// Takes up to `max` elements with one look at the counters before and one
    /// after: `take` is called for one after the other, in order.
    ///
    /// As for [`read`](Self::read), nothing that `take` copied counts before the
    /// result is there: then all do but the first [`Burst::lost`].
    /// What was lost in a burst of which something is left is reported there
    /// alone; only if nothing is left, the result is [`Read::Overrun`].
    #[inline]
    pub fn read_burst(&mut self, max: usize, mut take: impl FnMut(&Element<'_, M>)) -> Read<Burst> {
        // CAST: usize is at most 64 bits on every target.
        let max = max as u64;
        let (session, pending) = match self.look(max) {
            Ok(found) => found,
            Err(other) => return other.into(),
        };
        // CAST: at most `max`, which was a usize.
        let taken = pending.min(max) as usize;
        let mut end = session.read;
        for _ in 0..taken {
            take(&self.element(&session, &end));
            end.advance(&session.geometry);
        }
        match self.settle(&session, end) {
            Ok(lost) => Read::Taken(Burst {
                taken,
                // CAST: at most `taken`, a usize.
                lost: lost as usize,
            }),
            Err(other) => other.into(),
        }
    }

    /// What there is to read: a copy of the session, and how many elements follow.
    /// The write count is looked at when fewer than `wanted` are known of.
    #[inline]
    fn look(&mut self, wanted: u64) -> Result<(Session, u64), Other> {
        let observed = self.region.load(Field::Epoch);
        if self.epoch() != observed {
            self.follow(observed);
        }
        if core::mem::take(&mut self.unreported) {
            return Err(Other::NewEpoch(observed));
        }
        let session = match &mut self.state {
            State::Detached => return Err(Other::Inactive),
            State::Faulty { fault, .. } => return Err(Other::Faulty(*fault)),
            State::Synchronised(session) => session,
        };
        let read = session.read.count();
        if session.seen - read < wanted {
            let written = self.region.load(Field::Written);
            // The elements copied later are at least as new as this count says,
            // and the epoch looked at later at least as new as this count.
            self.region.acquire(Site::WrittenThenCopy);
            if written == read {
                return Err(Other::Empty);
            }
            if written < session.seen {
                // A writer that starts anew clears its counters, epoch first.
                return Err(if self.region.load(Field::Epoch) == session.epoch {
                    let seen = session.seen;
                    self.fail(Fault::WrittenBackwards {
                        found: written,
                        seen,
                    })
                } else {
                    Other::Empty
                });
            }
            session.seen = written;
            if written - read > session.geometry.elements() {
                return Err(session.overrun(self.resume, written, written));
            }
        }
        // No more than the channel holds, whatever the counters say.
        let pending = (session.seen - read).min(session.geometry.elements());
        Ok((*session, pending))
    }

    #[inline]
    fn element(&self, session: &Session, at: &Cursor) -> Element<'_, M> {
        Element {
            region: &self.region,
            offset: at.offset(),
            size: session.geometry.element_size(),
        }
    }

    /// After the elements from `session.read` to `end` were copied: how many of
    /// them, from the first on, may have been overwritten meanwhile. Some are whole.
    ///
    /// Element k is overwritten by element k + `elements`, which is not begun
    /// before the start count is above k + `elements`. So whatever lies at or above
    /// the start count less `elements` was whole when it was copied, however
    /// many were copied before.
    #[inline]
    fn settle(&mut self, session: &Session, end: Cursor) -> Result<u64, Other> {
        // The counters loaded below are at least as new as any byte copied above.
        self.region.acquire(Site::CopyThenStart);
        let started = self.region.load(Field::WriteStart);
        // A start count of a later epoch is not seen without the epoch's change.
        self.region.acquire(Site::StartThenEpoch);
        let observed = self.region.load(Field::Epoch);
        if observed != session.epoch {
            self.follow(observed);
            return Err(if core::mem::take(&mut self.unreported) {
                Other::NewEpoch(observed)
            } else {
                Other::Inactive
            });
        }
        if started < session.seen {
            let written = session.seen;
            return Err(self.fail(Fault::StartedBehindWritten { started, written }));
        }
        let State::Synchronised(current) = &mut self.state else {
            return Err(Other::Inactive);
        };
        let read = session.read.count();
        // At least 0: `started` is not below `seen`, which is above `read`.
        let lost = (started - read).saturating_sub(session.geometry.elements());
        if lost >= end.count() - read && lost > 0 {
            // Where the newest is by now.
            let written = self.region.load(Field::Written).max(session.seen);
            // Elements up to this count are copied without another look at it.
            self.region.acquire(Site::ResumeThenCopy);
            return Err(current.overrun(self.resume, started, written));
        }
        current.read = end;
        Ok(lost)
    }

    /// The epoch that the state stands for; 0 while detached.
    #[inline]
    fn epoch(&self) -> u64 {
        match &self.state {
            State::Detached => 0,
            State::Synchronised(session) => session.epoch,
            State::Faulty { epoch, .. } => *epoch,
        }
    }

    #[cold]
    fn fail(&mut self, fault: Fault) -> Other {
        self.change(State::Faulty {
            epoch: self.epoch(),
            fault,
        });
        Other::Faulty(fault)
    }

    fn change(&mut self, state: State) {
        #[cfg(feature = "log")]
        self.report.change(state.peer());
        self.state = state;
    }

    /// Follows the writer from the state's epoch to the `observed` one.
    #[cold]
    fn follow(&mut self, observed: u64) {
        if observed == self.epoch() {
            return;
        }
        self.unreported = false;
        if observed == 0 {
            self.change(State::Detached);
            return;
        }
        // The header is at least as new as the epoch.
        self.region.acquire(Site::EpochThenHeader);
        let checked = self.check_header();
        // If the writer began anew meanwhile, the epoch below has changed.
        self.region.acquire(Site::HeaderThenEpoch);
        if self.region.load(Field::Epoch) != observed {
            // Unsettled: whatever was copied is no statement. Look again at the next call.
            self.state = State::Detached;
            return;
        }
        self.unreported = checked.is_ok();
        self.change(match checked {
            Ok(geometry) => State::Synchronised(Session {
                epoch: observed,
                geometry,
                read: Cursor::START,
                seen: 0,
            }),
            Err(fault) => State::Faulty {
                epoch: observed,
                fault,
            },
        });
    }

    /// Copies the header's fields, each once, and checks the copies.
    fn check_header(&self) -> Result<Geometry, Fault> {
        let transport = self.region.load(Field::Transport);
        let protocol = self.region.load(Field::Protocol);
        let size = self.region.load(Field::Size);
        let elements = self.region.load(Field::Elements);
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

/// One element in shared memory: its bytes may change at any time.
#[derive(Debug)]
pub struct Element<'a, M> {
    region: &'a Region<M>,
    offset: usize,
    size: usize,
}

impl<M: Memory> Element<'_, M> {
    /// Bytes of the element, as checked with its epoch.
    #[inline]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Copies the bytes from `at` on, counted from the element's start, into
    /// `target`; nothing and `false` if they reach outside of the element.
    #[inline]
    pub fn copy_out(&self, at: usize, target: &mut [u8]) -> bool {
        at <= self.size
            && target.len() <= self.size - at
            && self.region.copy_out(self.offset + at, target)
    }
}
