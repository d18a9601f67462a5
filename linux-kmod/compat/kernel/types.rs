// SPDX-License-Identifier: GPL-2.0-only

//! Values that C owns.

use core::{cell::UnsafeCell, marker::PhantomPinned, mem::MaybeUninit};
use pin_init::PinInit;

/// A value that C initialises, changes and ends.
#[repr(transparent)]
pub struct Opaque<T> {
    value: UnsafeCell<MaybeUninit<T>>,
    _pinned: PhantomPinned,
}

impl<T> Opaque<T> {
    /// With a value to begin with.
    pub const fn new(value: T) -> Self {
        Self {
            value: UnsafeCell::new(MaybeUninit::new(value)),
            _pinned: PhantomPinned,
        }
    }

    /// Not initialised.
    pub const fn uninit() -> Self {
        Self {
            value: UnsafeCell::new(MaybeUninit::uninit()),
            _pinned: PhantomPinned,
        }
    }

    /// Of bytes zero.
    pub const fn zeroed() -> Self {
        Self {
            value: UnsafeCell::new(MaybeUninit::zeroed()),
            _pinned: PhantomPinned,
        }
    }

    /// Where the value lies.
    pub const fn get(&self) -> *mut T {
        UnsafeCell::get(&self.value).cast()
    }

    /// Initialised by a C function, where it stays.
    pub fn ffi_init(init: impl FnOnce(*mut T)) -> impl PinInit<Self> {
        // SAFETY: nothing of it needs dropping.
        unsafe {
            pin_init::pin_init_from_closure(move |slot: *mut Self| {
                init(slot.cast());
                Ok(())
            })
        }
    }
}
