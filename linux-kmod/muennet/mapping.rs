// SPDX-License-Identifier: GPL-2.0-only

//! The memory of a channel, mapped.

use crate::bindings;
use core::ptr::NonNull;
use kernel::prelude::*;
use muennet_core::{
    shm,
    sinfo::Memory,
};

/// A channel's memory, cached, for as long as the value lives.
///
/// # Invariants
///
/// `base` is mapped for `len` bytes.
struct Mapping {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping is the same on all CPUs.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    fn new(memory: &Memory) -> Result<Self> {
        let len = usize::try_from(memory.size)?;
        // SAFETY: memory that the subject information grants; mapped cached, as Muen asks.
        let base = unsafe {
            bindings::memremap(memory.address, len, bindings::MEMREMAP_WB as usize)
        };
        // INVARIANT: just mapped.
        Ok(Self {
            base: NonNull::new(base.cast()).ok_or(ENOMEM)?,
            len,
        })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: it came from `memremap`.
        unsafe { bindings::memunmap(self.base.as_ptr().cast()) };
    }
}

/// A channel that this subject reads.
pub(crate) struct Input(Mapping);

/// A channel that this subject writes.
pub(crate) struct Output(Mapping);

impl Input {
    /// Maps a channel that was checked to be one to read.
    pub(crate) fn new(memory: &Memory) -> Result<Self> {
        Ok(Self(Mapping::new(memory)?))
    }
}

impl Output {
    /// Maps a channel that was checked to be one to write.
    pub(crate) fn new(memory: &Memory) -> Result<Self> {
        Ok(Self(Mapping::new(memory)?))
    }
}

// SAFETY: mapped by the invariants; page-aligned; nothing else here touches it.
unsafe impl shm::Memory for Input {
    fn base(&self) -> NonNull<u8> {
        self.0.base
    }

    fn len(&self) -> usize {
        self.0.len
    }
}

// SAFETY: as for `Input`.
unsafe impl shm::Memory for Output {
    fn base(&self) -> NonNull<u8> {
        self.0.base
    }

    fn len(&self) -> usize {
        self.0.len
    }
}

// SAFETY: a channel to write is writable; a second interface that would write it is
// refused.
unsafe impl shm::MemoryMut for Output {}
