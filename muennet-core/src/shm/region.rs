// SPDX-License-Identifier: MIT OR Apache-2.0
//! A bounded view of a piece of shared memory.

use super::{word, Memory, MemoryMut, Site, Window, WindowMut};
use core::{fmt, ptr::NonNull};

/// Bytes of a region's header, and the offset of the first byte behind it.
pub const HEADER_SIZE: usize = 64;

/// A 64-bit word of the header.
///
/// # Invariants
///
/// The word is aligned and lies within the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeaderWord {
    offset: usize,
}

impl HeaderWord {
    /// The word at `offset` bytes from the start of the region. For constants: another
    /// offset than that of a word in the header ends the compilation.
    pub(crate) const fn at(offset: usize) -> Self {
        assert!(offset % size_of::<u64>() == 0 && offset < HEADER_SIZE);
        // INVARIANT: just checked; HEADER_SIZE is a multiple of a word's size.
        Self { offset }
    }
}

/// A channel's memory: a header of [`HEADER_SIZE`] bytes and what follows it.
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
/// use muennet_core::shm::{Region, RegionError};
///
/// assert_eq!(Region::new(Words::new(512))?.len(), 4096);
/// assert!(matches!(Region::new(Words::new(7)), Err(RegionError::TooSmall { len: 56 })));
/// # Ok::<(), RegionError>(())
/// ```
///
/// # Invariants
///
/// `base` is aligned to 8 bytes; `len >= HEADER_SIZE`; both are what `memory`
/// said when it was handed over, and `memory` keeps them valid.
#[derive(Debug)]
pub struct Region<M> {
    base: NonNull<u8>,
    len: usize,
    _memory: M,
}

// SAFETY: `base` points to memory that stays where it is when `memory` moves
// (contract of `Memory`), and is accessed by atomics alone.
unsafe impl<M: Send> Send for Region<M> {}
// SAFETY: as above; `&Region` reads, or writes by atomics.
unsafe impl<M: Sync> Sync for Region<M> {}

/// Why memory cannot hold a channel.
///
/// ```
/// use muennet_core::shm::RegionError;
///
/// let error = RegionError::TooSmall { len: 56 };
/// assert!(error.to_string().contains("56"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RegionError {
    /// The region has `len` bytes, fewer than the header's 64.
    TooSmall {
        /// Bytes there are.
        len: usize,
    },
    /// The region starts at an address that is not a multiple of 8.
    Misaligned,
}

impl fmt::Display for RegionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooSmall { len } => write!(
                f,
                "a region of {len} bytes cannot hold a channel's header of {HEADER_SIZE} bytes"
            ),
            Self::Misaligned => f.write_str("the region's address is not a multiple of 8"),
        }
    }
}

impl core::error::Error for RegionError {}

impl<M: Memory> Region<M> {
    /// Takes over `memory` as a channel's region.
    ///
    /// # Errors
    ///
    /// [`RegionError`] when the header does not fit or the address is not a multiple of 8.
    pub fn new(memory: M) -> Result<Self, RegionError> {
        let (base, len) = (memory.base(), memory.len());
        if len < HEADER_SIZE {
            return Err(RegionError::TooSmall { len });
        }
        if base.as_ptr() as usize % 8 != 0 {
            return Err(RegionError::Misaligned);
        }
        // INVARIANT: both were just checked.
        Ok(Self {
            base,
            len,
            _memory: memory,
        })
    }

    /// Length in bytes, header included.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Never true: a region holds at least a header.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Loads a header field once.
    #[inline]
    pub(crate) fn load(&self, field: HeaderWord) -> u64 {
        // SAFETY: by its invariants `field` is an aligned word within the header, and by
        // those of the region the header is readable and aligned.
        unsafe { word::load(self.base.as_ptr().add(field.offset).cast()) }
    }

    /// Orders the loads before it before everything after it.
    #[inline]
    pub(crate) fn acquire(&self, site: Site) {
        word::acquire(site);
    }

    /// The `len` bytes from `offset` on; an empty window if they do not all lie in
    /// the region.
    #[inline]
    pub(crate) fn window(&self, offset: usize, len: usize) -> Window<'_> {
        let (offset, len) = self.within(offset, len);
        // SAFETY: within the region, which stays readable while it is borrowed.
        unsafe { Window::new(self.base.add(offset), len) }
    }

    /// The piece, if it lies in the region; else one without bytes.
    #[inline(always)]
    fn within(&self, offset: usize, len: usize) -> (usize, usize) {
        if offset <= self.len && len <= self.len - offset {
            (offset, len)
        } else {
            (0, 0)
        }
    }
}

impl<M: MemoryMut> Region<M> {
    /// Stores a header field.
    #[inline]
    pub(crate) fn store(&mut self, field: HeaderWord, value: u64) {
        // SAFETY: as for `load`, and writable by the contract of `MemoryMut`.
        unsafe { word::store(self.base.as_ptr().add(field.offset).cast(), value) };
    }

    /// Orders everything before it before the stores after it.
    #[inline]
    pub(crate) fn release(&self, site: Site) {
        word::release(site);
    }

    /// As [`window`](Self::window), to write to.
    #[inline]
    pub(crate) fn window_mut(&mut self, offset: usize, len: usize) -> WindowMut<'_> {
        let (offset, len) = self.within(offset, len);
        // SAFETY: within the region, which stays writable while it is borrowed.
        unsafe { WindowMut::new(self.base.add(offset), len) }
    }

    /// Clears everything behind the header.
    pub(crate) fn clear_data(&mut self) {
        self.window_mut(0, self.len).clear_from(HEADER_SIZE);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::shm::heap::Heap;

    #[test]
    fn a_window_lies_in_the_region_or_is_empty() {
        let mut region = Region::new(Heap::new(80)).unwrap();
        assert_eq!((region.len(), region.is_empty()), (80, false));
        for (offset, len, holds) in [
            (0, 80, true),
            (0, 81, false),
            (64, 16, true),
            (64, 17, false),
            (80, 0, true),
            (81, 0, false),
            // More than the region has, though not more than the offset and it together.
            (64, 80, false),
            // Behind the region; no difference and no sum wraps.
            (81, usize::MAX, false),
            (usize::MAX, 8, false),
            (8, usize::MAX, false),
        ] {
            let found = if holds { len } else { 0 };
            assert_eq!(region.window(offset, len).len(), found, "{offset} {len}");
            assert_eq!(
                region.window_mut(offset, len).len(),
                found,
                "{offset} {len}"
            );
        }
    }

    #[test]
    fn memory_without_bytes_is_empty() {
        assert!(Heap::new(0).is_empty());
        assert!(!Heap::new(1).is_empty());
        let error = Region::new(Heap::new(63)).unwrap_err();
        assert_eq!(error, RegionError::TooSmall { len: 63 });
    }
}
