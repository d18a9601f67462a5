// SPDX-License-Identifier: MIT OR Apache-2.0
//! Loads, stores and fences in shared memory.
//!
//! The read-only mapping of a reader admits relaxed loads only (Rust's
//! `core::sync::atomic`, "atomic accesses to read-only memory"), so every order
//! in this crate comes from a fence beside a relaxed access. This is the one
//! file to replace for another memory model: `word_loom.rs` does for the models.
//!
//! Header words are atomics. The bytes of elements may be written by a peer in
//! another program while they are copied, which Rust's model of atomics does not
//! speak of. So the compiler never sees an access to them that it could repeat,
//! split or merge: short pieces move by volatile accesses, aligned in shared
//! memory, and long ones in assembly, by words or a call of the platform's `memcpy`.
//! That reads and writes all bytes between its begin and its end (a few of them twice
//! where its steps overlap), and what it yields is some mix of old and new bytes in
//! private memory; the counters tell whether to believe it, and nothing looks at it
//! before or fetches it again. (The Linux kernel and vm-memory move shared bytes by `memcpy`
//! for the same reason: nothing else is as fast on every processor.)

use super::{hook, Site};
use core::sync::atomic::{fence, AtomicU32, AtomicU64, Ordering};

/// From how many bytes on a call is worth it.
const LONG: usize = 32;

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
    hook::access();
    // SAFETY: the caller promises alignment and reach; an atomic may be shared
    // with writers elsewhere, and a relaxed load needs no write access.
    u64::from_le(unsafe { &*at.cast::<AtomicU64>() }.load(Ordering::Relaxed))
}

/// Loads the little-endian number of 32 bits at `at` once.
///
/// # Safety
///
/// `at` is aligned to 4 bytes and readable for 4 bytes.
#[inline]
pub(super) unsafe fn load_half(at: *const u32) -> u32 {
    hook::access();
    // SAFETY: as for `load`.
    u32::from_le(unsafe { &*at.cast::<AtomicU32>() }.load(Ordering::Relaxed))
}

/// Stores `value` little-endian at `at`.
///
/// # Safety
///
/// `at` is aligned to 8 bytes and writable for 8 bytes.
#[inline]
pub(super) unsafe fn store(at: *mut u64, value: u64) {
    hook::access();
    // SAFETY: as promised by the caller.
    unsafe { &*at.cast::<AtomicU64>() }.store(value.to_le(), Ordering::Relaxed);
}

/// Moves `len` bytes from shared to private memory.
///
/// # Safety
///
/// `from` is readable and `to` writable for `len` bytes; they do not overlap.
#[inline]
pub(super) unsafe fn move_out(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: as promised by the caller.
    unsafe {
        if len >= LONG && platform::MOVES {
            hook::access();
            platform::memcpy(from, to, len);
        } else {
            move_short_out(from, to, len);
        }
    }
}

/// Moves `len` bytes to shared memory. The source is private, or it may be changed by others
/// meanwhile, as a [`Part`](super::Part) may: each of its bytes is read once or twice, and
/// never looked at otherwise.
///
/// # Safety
///
/// As for [`move_out`].
#[inline]
pub(super) unsafe fn move_in(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: as promised by the caller.
    unsafe {
        if len >= LONG && platform::MOVES {
            hook::access();
            platform::memcpy(from, to, len);
        } else {
            move_short_in(from, to, len);
        }
    }
}

#[inline(never)]
unsafe fn move_short_out(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: as promised by the caller.
    unsafe { move_few_out(from, to, len) };
}

#[inline(never)]
unsafe fn move_short_in(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: as promised by the caller.
    unsafe { move_few_in(from, to, len) };
}

/// As [`move_out`], inlined: for a `len` that the compiler knows.
///
/// # Safety
///
/// As for [`move_out`].
#[inline(always)]
pub(super) unsafe fn move_few_out(from: *const u8, to: *mut u8, len: usize) {
    hook::access();
    in_steps(from, len, |at, step| {
        // SAFETY: the step ends at `len` or before it, and `from + at` is aligned to
        // it; `Unaligned` asks for no alignment.
        unsafe {
            let (from, to) = (from.add(at), to.add(at));
            match step {
                Step::Eight => (to.cast::<Unaligned<u64>>())
                    .write(Unaligned(from.cast::<u64>().read_volatile())),
                Step::Four => (to.cast::<Unaligned<u32>>())
                    .write(Unaligned(from.cast::<u32>().read_volatile())),
                Step::Two => (to.cast::<Unaligned<u16>>())
                    .write(Unaligned(from.cast::<u16>().read_volatile())),
                Step::One => to.write(from.read_volatile()),
            }
        }
    });
}

