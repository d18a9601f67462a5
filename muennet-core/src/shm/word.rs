// SPDX-License-Identifier: MIT OR Apache-2.0
//! Loads, stores and fences in shared memory.
//!
//! The read-only mapping of a reader admits relaxed loads only (Rust's
//! `core::sync::atomic`, "atomic accesses to read-only memory"), so every order
//! in this crate comes from a fence beside a relaxed access. This is the one
//! file to replace for another memory model: `word_loom.rs` does for the models.
//!
//! Header words are atomics. Elements are moved in blocks by volatile access: a
//! peer in another program may write them meanwhile, which Rust's model of
//! atomics does not speak of for accesses of several bytes at odd addresses. A
//! volatile access is made as written, once, as for a device that changes memory
//! by itself (the same choice as the Linux kernel's `READ_ONCE` and vm-memory);
//! what it yields is some mix of old and new bytes, and the counters tell
//! whether to believe it.

use super::Site;
use core::sync::atomic::{fence, AtomicU64, Ordering};

/// What is moved at once where enough is left.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
type Block = core::arch::x86_64::__m128i;
#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
type Block = u64;

/// A value at any address.
#[repr(C, packed)]
#[derive(Clone, Copy)]
struct Unaligned<T>(T);

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

/// Moves `len` bytes from shared to private memory, each read once.
///
/// # Safety
///
/// `from` is readable and `to` writable for `len` bytes; they do not overlap.
#[inline]
pub(super) unsafe fn move_out(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: as promised by the caller; `Unaligned` asks for no alignment.
    unsafe {
        move_by(from, to, len, |from, to, step| match step {
            Step::Block => to
                .cast::<Unaligned<Block>>()
                .write(from.cast::<Unaligned<Block>>().read_volatile()),
            Step::Word => to
                .cast::<Unaligned<u64>>()
                .write(from.cast::<Unaligned<u64>>().read_volatile()),
            Step::Byte => to.write(from.read_volatile()),
        });
    }
}

/// Moves `len` bytes from private to shared memory, each written once.
///
/// # Safety
///
/// As for [`move_out`].
#[inline]
pub(super) unsafe fn move_in(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: as promised by the caller; `Unaligned` asks for no alignment.
    unsafe {
        move_by(from, to, len, |from, to, step| match step {
            Step::Block => to
                .cast::<Unaligned<Block>>()
                .write_volatile(from.cast::<Unaligned<Block>>().read()),
            Step::Word => to
                .cast::<Unaligned<u64>>()
                .write_volatile(from.cast::<Unaligned<u64>>().read()),
            Step::Byte => to.write_volatile(from.read()),
        });
    }
}

/// As [`move_in`]; gives the sum of the moved bytes as 16-bit words in the
/// machine's order, as ones' complement in 64 bits. The last word is filled up
/// with zeros.
///
/// # Safety
///
/// As for [`move_out`].
#[inline]
pub(super) unsafe fn move_in_summing(from: *const u8, to: *mut u8, len: usize) -> u64 {
    const WORD: usize = size_of::<u64>();
    let mut sum = 0u64;
    let mut at = 0;
    let mut add = |word: u64| {
        let (next, carry) = sum.overflowing_add(word);
        // Cannot wrap again: with a carry, `next` is not the largest number.
        sum = next.wrapping_add(carry.into());
    };
    while len - at >= WORD {
        // SAFETY: `at + WORD <= len`; `Unaligned` asks for no alignment.
        unsafe {
            let word = from.add(at).cast::<Unaligned<u64>>().read();
            to.add(at).cast::<Unaligned<u64>>().write_volatile(word);
            add(word.0);
        }
        at += WORD;
    }
    let mut last = [0; WORD];
    for byte in &mut last {
        if at == len {
            break;
        }
        // SAFETY: `at < len`.
        unsafe {
            *byte = from.add(at).read();
            to.add(at).write_volatile(*byte);
        }
        at += 1;
    }
    add(u64::from_ne_bytes(last));
    sum
}

#[derive(Clone, Copy)]
enum Step {
    Block,
    Word,
    Byte,
}

/// Goes over `len` bytes in the largest steps that fit.
///
/// # Safety
///
/// `from` and `to` reach for `len` bytes.
#[inline(always)]
unsafe fn move_by(
    from: *const u8,
    to: *mut u8,
    len: usize,
    one: impl Fn(*const u8, *mut u8, Step),
) {
    const BLOCK: usize = size_of::<Block>();
    const WORD: usize = size_of::<u64>();
    let mut at = 0;
    // SAFETY: every step ends at `len` or before it.
    let step = |at: usize, step| unsafe { one(from.add(at), to.add(at), step) };
    while len - at >= 4 * BLOCK {
        step(at, Step::Block);
        step(at + BLOCK, Step::Block);
        step(at + 2 * BLOCK, Step::Block);
        step(at + 3 * BLOCK, Step::Block);
        at += 4 * BLOCK;
    }
    while len - at >= BLOCK {
        step(at, Step::Block);
        at += BLOCK;
    }
    while len - at >= WORD {
        step(at, Step::Word);
        at += WORD;
    }
    while len > at {
        step(at, Step::Byte);
        at += 1;
    }
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
