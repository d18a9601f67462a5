// SPDX-License-Identifier: MIT OR Apache-2.0
//! A channel mapped as often as its ends need it, each mapping between guard pages.

use muennet_core::shm::{Memory, MemoryMut};
use rustix::{
    fs::{ftruncate, memfd_create, MemfdFlags},
    mm::{mmap, mmap_anonymous, munmap, MapFlags, ProtFlags},
};
use std::{
    os::fd::OwnedFd,
    ptr::{self, NonNull},
    sync::atomic::{AtomicU64, AtomicU8, Ordering},
};

const PAGE: usize = 4096;
/// Bytes of a channel.
pub const SIZE: usize = 2 * PAGE;

/// A channel's memory.
pub struct Channel(OwnedFd);

impl Channel {
    /// A channel of zeros.
    pub fn new() -> Self {
        let memory = memfd_create("race", MemfdFlags::CLOEXEC).expect("a memfd");
        ftruncate(&memory, SIZE as u64).expect("room");
        Self(memory)
    }

    /// A mapping to read.
    pub fn readable(&self) -> Mapped {
        self.map(ProtFlags::READ)
    }

    /// A mapping to write.
    pub fn writable(&self) -> Mapped {
        self.map(ProtFlags::READ | ProtFlags::WRITE)
    }

    fn map(&self, access: ProtFlags) -> Mapped {
        let (none, len) = (ProtFlags::empty(), SIZE + 2 * PAGE);
        // SAFETY: fresh addresses without access, of which those between the first and the
        // last page become the channel.
        let base = unsafe {
            let all = mmap_anonymous(ptr::null_mut(), len, none, MapFlags::PRIVATE).expect("room");
            let inner = all.cast::<u8>().add(PAGE).cast();
            let flags = MapFlags::SHARED | MapFlags::FIXED;
            mmap(inner, SIZE, access, flags, &self.0, 0).expect("a mapping")
        };
        Mapped(NonNull::new(base.cast()).expect("an address"))
    }
}

/// A mapping; touching what lies before or behind it ends the process.
pub struct Mapped(NonNull<u8>);

// SAFETY: a mapping is the same for all threads.
unsafe impl Send for Mapped {}

// SAFETY: mapped until the value is dropped.
unsafe impl Memory for Mapped {
    fn base(&self) -> NonNull<u8> {
        self.0
    }

    fn len(&self) -> usize {
        SIZE
    }
}

// SAFETY: those that are not writable are never written to; a second writer is the matter
// of this program.
unsafe impl MemoryMut for Mapped {}

impl Mapped {
    /// Writes a word.
    pub fn store(&self, word: usize, value: u64) {
        assert!(word < SIZE / 8);
        // SAFETY: an aligned word of the mapping, which is reached by atomics and by the
        // core's accesses alone.
        let word = unsafe { &*self.0.as_ptr().cast::<AtomicU64>().add(word) };
        word.store(value, Ordering::Relaxed);
    }

    /// Reads a word.
    pub fn load(&self, word: usize) -> u64 {
        assert!(word < SIZE / 8);
        // SAFETY: as for `store`.
        let word = unsafe { &*self.0.as_ptr().cast::<AtomicU64>().add(word) };
        word.load(Ordering::Relaxed)
    }

    /// Writes a byte, if there is one at that place.
    pub fn store_byte(&self, at: usize, value: u8) {
        if at < SIZE {
            // SAFETY: a byte of the mapping; as for `store`.
            let byte = unsafe { &*self.0.as_ptr().add(at).cast::<AtomicU8>() };
            byte.store(value, Ordering::Relaxed);
        }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: with its guards as it was mapped; nobody uses it any more.
        let _ = unsafe { munmap(self.0.as_ptr().sub(PAGE).cast(), SIZE + 2 * PAGE) };
    }
}
