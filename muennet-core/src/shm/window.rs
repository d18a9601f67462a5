// SPDX-License-Identifier: MIT OR Apache-2.0
//! A piece of a region, in which bytes are copied.

use super::{copy, InternetSum, Part};
use core::{marker::PhantomData, ptr::NonNull};

/// A piece of shared memory to read from.
///
/// # Invariants
///
/// From `base` on, `len` bytes are readable for as long as `'a`.
#[derive(Debug)]
pub(crate) struct Window<'a> {
    base: NonNull<u8>,
    len: usize,
    _region: PhantomData<&'a [u8]>,
}

/// A piece of shared memory to write to.
///
/// # Invariants
///
/// From `base` on, `len` bytes are writable for as long as `'a`.
#[derive(Debug)]
pub(crate) struct WindowMut<'a> {
    base: NonNull<u8>,
    len: usize,
    _region: PhantomData<&'a mut [u8]>,
}

/// True if `len` bytes from `at` on lie in a window of `room` bytes.
#[inline(always)]
fn holds(room: usize, at: usize, len: usize) -> bool {
    at <= room && len <= room - at
}

impl Window<'_> {
    /// A window.
    ///
    /// # Safety
    ///
    /// From `base` on, `len` bytes of shared memory are readable while the value lives.
    #[inline]
    pub(super) unsafe fn new(base: NonNull<u8>, len: usize) -> Self {
        // INVARIANT: by the caller's promise.
        Self {
            base,
            len,
            _region: PhantomData,
        }
    }

    /// Length in bytes.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Copies the bytes from `at` on into `target`, or nothing and `false` if they
    /// do not all lie in the window.
    #[inline]
    pub(crate) fn copy_out(&self, at: usize, target: &mut [u8]) -> bool {
        if !holds(self.len, at, target.len()) {
            return false;
        }
        // SAFETY: within the window, as just checked.
        unsafe { copy::out_of(self.base.as_ptr().add(at), target) };
        true
    }

    /// Copies the `N` bytes from `at` on, if they all lie in the window.
    #[inline]
    pub(crate) fn fetch<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        if !holds(self.len, at, N) {
            return None;
        }
        let mut bytes = [0; N];
        // SAFETY: within the window, as just checked.
        unsafe { copy::few_out_of(self.base.as_ptr().add(at), &mut bytes) };
        Some(bytes)
    }
}

impl WindowMut<'_> {
    /// A window.
    ///
    /// # Safety
    ///
    /// From `base` on, `len` bytes of shared memory are writable while the value lives.
    #[inline]
    pub(super) unsafe fn new(base: NonNull<u8>, len: usize) -> Self {
        // INVARIANT: by the caller's promise.
        Self {
            base,
            len,
            _region: PhantomData,
        }
    }

    /// Length in bytes.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Copies `source` to `at`, or nothing and `false` if it does not fit.
    #[inline]
    pub(crate) fn copy_in<'s>(&mut self, at: usize, source: impl Into<Part<'s>>) -> bool {
        let source = source.into();
        if !holds(self.len, at, source.len()) {
            return false;
        }
        // SAFETY: within the window, as just checked.
        unsafe { copy::into(self.base.as_ptr().add(at), source) };
        true
    }

    /// Copies few `bytes` to `at`, or none and `false` if they do not fit.
    #[inline]
    pub(crate) fn store<const N: usize>(&mut self, at: usize, bytes: [u8; N]) -> bool {
        if !holds(self.len, at, N) {
            return false;
        }
        // SAFETY: within the window, as just checked.
        unsafe { copy::few_into(self.base.as_ptr().add(at), &bytes) };
        true
    }

    /// As [`copy_in`](Self::copy_in), and adds the bytes to `sum`.
    #[inline]
    pub(crate) fn copy_in_summing<'s>(
        &mut self,
        at: usize,
        source: impl Into<Part<'s>>,
        sum: &mut InternetSum,
    ) -> bool {
        let source = source.into();
        if !holds(self.len, at, source.len()) {
            return false;
        }
        // SAFETY: within the window, as just checked.
        let words = unsafe { copy::into_summing(self.base.as_ptr().add(at), source) };
        sum.add(words, source.len());
        true
    }

    /// Clears the bytes from `at` on.
    #[inline]
    pub(crate) fn clear_from(&mut self, at: usize) {
        if at < self.len {
            // SAFETY: within the window, as just checked.
            unsafe { copy::clear(self.base.as_ptr().add(at), self.len - at) };
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Windows over the first eight of ten bytes.
    fn windows(bytes: &mut [u8; 10]) -> (Window<'_>, WindowMut<'_>) {
        let base = NonNull::from(bytes).cast();
        // SAFETY: bytes of an array that is borrowed and of which nobody else knows.
        unsafe { (Window::new(base, 8), WindowMut::new(base, 8)) }
    }

    #[test]
    fn one_byte_past_the_window_is_refused() {
        let mut bytes = [7; 10];
        let (window, mut target) = windows(&mut bytes);
        // The last that fits, and the first that does not.
        for (at, len, fits) in [(0, 8, true), (0, 9, false), (7, 1, true), (7, 2, false)] {
            let mut buffer = [9; 9];
            assert_eq!(window.copy_out(at, &mut buffer[..len]), fits);
            assert_eq!(buffer[0], if fits { 7 } else { 9 });
            assert_eq!(target.copy_in(at, &[7; 9][..len]), fits);
            let mut sum = InternetSum::default();
            assert_eq!(target.copy_in_summing(at, &[7; 9][..len], &mut sum), fits);
        }
        assert_eq!(window.fetch::<8>(0), Some([7; 8]));
        assert_eq!(window.fetch::<8>(1), None);
        assert_eq!(window.fetch::<9>(0), None);
        assert!(target.store(6, [7; 2]) && !target.store(7, [1; 2]));
        // Behind the end not even nothing lies in it, and no sum wraps.
        assert!(window.copy_out(8, &mut []) && !window.copy_out(9, &mut []));
        assert!(!window.copy_out(usize::MAX, &mut [0; 2]));
        assert!(!target.copy_in(usize::MAX, &[1; 2]));
        target.clear_from(8);
        target.clear_from(9);
        assert_eq!(bytes, [7; 10]);
    }

    #[test]
    fn clearing_begins_where_it_is_told_and_ends_with_the_window() {
        let mut bytes = [7; 10];
        windows(&mut bytes).1.clear_from(7);
        assert_eq!(bytes, [7, 7, 7, 7, 7, 7, 7, 0, 7, 7]);
    }
}
