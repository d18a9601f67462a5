// SPDX-License-Identifier: GPL-2.0-only

//! Locks, as lockdep sees them.

use crate::{bindings, ffi::CStr, types::Opaque};
use core::{
    cell::UnsafeCell,
    marker::{PhantomData, PhantomPinned},
    ops::{Deref, DerefMut},
};
use pin_init::{pin_init, PinInit};

pub use crate::{global_lock, new_mutex, new_spinlock};

/// The key by which lockdep knows a lock: one for each place where locks are made.
#[repr(transparent)]
pub struct LockClassKey(Opaque<bindings::lock_class_key>);

// SAFETY: lockdep's own.
unsafe impl Sync for LockClassKey {}

impl LockClassKey {
    /// For a static.
    pub const fn new() -> Self {
        Self(Opaque::zeroed())
    }
}

/// A kind of lock.
///
/// # Safety
///
/// Between `lock` and `unlock` nobody else is.
pub unsafe trait Backend {
    /// The C lock.
    type State;

    /// # Safety
    ///
    /// `state` may be written and stays where it is.
    unsafe fn init(state: *mut Self::State, name: &'static CStr, key: &'static LockClassKey);

    /// # Safety
    ///
    /// Initialised.
    unsafe fn lock(state: *mut Self::State);

    /// # Safety
    ///
    /// Locked by the caller.
    unsafe fn unlock(state: *mut Self::State);
}

macro_rules! backend {
    ($(#[$doc:meta])* $name:ident, $state:ident, $init:ident, $lock:ident, $unlock:ident) => {
        $(#[$doc])*
        pub enum $name {}

        // SAFETY: the kernel's own lock.
        unsafe impl Backend for $name {
            type State = bindings::$state;

            #[inline]
            unsafe fn init(state: *mut Self::State, name: &'static CStr, key: &'static LockClassKey) {
                // SAFETY: by the caller's promise.
                unsafe { bindings::$init(state, name.as_ptr().cast(), key.0.get()) };
            }

            #[inline]
            unsafe fn lock(state: *mut Self::State) {
                // SAFETY: by the caller's promise.
                unsafe { bindings::$lock(state) };
            }

            #[inline]
            unsafe fn unlock(state: *mut Self::State) {
                // SAFETY: by the caller's promise.
                unsafe { bindings::$unlock(state) };
            }
        }
    };
}

backend!(
    /// `spinlock_t`
    Spin, spinlock, compat_spin_lock_init, compat_spin_lock, compat_spin_unlock
);
backend!(
    /// `struct mutex`
    Sleeping, mutex, compat_mutex_init, compat_mutex_lock, compat_mutex_unlock
);

/// A value behind a lock.
pub struct Lock<T, B: Backend> {
    state: Opaque<B::State>,
    value: UnsafeCell<T>,
    _pinned: PhantomPinned,
}

/// A value behind a spinlock.
pub type SpinLock<T> = Lock<T, Spin>;
/// A value behind a mutex.
pub type Mutex<T> = Lock<T, Sleeping>;

// SAFETY: the lock goes with the value.
unsafe impl<T: Send, B: Backend> Send for Lock<T, B> {}
// SAFETY: one at a time has the value.
unsafe impl<T: Send, B: Backend> Sync for Lock<T, B> {}

impl<T, B: Backend> Lock<T, B> {
    /// A lock of the class `key`.
    pub fn new(
        value: T,
        name: &'static CStr,
        key: &'static LockClassKey,
    ) -> impl PinInit<Self> {
        pin_init!(Self {
            // SAFETY: a place that stays.
            state <- Opaque::ffi_init(|state| unsafe { B::init(state, name, key) }),
            value: UnsafeCell::new(value),
            _pinned: PhantomPinned,
        })
    }

    /// Waits for the lock and takes it.
    #[inline]
    pub fn lock(&self) -> Guard<'_, T, B> {
        // SAFETY: initialised by `new`.
        unsafe { B::lock(self.state.get()) };
        Guard(self, PhantomData)
    }
}

/// The lock, taken; dropping it gives it back.
pub struct Guard<'a, T, B: Backend>(&'a Lock<T, B>, PhantomData<*mut ()>);

// SAFETY: a shared reference to it leads to the value only.
unsafe impl<T: Sync, B: Backend> Sync for Guard<'_, T, B> {}

impl<T, B: Backend> Deref for Guard<'_, T, B> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the lock is taken.
        unsafe { &*self.0.value.get() }
    }
}

impl<T, B: Backend> DerefMut for Guard<'_, T, B> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is taken.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T, B: Backend> Drop for Guard<'_, T, B> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: taken when the guard was made.
        unsafe { B::unlock(self.0.state.get()) };
    }
}

/// A mutex that is a static; made by [`global_lock!`].
pub struct GlobalMutex<T> {
    lock: Lock<T, Sleeping>,
    name: &'static CStr,
    key: LockClassKey,
}

// SAFETY: as for the lock.
unsafe impl<T: Send> Sync for GlobalMutex<T> {}

impl<T> GlobalMutex<T> {
    #[doc(hidden)]
    pub const fn new(value: T, name: &'static CStr) -> Self {
        Self {
            lock: Lock {
                state: Opaque::uninit(),
                value: UnsafeCell::new(value),
                _pinned: PhantomPinned,
            },
            name,
            key: LockClassKey::new(),
        }
    }

    /// Initialises the lock.
    ///
    /// # Safety
    ///
    /// Called once, before anything else of it.
    pub unsafe fn init(&'static self) {
        // SAFETY: by the caller's promise; a static stays.
        unsafe { Sleeping::init(self.lock.state.get(), self.name, &self.key) };
    }

    /// Waits for the lock and takes it.
    pub fn lock(&'static self) -> Guard<'static, T, Sleeping> {
        self.lock.lock()
    }
}

/// A key and a name for the locks that are made at one place.
#[doc(hidden)]
#[macro_export]
macro_rules! new_lock {
    ($lock:ident, $value:expr) => {{
        static KEY: $crate::sync::LockClassKey = $crate::sync::LockClassKey::new();
        const NAME: &::core::ffi::CStr = match ::core::ffi::CStr::from_bytes_with_nul(
            ::core::concat!(::core::file!(), ":", ::core::line!(), "\0").as_bytes(),
        ) {
            Ok(name) => name,
            Err(_) => ::core::panic!("a name without NUL"),
        };
        $crate::sync::$lock::new($value, NAME, &KEY)
    }};
}

/// Makes a spinlock.
#[macro_export]
macro_rules! new_spinlock {
    ($value:expr $(,)?) => { $crate::new_lock!(SpinLock, $value) };
}

/// Makes a mutex.
#[macro_export]
macro_rules! new_mutex {
    ($value:expr $(,)?) => { $crate::new_lock!(Mutex, $value) };
}

/// Makes a static mutex, to be initialised by its `init`.
#[macro_export]
macro_rules! global_lock {
    (
        $(#[$meta:meta])* $pub:vis
        unsafe(uninit) static $name:ident: Mutex<$type:ty> = $value:expr;
    ) => {
        $(#[$meta])*
        $pub static $name: $crate::sync::GlobalMutex<$type> = $crate::sync::GlobalMutex::new(
            $value,
            match ::core::ffi::CStr::from_bytes_with_nul(
                ::core::concat!(::core::stringify!($name), "\0").as_bytes(),
            ) {
                Ok(name) => name,
                Err(_) => ::core::panic!("a name without NUL"),
            },
        );
    };
}
