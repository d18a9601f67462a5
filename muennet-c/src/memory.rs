// SPDX-License-Identifier: MIT OR Apache-2.0
//! The memory of a channel, by address and length.

use crate::{config::Region, Code};
use core::ptr::NonNull;
use muennet_core::shm::{Memory, MemoryMut};

/// A region that C has mapped.
///
/// # Invariants
///
/// From `base` on, `len` bytes stay mapped while the link is open; they are reached by its
/// channel alone.
#[derive(Debug)]
pub(crate) struct Mapped {
    base: NonNull<u8>,
    len: usize,
}

impl Mapped {
    /// The region at an address.
    ///
    /// # Safety
    ///
    /// The region is mapped, readable, and writable if it is handed to a sender, for as long
    /// as the value lives; this program reaches it through the value alone.
    pub(crate) unsafe fn new(region: &Region) -> Result<Self, Code> {
        // INVARIANT: by the caller's promise.
        Ok(Self {
            base: NonNull::new(region.base).ok_or(Code::NullPointer)?,
            len: region.length,
        })
    }
}

// SAFETY: by the invariants; both values are constant, and do not depend on where `self` is.
unsafe impl Memory for Mapped {
    #[inline]
    fn base(&self) -> NonNull<u8> {
        self.base
    }

    #[inline]
    fn len(&self) -> usize {
        self.len
    }
}

// SAFETY: `new` was promised that a region for a sender is writable and has one writer here.
unsafe impl MemoryMut for Mapped {}
