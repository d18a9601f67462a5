// SPDX-License-Identifier: MIT OR Apache-2.0
//! Loads, stores and fences of 64-bit words in shared memory.
//!
//! The read-only mapping of a reader admits relaxed loads only (Rust's
//! `core::sync::atomic`, "atomic accesses to read-only memory"), so every order
//! in this crate comes from a fence beside a relaxed access. This is the one
//! file to replace for another memory model: `word_loom.rs` does for the models.

use super::Site;
use core::sync::atomic::{fence, AtomicU64, AtomicU8, Ordering};

/// Loads the little-endian word at `at` once.
///
/// # Safety
///
/// `at` is aligned to 8 bytes and readable for 8 bytes.
#[inline]
pub(super) unsafe fn load(at: *const u64) -> u64 {
    // SAFETY: the caller promises alignment and reach; an atomic may be shared
    // with writers elsewhere, and a relaxed load needs no write access.
    u64::from_le(unsafe { &*at.cast::<AtomicU64>() }.load(Ordering::Relaxed))
}

/// Stores `value` little-endian at `at`.
///
/// # Safety
///
/// `at` is aligned to 8 bytes and writable for 8 bytes.
#[inline]
pub(super) unsafe fn store(at: *mut u64, value: u64) {
    // SAFETY: as promised by the caller.
    unsafe { &*at.cast::<AtomicU64>() }.store(value.to_le(), Ordering::Relaxed);
}

/// Loads eight bytes in memory order.
///
/// # Safety
///
/// As for [`load`].
#[inline]
pub(super) unsafe fn load_bytes(at: *const u8) -> [u8; 8] {
    // SAFETY: as promised by the caller.
    unsafe { &*at.cast::<AtomicU64>() }
        .load(Ordering::Relaxed)
        .to_ne_bytes()
}

/// Stores eight bytes in memory order.
///
/// # Safety
///
/// As for [`store`].
#[inline]
pub(super) unsafe fn store_bytes(at: *mut u8, bytes: [u8; 8]) {
    // SAFETY: as promised by the caller.
    unsafe { &*at.cast::<AtomicU64>() }.store(u64::from_ne_bytes(bytes), Ordering::Relaxed);
}

/// Loads one byte.
///
/// # Safety
///
/// `at` is readable.
#[inline]
pub(super) unsafe fn load_byte(at: *const u8) -> u8 {
    // SAFETY: as promised by the caller.
    unsafe { &*at.cast::<AtomicU8>() }.load(Ordering::Relaxed)
}

/// Stores one byte.
///
/// # Safety
///
/// `at` is writable.
#[inline]
pub(super) unsafe fn store_byte(at: *mut u8, value: u8) {
    // SAFETY: as promised by the caller.
    unsafe { &*at.cast::<AtomicU8>() }.store(value, Ordering::Relaxed);
}

/// Orders the loads before it before all accesses after it.
#[inline]
pub(super) fn acquire(_: Site) {
    fence(Ordering::Acquire);
}

/// Orders all accesses before it before the stores after it.
#[inline]
pub(super) fn release(_: Site) {
    fence(Ordering::Release);
}
