// SPDX-License-Identifier: GPL-2.0-only

//! Errors of the kernel.

use crate::{alloc, bindings};
use core::{convert::Infallible, num::NonZeroI32};

/// An errno.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Error(NonZeroI32);

/// The result of what may fail.
pub type Result<T = (), E = Error> = core::result::Result<T, E>;

const MAX_ERRNO: i32 = 4095;

impl Error {
    const fn new(errno: i32) -> Self {
        if errno < -MAX_ERRNO || errno >= 0 {
            return code::EINVAL;
        }
        match NonZeroI32::new(errno) {
            Some(errno) => Self(errno),
            None => code::EINVAL,
        }
    }

    /// The error of a negative errno; `EINVAL` for any other number.
    pub fn from_errno(errno: i32) -> Self {
        Self::new(errno)
    }

    /// The negative errno.
    pub fn to_errno(self) -> i32 {
        self.0.get()
    }
}

impl core::fmt::Debug for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::write!(f, "Error({})", self.0)
    }
}

/// Errors by their names.
pub mod code {
    use super::{bindings, Error, NonZeroI32};

    macro_rules! codes {
        ($($name:ident)*) => {
            $(
                #[doc = concat!("`", stringify!($name), "`")]
                pub const $name: Error = match NonZeroI32::new(-(bindings::$name as i32)) {
                    Some(errno) => Error(errno),
                    None => panic!("an errno is not 0"),
                };
            )*
        };
    }

    codes!(
        EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES
        EFAULT ENOTBLK EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY
        EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EMSGSIZE EOPNOTSUPP ETIMEDOUT
        EOVERFLOW
    );
}

macro_rules! becomes {
    ($($from:ty => $code:ident,)*) => {
        $(
            impl From<$from> for Error {
                fn from(_: $from) -> Self {
                    code::$code
                }
            }
        )*
    };
}

becomes! {
    alloc::AllocError => ENOMEM,
    alloc::RemoveError => EINVAL,
    core::num::TryFromIntError => EINVAL,
    core::str::Utf8Error => EINVAL,
    core::fmt::Error => EINVAL,
}

impl<T> From<alloc::PushError<T>> for Error {
    fn from(_: alloc::PushError<T>) -> Self {
        code::EINVAL
    }
}

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// The result of a C function.
pub fn to_result(errno: i32) -> Result {
    if errno < 0 {
        Err(Error::from_errno(errno))
    } else {
        Ok(())
    }
}

/// Converts the result of a C function: the value, or the negative errno.
pub fn from_result<T: From<i16>>(result: impl FnOnce() -> Result<T>) -> T {
    match result() {
        Ok(value) => value,
        // CAST: an errno fits.
        Err(error) => T::from(error.to_errno() as i16),
    }
}
