// SPDX-License-Identifier: MIT OR Apache-2.0
//! The words and fences of `word.rs` as loom models them.
//!
//! A loom atomic is larger than the word it stands for, so an address leads to
//! its atomic through a table of the regions that the running model made.

use super::{Memory, MemoryMut, Site};
use core::{cell::Cell, ptr::NonNull};
use loom::sync::atomic::{fence, AtomicU64, Ordering};
use std::{
    sync::{Arc, Mutex, MutexGuard},
    vec::Vec,
};

const WORD: usize = 8;

static REGIONS: Mutex<Vec<Arc<Words>>> = Mutex::new(Vec::new());

std::thread_local! {
    static WEAKENED: Cell<Option<Site>> = const { Cell::new(None) };
}

/// Runs `model` with the fence at `site` taken away.
pub(crate) fn without<T>(site: Option<Site>, model: impl FnOnce() -> T) -> T {
    WEAKENED.set(site);
    let result = model();
    WEAKENED.set(None);
    result
}

#[derive(Debug)]
struct Words {
    /// Never accessed: it lends its addresses.
    addresses: Vec<u64>,
    atomics: Vec<AtomicU64>,
}

/// A region of whole words, shared by its clones.
#[derive(Debug, Clone)]
pub(crate) struct Region(Arc<Words>);

fn regions() -> MutexGuard<'static, Vec<Arc<Words>>> {
    REGIONS.lock().unwrap_or_else(|poison| poison.into_inner())
}

impl Region {
    pub(crate) fn new(len: usize) -> Self {
        assert_eq!(len % WORD, 0);
        let words = Arc::new(Words {
            addresses: std::vec![0; len / WORD],
            atomics: (0..len / WORD).map(|_| AtomicU64::new(0)).collect(),
        });
        regions().push(words.clone());
        Self(words)
    }

    /// Forgets the region; without that its atomics would outlive their model.
    pub(crate) fn forget(self) {
        regions().retain(|words| !Arc::ptr_eq(words, &self.0));
    }
}

// SAFETY: the addresses stay allocated while any clone lives; they are only
// looked up, never accessed.
unsafe impl Memory for Region {
    fn base(&self) -> NonNull<u8> {
        NonNull::from(&*self.0.addresses).cast()
    }

    fn len(&self) -> usize {
        self.0.addresses.len() * WORD
    }
}

// SAFETY: as above.
unsafe impl MemoryMut for Region {}

fn with<T>(at: *const u8, access: impl FnOnce(&AtomicU64) -> T) -> T {
    let found = regions().iter().find_map(|words| {
        let offset = (at as usize).checked_sub(words.addresses.as_ptr() as usize)?;
        (offset < words.addresses.len() * WORD).then(|| (words.clone(), offset / WORD))
    });
    let (words, index) = found.expect("an address of no region");
    access(&words.atomics[index])
}

pub(super) unsafe fn load(at: *const u64) -> u64 {
    with(at.cast(), |word| word.load(Ordering::Relaxed))
}

pub(super) unsafe fn load_half(_: *const u32) -> u32 {
    panic!("the models speak of channels, not of tables")
}

pub(super) unsafe fn store(at: *mut u64, value: u64) {
    with(at.cast(), |word| word.store(value, Ordering::Relaxed));
}

pub(super) unsafe fn move_out(from: *const u8, to: *mut u8, len: usize) {
    assert_eq!(len % WORD, 0, "the models use whole words");
    for at in (0..len).step_by(WORD) {
        let word = with(from.wrapping_add(at), |word| word.load(Ordering::Relaxed));
        // SAFETY: `to` reaches for `len` bytes, by the caller's promise.
        unsafe { to.add(at).cast::<[u8; WORD]>().write(word.to_le_bytes()) };
    }
}

pub(super) unsafe fn move_in(from: *const u8, to: *mut u8, len: usize) {
    assert_eq!(len % WORD, 0, "the models use whole words");
    for at in (0..len).step_by(WORD) {
        // SAFETY: `from` reaches for `len` bytes, by the caller's promise.
        let word = u64::from_le_bytes(unsafe { from.add(at).cast::<[u8; WORD]>().read() });
        with(to.wrapping_add(at), |atomic| {
            atomic.store(word, Ordering::Relaxed);
        });
    }
}

pub(super) use {move_in as move_few_in, move_out as move_few_out};

pub(super) unsafe fn move_in_summing(_: *const u8, _: *mut u8, _: usize) -> u64 {
    panic!("the models speak of channels, not of frames")
}

pub(super) fn acquire(site: Site) {
    if WEAKENED.get() != Some(site) {
        fence(Ordering::Acquire);
    }
}

pub(super) fn release(site: Site) {
    if WEAKENED.get() != Some(site) {
        fence(Ordering::Release);
    }
}
