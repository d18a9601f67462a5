// SPDX-License-Identifier: MIT OR Apache-2.0
//! The outcome of a read, and where reading resumes after an overrun.

use super::Fault;

/// The outcome of one [`Reader::read`](super::Reader::read).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Read<T> {
    /// An element was taken, and was whole.
    Taken(T),
    /// The channel holds no new element.
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

/// The elements that one [`Reader::read_burst`](super::Reader::read_burst) took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Burst {
    /// Elements that were taken, those lost included.
    pub taken: usize,
    /// Number of elements at the start that do not count: the writer may have
    /// overwritten them while they were copied. Less than `taken`.
    pub lost: usize,
}

/// The element at which reading resumes after an overrun.
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

/// The state of the writer, as the reader knows it.
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