/// As [`move_in`], inlined: for a `len` that the compiler knows.
///
/// # Safety
///
/// As for [`move_out`].
#[inline(always)]
pub(super) unsafe fn move_few_in(from: *const u8, to: *mut u8, len: usize) {
    hook::access();
    in_steps(to, len, |at, step| {
        // SAFETY: the step ends at `len` or before it, and `to + at` is aligned to
        // it; `Unaligned` asks for no alignment.
        unsafe {
            let (from, to) = (from.add(at), to.add(at));
            match step {
                Step::Eight => to
                    .cast::<u64>()
                    .write_volatile(from.cast::<Unaligned<u64>>().read_volatile().0),
                Step::Four => to
                    .cast::<u32>()
                    .write_volatile(from.cast::<Unaligned<u32>>().read_volatile().0),
                Step::Two => to
                    .cast::<u16>()
                    .write_volatile(from.cast::<Unaligned<u16>>().read_volatile().0),
                Step::One => to.write_volatile(from.read_volatile()),
            }
        }
    });
}

/// Bytes of one access.
#[derive(Clone, Copy)]
enum Step {
    One = 1,
    Two = 2,
    Four = 4,
    Eight = 8,
}

/// Goes over `len` bytes from the shared address `shared` on, in the largest steps
/// that end there and are aligned.
#[inline(always)]
fn in_steps(shared: *const u8, len: usize, mut each: impl FnMut(usize, Step)) {
    let mut at = 0;
    while at < len {
        let fits = |step: Step| {
            let size = step as usize;
            len - at >= size && (shared as usize).wrapping_add(at) % size == 0
        };
        let step = if fits(Step::Eight) {
            Step::Eight
        } else if fits(Step::Four) {
            Step::Four
        } else if fits(Step::Two) {
            Step::Two
        } else {
            Step::One
        };
        each(at, step);
        // Cannot wrap: the step ends at `len` or before it.
        at = at.wrapping_add(step as usize);
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
    hook::access();
    const WORD: usize = size_of::<u64>();
    let mut sum = 0u64;
    let mut at = 0;
    let mut add = |word: u64| {
        let (next, carry) = sum.overflowing_add(word);
        // Cannot wrap again: with a carry, `next` is not the largest number.
        sum = next.wrapping_add(carry.into());
    };
    let whole_words = len & !(WORD - 1);
    while at < whole_words {
        // SAFETY: `at + WORD <= len`; `Unaligned` asks for no alignment.
        unsafe {
            let word = from.add(at).cast::<Unaligned<u64>>().read_volatile().0;
            platform::store(to.add(at), word);
            add(word);
        }
        at = at.wrapping_add(WORD);
    }
    let mut last = [0; WORD];
    for byte in &mut last {
        if at == len {
            break;
        }
        // SAFETY: `at < len`.
        unsafe {
            *byte = from.add(at).read_volatile();
            to.add(at).write_volatile(*byte);
        }
        at = at.wrapping_add(1);
    }
    add(u64::from_ne_bytes(last));
    sum
}

/// Instructions of the platform that are faster than a loop of aligned accesses.
#[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
mod platform {
    use core::{arch::asm, ffi::c_void};

    /// There is a [`memcpy`].
    pub(super) const MOVES: bool = true;

    extern "C" {
        #[link_name = "memcpy"]
        fn platforms_memcpy(to: *mut c_void, from: *const c_void, len: usize) -> *mut c_void;
    }

    /// Up to so many bytes go by words: in one core's cache a call is as fast, but between
    /// two cores a short frame takes a third less time so (benches, there and back).
    #[cfg(target_arch = "x86_64")]
    const FEW: usize = 128;

    /// Copies `len` bytes, at least eight, in words of which the last two may overlap.
    ///
    /// # Safety
    ///
    /// As for [`memcpy`].
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    unsafe fn words(from: *const u8, to: *mut u8, len: usize) {
        // SAFETY: the offset of the last word is `len - 8`, and no other is above it.
        // Without `nomem` the compiler keeps all other accesses on their side of it.
        unsafe {
            asm!(
                "2:",
                "mov {word}, qword ptr [{from} + {at}]",
                "mov qword ptr [{to} + {at}], {word}",
                "add {at}, 8",
                "cmp {at}, {last}",
                "jb 2b",
                "mov {word}, qword ptr [{from} + {last}]",
                "mov qword ptr [{to} + {last}], {word}",
                word = out(reg) _,
                from = in(reg) from,
                to = in(reg) to,
                at = inout(reg) 0usize => _,
                last = in(reg) len.wrapping_sub(8),
                options(nostack),
            );
        }
    }

    /// Copies `len` bytes, at least eight, unseen by the compiler.
    ///
    /// # Safety
    ///
    /// As for [`move_out`](super::move_out), with either side shared.
    #[inline]
    pub(super) unsafe fn memcpy(from: *const u8, to: *mut u8, len: usize) {
        #[cfg(target_arch = "x86_64")]
        if len <= FEW {
            // SAFETY: as promised by the caller.
            return unsafe { words(from, to, len) };
        }
        // SAFETY: a call as the platform's C has it, of a function that accesses what
        // the caller promised and nothing else. Without `nomem` the compiler keeps
        // all other accesses on their side of it.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            asm!(
                "call {memcpy}",
                memcpy = sym platforms_memcpy,
                inout("rdi") to => _,
                inout("rsi") from => _,
                inout("rdx") len => _,
                clobber_abi("C"),
            );
        }
        // SAFETY: as above.
        #[cfg(target_arch = "aarch64")]
        unsafe {
            asm!(
                "bl {memcpy}",
                memcpy = sym platforms_memcpy,
                inout("x0") to => _,
                inout("x1") from => _,
                inout("x2") len => _,
                clobber_abi("C"),
            );
        }
    }

    /// Stores a word at any address, by one instruction.
    ///
    /// # Safety
    ///
    /// `to` is writable for eight bytes.
    #[inline(always)]
    pub(super) unsafe fn store(to: *mut u8, word: u64) {
        // SAFETY: writes what the caller promised; neither processor asks for alignment.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            asm!("mov qword ptr [{to}], {word}", to = in(reg) to, word = in(reg) word,
                options(nostack, preserves_flags));
        }
        // SAFETY: as above.
        #[cfg(target_arch = "aarch64")]
        unsafe {
            asm!("str {word}, [{to}]", to = in(reg) to, word = in(reg) word,
                options(nostack, preserves_flags));
        }
    }
}

