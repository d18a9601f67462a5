// SPDX-License-Identifier: GPL-2.0-only

//! C strings.

use crate::{
    alloc::{flags::GFP_KERNEL, KVec},
    error::{code::EINVAL, Result},
    ffi::c_char,
};
use core::{
    ffi::CStr,
    fmt::{self, Write},
    ops::Deref,
};

/// More methods of C strings.
pub trait CStrExt {
    /// The string at `pointer`.
    ///
    /// # Safety
    ///
    /// It is NUL-terminated, and stays as it is as long as the reference.
    unsafe fn from_char_ptr<'a>(pointer: *const c_char) -> &'a Self;

    /// Its first byte.
    fn as_char_ptr(&self) -> *const c_char;
}

impl CStrExt for CStr {
    unsafe fn from_char_ptr<'a>(pointer: *const c_char) -> &'a Self {
        // SAFETY: by the caller's promise.
        unsafe { CStr::from_ptr(pointer.cast()) }
    }

    fn as_char_ptr(&self) -> *const c_char {
        self.as_ptr().cast()
    }
}

/// A C string that is owned.
pub struct CString(KVec<u8>);

/// Counts bytes.
struct Count(usize);

impl Write for Count {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

/// Fills a vector without allocating.
struct Fill<'a>(&'a mut KVec<u8>);

impl Write for Fill<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0.push_within_capacity(byte).map_err(|_| fmt::Error)?;
        }
        Ok(())
    }
}

impl CString {
    /// The text, NUL-terminated; `EINVAL` if it holds a NUL.
    pub fn try_from_fmt(text: fmt::Arguments<'_>) -> Result<Self> {
        let mut count = Count(1);
        count.write_fmt(text)?;
        let mut bytes = KVec::with_capacity(count.0, GFP_KERNEL)?;
        Fill(&mut bytes).write_fmt(text)?;
        bytes.push(0, GFP_KERNEL)?;
        CStr::from_bytes_with_nul(&bytes).map_err(|_| EINVAL)?;
        Ok(Self(bytes))
    }
}

impl Deref for CString {
    type Target = CStr;

    fn deref(&self) -> &CStr {
        // SAFETY: checked when it was made.
        unsafe { CStr::from_bytes_with_nul_unchecked(&self.0) }
    }
}
