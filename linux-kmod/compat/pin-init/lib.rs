// SPDX-License-Identifier: GPL-2.0-only

//! Initialising values where they stay: the part of the kernel's `pin_init` crate that
//! the modules use, in the same form.
//!
//! An initialiser writes a value to a place that it is given, or leaves nothing there
//! and gives an error. Fields that were written before the error are dropped.

#![no_std]

use core::{
    convert::Infallible,
    marker::PhantomData,
    mem::MaybeUninit,
    pin::Pin,
    ptr,
};

pub use pin_macros::{pin_data, pinned_drop};

/// Writes a `T` to where it stays.
///
/// # Safety
///
/// [`__pinned_init`](Self::__pinned_init) writes a whole `T`, or gives an error and
/// leaves nothing that needs dropping.
pub unsafe trait PinInit<T, E = Infallible>: Sized {
    /// Writes the value.
    ///
    /// # Safety
    ///
    /// `slot` may be written, and the value is not moved afterwards.
    unsafe fn __pinned_init(self, slot: *mut T) -> Result<(), E>;
}

// SAFETY: writes the whole value.
unsafe impl<T> PinInit<T> for T {
    unsafe fn __pinned_init(self, slot: *mut T) -> Result<(), Infallible> {
        // SAFETY: by the caller's promise.
        unsafe { slot.write(self) };
        Ok(())
    }
}

struct Closure<F, T, E>(F, PhantomData<fn(*mut T) -> E>);

// SAFETY: by the promise of `pin_init_from_closure`.
unsafe impl<T, E, F: FnOnce(*mut T) -> Result<(), E>> PinInit<T, E> for Closure<F, T, E> {
    unsafe fn __pinned_init(self, slot: *mut T) -> Result<(), E> {
        (self.0)(slot)
    }
}

/// An initialiser of a closure.
///
/// # Safety
///
/// The closure does what [`PinInit`] asks for.
pub const unsafe fn pin_init_from_closure<T, E>(
    closure: impl FnOnce(*mut T) -> Result<(), E>,
) -> impl PinInit<T, E> {
    Closure(closure, PhantomData)
}

/// An initialiser that `make` makes when it is used.
pub fn pin_init_scope<T, E, I: PinInit<T, E>>(
    make: impl FnOnce() -> Result<I, E>,
) -> impl PinInit<T, E> {
    // SAFETY: the initialiser does what is asked for; before it there is nothing to drop.
    unsafe { pin_init_from_closure(move |slot| make()?.__pinned_init(slot)) }
}

/// Types for which all bytes zero is a value.
///
/// # Safety
///
/// It is.
pub unsafe trait Zeroable {}

