// SPDX-License-Identifier: MIT OR Apache-2.0
//! A copy of the header, for those that show it.

use super::layout::field;
use crate::shm::{Memory, Region};

/// A copy of a channel's header: each field is loaded once, and none is checked.
/// The fields need not belong together: the writer may be at work.
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
/// use muennet_core::channel::{Reader, Writer};
///
/// let memory = Words::new(64);
/// let reader = Reader::new(memory, NonZeroU64::MIN, 8)?;
/// let mut writer = Writer::new(memory, NonZeroU64::MIN, 8)?;
/// writer.activate(NonZeroU64::MIN);
/// let header = reader.header();
/// // 512 bytes: a header of 64 and 56 elements of 8.
/// assert_eq!((header.epoch, header.element_size, header.elements), (1, 8, 56));
/// assert_eq!((header.write_start, header.written), (0, 0));
/// # Ok::<(), muennet_core::channel::GeometryError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The transport marker, [`TRANSPORT`](super::layout::TRANSPORT) if all is well.
    pub transport: u64,
    /// Number of the writer's start; 0 = inactive.
    pub epoch: u64,
    /// Number of the protocol that the elements follow.
    pub protocol: u64,
    /// Bytes per element.
    pub element_size: u64,
    /// Elements in the data area.
    pub elements: u64,
    /// Elements whose writing has begun.
    pub write_start: u64,
    /// Elements whose writing has ended.
    pub written: u64,
}

impl Header {
    pub(super) fn observe<M: Memory>(region: &Region<M>) -> Self {
        Self {
            transport: region.load(field::TRANSPORT),
            epoch: region.load(field::EPOCH),
            protocol: region.load(field::PROTOCOL),
            element_size: region.load(field::SIZE),
            elements: region.load(field::ELEMENTS),
            write_start: region.load(field::WRITE_START),
            written: region.load(field::WRITTEN),
        }
    }
}
