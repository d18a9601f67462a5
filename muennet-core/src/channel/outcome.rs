// SPDX-License-Identifier: MIT OR Apache-2.0
//! The outcome of a read, and where reading resumes after an overrun.

use super::Fault;

/// The outcome of one [`Reader::read`](super::Reader::read).
///
/// ```
/// use muennet_core::channel::Read;
///
/// /// Elements lost by an outcome.
/// fn lost<T>(read: &Read<T>) -> u64 {
///     match read {
///         Read::Overrun { lost } => *lost,
///         _ => 0,
///     }
/// }
///
/// assert_eq!(lost(&Read::<u8>::Overrun { lost: 3 }), 3);
/// assert_eq!(lost(&Read::Taken(5)), 0);
/// ```
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
///
/// ```
/// use muennet_core::channel::Burst;
///
/// let burst = Burst { taken: 8, lost: 2 };
/// // The first two were overwritten while they were copied.
/// assert_eq!(burst.taken - burst.lost, 6);
/// ```
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
/// use muennet_core::channel::{Read, Reader, Resume, Writer};
///
/// let memory = Words::new(64);
/// let reader = Reader::new(memory, NonZeroU64::MIN, 8)?;
/// let mut reader = reader.with_resume(Resume::Newest);
/// let mut writer = Writer::new(memory, NonZeroU64::MIN, 8)?;
/// writer.activate(NonZeroU64::MIN);
/// assert_eq!(reader.read(|_| ()), Read::NewEpoch { epoch: 1 });
/// // The channel has 56 elements.
/// writer.write_batch(50, |_| ());
/// writer.write_batch(50, |_| ());
/// assert_eq!(reader.read(|_| ()), Read::Overrun { lost: 100 });
/// assert_eq!(reader.read(|_| ()), Read::Empty);
/// # Ok::<(), muennet_core::channel::GeometryError>(())
/// ```
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
///
/// ```
/// use muennet_core::channel::{Fault, Peer};
///
/// let has_carrier = |peer| matches!(peer, Peer::Up { .. });
/// assert!(has_carrier(Peer::Up { epoch: 1 }));
/// assert!(!has_carrier(Peer::Down) && !has_carrier(Peer::Faulty(Fault::NoElements)));
/// ```
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