/// The value of all bytes zero.
pub const fn zeroed<T: Zeroable>() -> T {
    // SAFETY: a value, as the trait promises.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

/// Dropping a value that is pinned.
pub trait PinnedDrop {
    /// Called when the value is dropped.
    fn drop(self: Pin<&mut Self>);
}

/// Drops a field that was written, unless it is forgotten.
#[doc(hidden)]
pub struct Guard<T>(*mut T);

impl<T> Guard<T> {
    /// # Safety
    ///
    /// `field` was written, and nobody else drops it while the guard is there.
    pub unsafe fn new(field: *mut T) -> Self {
        Self(field)
    }
}

impl<T> Drop for Guard<T> {
    fn drop(&mut self) {
        // SAFETY: by the promise of `new`.
        unsafe { ptr::drop_in_place(self.0) };
    }
}

/// Writes a field.
///
/// # Safety
///
/// As for [`PinInit::__pinned_init`].
#[doc(hidden)]
pub unsafe fn init_field<T, E>(field: *mut T, init: impl PinInit<T, E>) -> Result<(), E> {
    // SAFETY: by the caller's promise.
    unsafe { init.__pinned_init(field) }
}

/// Gives `slot` the type of a value that is never made.
#[doc(hidden)]
pub fn of_type<T>(slot: *mut T, _value: impl FnOnce() -> T) -> *mut T {
    slot
}

/// A value of any type, in code that is never run.
#[doc(hidden)]
pub fn never<T>() -> T {
    unreachable!()
}

/// Room for a value on the stack; see [`stack_pin_init!`].
#[doc(hidden)]
pub struct StackSlot<T> {
    value: MaybeUninit<T>,
    ready: bool,
}

impl<T> StackSlot<T> {
    pub const fn new() -> Self {
        Self {
            value: MaybeUninit::uninit(),
            ready: false,
        }
    }

    pub fn init(self: Pin<&mut Self>, init: impl PinInit<T>) -> Pin<&mut T> {
        // SAFETY: nothing is moved out of it.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: room for the value, which stays there.
        match unsafe { init.__pinned_init(this.value.as_mut_ptr()) } {
            Ok(()) => this.ready = true,
            Err(never) => match never {},
        }
        // SAFETY: just initialised, and pinned as the slot is.
        unsafe { Pin::new_unchecked(this.value.assume_init_mut()) }
    }
}

impl<T> Drop for StackSlot<T> {
    fn drop(&mut self) {
        if self.ready {
            // SAFETY: initialised.
            unsafe { self.value.assume_init_drop() };
        }
    }
}

/// Makes a pinned value on the stack: `stack_pin_init!(let name = initialiser);`.
#[macro_export]
macro_rules! stack_pin_init {
    (let $name:ident = $init:expr) => {
        let $name = ::core::pin::pin!($crate::StackSlot::new());
        let $name = $crate::StackSlot::init($name, $init);
    };
}

/// An initialiser that cannot fail, of a struct's fields: `field: value`, or
/// `field <- initialiser`.
#[macro_export]
macro_rules! pin_init {
    ($(&$this:ident in)? $type:ident { $($fields:tt)* }) => {
        $crate::__init!([$($this)?] [$type] [::core::convert::Infallible] $($fields)*)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __init {
    ([$($this:ident)?] [$type:ident] [$error:ty] $($fields:tt)*) => {{
        let init = move |slot| -> ::core::result::Result<(), $error> {
            // Has an error if a field is missing.
            let slot = $crate::of_type(slot, || $crate::__value!([$type] [] $($fields)*));
            $(
                // SAFETY: the place of a value is not null.
                let $this = unsafe { ::core::ptr::NonNull::new_unchecked(slot) };
            )?
            $crate::__fields!([slot] $($fields)*);
            Ok(())
        };
        // SAFETY: all fields are written, or those that were are dropped.
        unsafe { $crate::pin_init_from_closure::<_, $error>(init) }
    }};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __value {
    ([$type:ident] [$($done:tt)*]) => { $type { $($done)* } };
    ([$type:ident] [$($done:tt)*] $field:ident <- $value:expr $(, $($rest:tt)*)?) => {
        $crate::__value!([$type] [$($done)* $field: $crate::never(),] $($($rest)*)?)
    };
    ([$type:ident] [$($done:tt)*] $field:ident : $value:expr $(, $($rest:tt)*)?) => {
        $crate::__value!([$type] [$($done)* $field: $crate::never(),] $($($rest)*)?)
    };
    ([$type:ident] [$($done:tt)*] $field:ident $(, $($rest:tt)*)?) => {
        $crate::__value!([$type] [$($done)* $field: $crate::never(),] $($($rest)*)?)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __fields {
    ([$slot:ident]) => {};
    ([$slot:ident] $field:ident <- $value:expr $(, $($rest:tt)*)?) => {
        let init = $value;
        // SAFETY: the field's place, where it stays.
        unsafe { $crate::init_field(&raw mut (*$slot).$field, init)? };
        // SAFETY: just written.
        let guard = unsafe { $crate::Guard::new(&raw mut (*$slot).$field) };
        $crate::__fields!([$slot] $($($rest)*)?);
        ::core::mem::forget(guard);
    };
    ([$slot:ident] $field:ident : $value:expr $(, $($rest:tt)*)?) => {
        let value = $value;
        // SAFETY: the field's place.
        unsafe { (&raw mut (*$slot).$field).write(value) };
        // SAFETY: just written.
        let guard = unsafe { $crate::Guard::new(&raw mut (*$slot).$field) };
        $crate::__fields!([$slot] $($($rest)*)?);
        ::core::mem::forget(guard);
    };
    ([$slot:ident] $field:ident $(, $($rest:tt)*)?) => {
        $crate::__fields!([$slot] $field: $field $(, $($rest)*)?)
    };
}