/// Loops of aligned accesses, for other platforms.
#[cfg(not(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri))))]
mod platform {
    /// There is no [`memcpy`].
    pub(super) const MOVES: bool = false;

    /// Never called.
    ///
    /// # Safety
    ///
    /// None.
    pub(super) unsafe fn memcpy(_: *const u8, _: *mut u8, _: usize) {}

    /// Stores a word at any address.
    ///
    /// # Safety
    ///
    /// `to` is writable for eight bytes.
    pub(super) unsafe fn store(to: *mut u8, word: u64) {
        for (at, byte) in word.to_ne_bytes().into_iter().enumerate() {
            // SAFETY: one of the eight bytes.
            unsafe { to.add(at).write_volatile(byte) };
        }
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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use core::ptr::without_provenance;
    use std::vec::Vec;

    #[test]
    fn steps_are_the_largest_that_are_aligned_in_shared_memory() {
        for (address, len, expected) in [
            (64, 0, &[][..]),
            (64, 8, &[(0, 8)]),
            (64, 7, &[(0, 4), (4, 2), (6, 1)]),
            (65, 7, &[(0, 1), (1, 2), (3, 4)]),
            (65, 20, &[(0, 1), (1, 2), (3, 4), (7, 8), (15, 4), (19, 1)]),
            (68, 12, &[(0, 4), (4, 8)]),
            (70, 3, &[(0, 2), (2, 1)]),
        ] {
            let mut steps = Vec::new();
            in_steps(without_provenance(address), len, |at, step| {
                steps.push((at, step as usize));
            });
            assert_eq!(steps, expected, "{len} bytes from {address} on");
        }
    }
}
