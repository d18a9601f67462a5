// SPDX-License-Identifier: MIT OR Apache-2.0
//! Shared memory for tests: both ends in one process, and a hand to write lies.

use super::{Memory, MemoryMut};
use core::{
    ptr::NonNull,
    sync::atomic::{AtomicU64, Ordering},
};
use std::{sync::Arc, vec::Vec};

/// Words on the heap that any number of clones share.
#[derive(Clone, Debug)]
pub(crate) struct Heap {
    words: Arc<[AtomicU64]>,
    len: usize,
}

impl Heap {
    /// `len` bytes, all 0.
    pub(crate) fn new(len: usize) -> Self {
        let words: Vec<_> = (0..len.div_ceil(8)).map(|_| AtomicU64::new(0)).collect();
        Self {
            words: words.into(),
            len,
        }
    }

    /// Changes the header or element word at `offset` behind everybody's back.
    pub(crate) fn poke(&self, offset: usize, value: u64) {
        self.words[offset / 8].store(value.to_le(), Ordering::Relaxed);
    }

    pub(crate) fn peek(&self, offset: usize) -> u64 {
        u64::from_le(self.words[offset / 8].load(Ordering::Relaxed))
    }
}

// SAFETY: the words live as long as any clone, are never moved, and are atomics.
unsafe impl Memory for Heap {
    fn base(&self) -> NonNull<u8> {
        NonNull::from(&*self.words).cast()
    }

    fn len(&self) -> usize {
        self.len
    }
}

// SAFETY: atomics may be written through a shared reference; a second writer is
// what some tests are about, and does no more harm than a peer's.
unsafe impl MemoryMut for Heap {}
