// SPDX-License-Identifier: MIT OR Apache-2.0
//! The reading end of a channel.

use super::cursor::Cursor;
use super::layout::{Field, TRANSPORT};
use super::{Geometry, GeometryError};
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
/// at most one element taken, whatever the region holds.
#[derive(Debug)]
pub struct Reader<M: Memory> {
    region: Region<M>,
    protocol: NonZeroU64,
    min_element: usize,
    state: State,
    /// A new epoch was adopted and not yet reported by `read`.
    unreported: bool,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Detached,
    Synchronised(Session),
    Faulty { epoch: u64, fault: Fault },
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

/// What one [`Reader::read`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read<T> {
    /// An element was taken, and was whole.
    Taken(T),
    /// Nothing new.
    Empty,
    /// The channel has no writer at work (epoch 0).
    Inactive,
    /// The writer started anew; reading begins with its first element. An
    /// element taken meanwhile was dropped.
    NewEpoch,
    /// The writer was faster: `lost` elements were not read. Reading goes on at
    /// the newest.
    Overrun {
        /// Elements that were written and never read.
        lost: u64,
    },
    /// The header or its counters are impossible; nothing is read until the
    /// epoch changes.
    Faulty(Fault),
}

/// What the reader knows of the writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// The write count is below what had been read.
    WrittenBackwards {
        /// Value of the header's write count.
        found: u64,
        /// Elements read so far.
        read: u64,
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
            Self::WrittenBackwards { found, read } => {
                write!(
                    f,
                    "write count is {found}, below the {read} elements already read"
                )
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
            state: State::Detached,
            unreported: false,
        })
    }

    /// Looks at the epoch now, adopts a new one, and says what became of it.
    pub fn peer(&mut self) -> Peer {
        let observed = self.region.load(Field::Epoch);
        self.follow(observed);
        match self.state {
            State::Detached => Peer::Down,
            State::Synchronised(session) => Peer::Up {
                epoch: session.epoch,
            },
            State::Faulty { fault, .. } => Peer::Faulty(fault),
        }
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

    /// Takes the next element: `take` copies what it wants from it.
    ///
    /// `take` sees bytes that may change under its hands; only if the result is
    /// [`Read::Taken`] was the element whole, and only that hands the value on.
    #[inline]
    pub fn read<T>(&mut self, take: impl FnOnce(&Element<'_, M>) -> T) -> Read<T> {
        let observed = self.region.load(Field::Epoch);
        if self.epoch() != observed {
            self.follow(observed);
        }
        if core::mem::take(&mut self.unreported) {
            return Read::NewEpoch;
        }
        let session = match &mut self.state {
            State::Detached => return Read::Inactive,
            State::Faulty { fault, .. } => return Read::Faulty(*fault),
            State::Synchronised(session) => session,
        };
        let elements = session.geometry.elements();
        let read = session.read.count();
        if session.seen == read {
            let written = self.region.load(Field::Written);
            // The element copied below is at least as new as this count says,
            // and the epoch looked at below at least as new as this count.
            self.region.acquire(Site::WrittenThenCopy);
            if written == read {
                return Read::Empty;
            }
            if written < read {
                // A writer that starts anew clears its counters, epoch first.
                return if self.region.load(Field::Epoch) == session.epoch {
                    self.fail(Fault::WrittenBackwards {
                        found: written,
                        read,
                    })
                } else {
                    Read::Empty
                };
            }
            session.seen = written;
            if written - read > elements {
                let lost = written - read;
                session.read.jump(written, &session.geometry);
                return Read::Overrun { lost };
            }
        }
        let taken = take(&Element {
            region: &self.region,
            offset: session.read.offset(),
            size: session.geometry.element_size(),
        });
        // The counters loaded below are at least as new as any byte copied above.
        self.region.acquire(Site::CopyThenStart);
        let started = self.region.load(Field::WriteStart);
        // A start count of a later epoch is not seen without the epoch's change.
        self.region.acquire(Site::StartThenEpoch);
        let observed = self.region.load(Field::Epoch);
        if observed != session.epoch {
            self.follow(observed);
            return if core::mem::take(&mut self.unreported) {
                Read::NewEpoch
            } else {
                Read::Inactive
            };
        }
        if started < session.seen {
            let written = session.seen;
            return self.fail(Fault::StartedBehindWritten { started, written });
        }
        if started - read > elements {
            // Where to go on: at the newest element that was whole.
            let written = self.region.load(Field::Written).max(session.seen);
            let lost = written - read;
            session.read.jump(written, &session.geometry);
            session.seen = written;
            return Read::Overrun { lost };
        }
        session.read.advance(&session.geometry);
        Read::Taken(taken)
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

    fn fail<T>(&mut self, fault: Fault) -> Read<T> {
        self.state = State::Faulty {
            epoch: self.epoch(),
            fault,
        };
        Read::Faulty(fault)
    }

    /// Follows the writer from the state's epoch to the `observed` one.
    fn follow(&mut self, observed: u64) {
        if observed == self.epoch() {
            return;
        }
        self.unreported = false;
        if observed == 0 {
            self.state = State::Detached;
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
        self.state = match checked {
            Ok(geometry) => {
                self.unreported = true;
                State::Synchronised(Session {
                    epoch: observed,
                    geometry,
                    read: Cursor::START,
                    seen: 0,
                })
            }
            Err(fault) => State::Faulty {
                epoch: observed,
                fault,
            },
        };
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
