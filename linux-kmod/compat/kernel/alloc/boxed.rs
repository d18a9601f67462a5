// SPDX-License-Identifier: GPL-2.0-only

//! A value in memory of its own.

use super::{AllocError, Allocator, Flags, Kmalloc};
use crate::error::Error;
use core::{
    alloc::Layout,
    mem::ManuallyDrop,
    ops::{Deref, DerefMut},
    pin::Pin,
    ptr::{self, NonNull},
};
use pin_init::PinInit;

/// A value in memory from `kmalloc`.
///
/// # Invariants
///
/// The pointer leads to a value that is ours alone.
pub struct KBox<T>(NonNull<T>);

// SAFETY: the value goes with it.
unsafe impl<T: Send> Send for KBox<T> {}
// SAFETY: a shared box is a shared value.
unsafe impl<T: Sync> Sync for KBox<T> {}

/// Room for a `T`, given back when dropped.
struct Room<T>(NonNull<T>);

impl<T> Room<T> {
    fn new(flags: Flags) -> Result<Self, AllocError> {
        if size_of::<T>() == 0 {
            return Ok(Self(NonNull::dangling()));
        }
        Kmalloc::alloc(Layout::new::<T>(), flags).map(|room| Self(room.cast()))
    }

    /// The box of a value that was written.
    fn filled(self) -> KBox<T> {
        // INVARIANT: written, and nobody else has it.
        KBox(ManuallyDrop::new(self).0)
    }
}

impl<T> Drop for Room<T> {
    fn drop(&mut self) {
        if size_of::<T>() != 0 {
            // SAFETY: from `new`.
            unsafe { Kmalloc::free(self.0.cast()) };
        }
    }
}

impl<T> KBox<T> {
    /// Moves a value there.
    pub fn new(value: T, flags: Flags) -> Result<Self, AllocError> {
        let room = Room::<T>::new(flags)?;
        // SAFETY: room for a value.
        unsafe { room.0.as_ptr().write(value) };
        Ok(room.filled())
    }

    /// Initialises a value there.
    pub fn pin_init<E>(init: impl PinInit<T, E>, flags: Flags) -> Result<Pin<Self>, Error>
    where
        Error: From<E>,
    {
        let room = Room::<T>::new(flags)?;
        // SAFETY: room for a value, which stays there.
        unsafe { init.__pinned_init(room.0.as_ptr())? };
        Ok(room.filled().into())
    }

    /// As [`pin_init`](Self::pin_init), with the initialiser's own error.
    pub fn try_pin_init<E>(init: impl PinInit<T, E>, flags: Flags) -> Result<Pin<Self>, E>
    where
        E: From<AllocError>,
    {
        let room = Room::<T>::new(flags)?;
        // SAFETY: room for a value, which stays there.
        unsafe { init.__pinned_init(room.0.as_ptr())? };
        Ok(room.filled().into())
    }

    /// Gives the value away, without dropping it.
    pub fn into_raw(this: Self) -> *mut T {
        ManuallyDrop::new(this).0.as_ptr()
    }

    /// Takes a value back.
    ///
    /// # Safety
    ///
    /// It came from [`into_raw`](Self::into_raw), and was not taken back before.
    pub unsafe fn from_raw(value: *mut T) -> Self {
        // INVARIANT: by the caller's promise.
        // SAFETY: what came from `into_raw` is not null.
        Self(unsafe { NonNull::new_unchecked(value) })
    }
}

impl<T> From<KBox<T>> for Pin<KBox<T>> {
    fn from(value: KBox<T>) -> Self {
        // SAFETY: the value stays where it is until it is dropped.
        unsafe { Pin::new_unchecked(value) }
    }
}

impl<T> Deref for KBox<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: a value, by the invariants.
        unsafe { self.0.as_ref() }
    }
}

impl<T> DerefMut for KBox<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: a value of ours alone, by the invariants.
        unsafe { self.0.as_mut() }
    }
}

impl<T> Drop for KBox<T> {
    fn drop(&mut self) {
        // SAFETY: a value of ours alone, by the invariants.
        unsafe { ptr::drop_in_place(self.0.as_ptr()) };
        drop(Room(self.0));
    }
}
