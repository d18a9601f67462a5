// SPDX-License-Identifier: MIT OR Apache-2.0
//! An element: being read, and being written.

use super::{cursor::Cursor, Geometry};
use crate::shm::{InternetSum, Memory, MemoryMut, Part, Region, Window, WindowMut};
use core::marker::PhantomData;

/// One element in shared memory: its bytes may change at any time.
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
/// use muennet_core::channel::{Read, Reader, Writer};
///
/// let memory = Words::new(64);
/// let mut reader = Reader::new(memory, NonZeroU64::MIN, 8)?;
/// let mut writer = Writer::new(memory, NonZeroU64::MIN, 8)?;
/// writer.activate(NonZeroU64::MIN);
/// writer.write(|slot| {
///     slot.put(0, &[1, 2, 3, 4, 5, 6, 7, 8][..]);
/// });
/// assert_eq!(reader.read(|_| ()), Read::NewEpoch { epoch: 1 });
/// // Bytes outside of the element are not given.
/// let read = reader.read(|element| (element.size(), element.fetch::<2>(6), element.fetch::<2>(7)));
/// assert_eq!(read, Read::Taken((8, Some([7, 8]), None)));
/// # Ok::<(), muennet_core::channel::GeometryError>(())
/// ```
#[derive(Debug)]
pub struct Element<'a, M> {
    window: Window<'a>,
    _memory: PhantomData<&'a M>,
}

impl<'a, M: Memory> Element<'a, M> {
    /// The element at `at`.
    #[inline]
    pub(super) fn new(region: &'a Region<M>, geometry: &Geometry, at: &Cursor) -> Self {
        Self {
            window: region.window(at.offset(), geometry.element_size()),
            _memory: PhantomData,
        }
    }

    /// Bytes of the element, as checked with its epoch.
    #[inline]
    pub fn size(&self) -> usize {
        self.window.len()
    }

    /// Copies the bytes from `at` on, counted from the element's start, into
    /// `target`; nothing and `false` if they reach outside of the element.
    #[inline]
    pub fn copy_out(&self, at: usize, target: &mut [u8]) -> bool {
        self.window.copy_out(at, target)
    }

    /// Copies the `N` bytes from `at` on; `None` if they reach outside of the element.
    #[inline]
    pub fn fetch<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.window.fetch(at)
    }
}

/// One element being written.
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
/// use muennet_core::channel::Writer;
///
/// let mut writer = Writer::new(Words::new(64), NonZeroU64::MIN, 8)?;
/// writer.activate(NonZeroU64::MIN);
/// writer.write(|slot| {
///     assert!(slot.put_few(0, [1, 2]));
///     // The rest of an element that was used before would show old bytes.
///     slot.clear_from(2);
///     // Bytes that reach outside of the element are not written.
///     assert!(!slot.put(7, &b"no"[..]));
/// });
/// assert_eq!(writer.written(), 1);
/// # Ok::<(), muennet_core::channel::GeometryError>(())
/// ```
#[derive(Debug)]
pub struct Slot<'a, M> {
    window: WindowMut<'a>,
    _memory: PhantomData<&'a mut M>,
}

impl<'a, M: MemoryMut> Slot<'a, M> {
    /// The element at `at`.
    #[inline]
    pub(super) fn new(region: &'a mut Region<M>, geometry: &Geometry, at: &Cursor) -> Self {
        Self {
            window: region.window_mut(at.offset(), geometry.element_size()),
            _memory: PhantomData,
        }
    }

    /// Bytes of the element.
    #[inline]
    pub fn size(&self) -> usize {
        self.window.len()
    }

    /// Copies `bytes` to `at`, counted from the element's start. What would lie
    /// outside the element is not written, and `false` returned.
    #[inline]
    pub fn put<'s>(&mut self, at: usize, bytes: impl Into<Part<'s>>) -> bool {
        self.window.copy_in(at, bytes)
    }

    /// Copies few `bytes` to `at`, as [`put`](Self::put) does.
    #[inline]
    pub fn put_few<const N: usize>(&mut self, at: usize, bytes: [u8; N]) -> bool {
        self.window.store(at, bytes)
    }

    /// As [`put`](Self::put), and adds the bytes to `sum`.
    #[inline]
    pub(crate) fn put_summing(&mut self, at: usize, part: Part<'_>, sum: &mut InternetSum) -> bool {
        self.window.copy_in_summing(at, part, sum)
    }

    /// Clears the element from `at` on.
    #[inline]
    pub fn clear_from(&mut self, at: usize) {
        self.window.clear_from(at);
    }
}
