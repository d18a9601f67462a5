// SPDX-License-Identifier: MIT OR Apache-2.0
//! A piece of a region, in which bytes are copied.

use super::{copy, InternetSum};
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
    pub(crate) fn copy_in(&mut self, at: usize, source: &[u8]) -> bool {
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
    pub(crate) fn copy_in_summing(
        &mut self,
        at: usize,
        source: &[u8],
        sum: &mut InternetSum,
    ) -> bool {
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
