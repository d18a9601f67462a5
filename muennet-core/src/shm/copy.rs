// SPDX-License-Identifier: MIT OR Apache-2.0
//! Copies between shared and private memory.
//!
//! Whole aligned words of the shared side where possible, single bytes at the
//! edges; every shared byte is accessed exactly once, atomically, so that a
//! peer's writes meanwhile give old or new bytes and never undefined behaviour.

use super::word;

const WORD: usize = 8;

/// Bytes before the first aligned word at `at`, at most `len`.
#[inline]
fn head(at: *const u8, len: usize) -> usize {
    let misalignment = (at as usize) % WORD;
    let head = if misalignment == 0 {
        0
    } else {
        WORD - misalignment
    };
    head.min(len)
}

/// Copies shared bytes from `source` on into `target`, filling it.
///
/// # Safety
///
/// `source` is readable for `target.len()` bytes and shared memory in the sense
/// of [`Memory`](super::Memory).
#[inline]
pub(super) unsafe fn out_of(source: *const u8, target: &mut [u8]) {
    let (edge, rest) = target.split_at_mut(head(source, target.len()));
    let mut at = source;
    for byte in edge {
        // SAFETY: in reach, as every byte of `target` has its source byte.
        unsafe {
            *byte = word::load_byte(at);
            at = at.add(1);
        }
    }
    let mut words = rest.chunks_exact_mut(WORD);
    for chunk in &mut words {
        // SAFETY: `head` bytes on, `at` is aligned (or no word is left), and
        // the word is in reach as above.
        unsafe {
            chunk.copy_from_slice(&word::load_bytes(at));
            at = at.add(WORD);
        }
    }
    for byte in words.into_remainder() {
        // SAFETY: in reach as above.
        unsafe {
            *byte = word::load_byte(at);
            at = at.add(1);
        }
    }
}

/// Copies `source` to the shared bytes from `target` on.
///
/// # Safety
///
/// `target` is writable for `source.len()` bytes and shared memory in the sense
/// of [`MemoryMut`](super::MemoryMut).
#[inline]
pub(super) unsafe fn into(target: *mut u8, source: &[u8]) {
    let (edge, rest) = source.split_at(head(target, source.len()));
    let mut at = target;
    for byte in edge {
        // SAFETY: in reach, as every byte of `source` has its target byte.
        unsafe {
            word::store_byte(at, *byte);
            at = at.add(1);
        }
    }
    let mut words = rest.chunks_exact(WORD);
    for chunk in &mut words {
        let mut bytes = [0; WORD];
        bytes.copy_from_slice(chunk);
        // SAFETY: `head` bytes on, `at` is aligned (or no word is left), and
        // the word is in reach as above.
        unsafe {
            word::store_bytes(at, bytes);
            at = at.add(WORD);
        }
    }
    for byte in words.remainder() {
        // SAFETY: in reach as above.
        unsafe {
            word::store_byte(at, *byte);
            at = at.add(1);
        }
    }
}

/// Clears `len` shared bytes from `target` on.
///
/// # Safety
///
/// `target` is writable for `len` bytes, as for [`into`].
pub(super) unsafe fn clear(target: *mut u8, len: usize) {
    const ZEROS: [u8; 512] = [0; 512];
    let mut done = 0;
    while done < len {
        let step = ZEROS.len().min(len - done);
        if let Some(zeros) = ZEROS.get(..step) {
            // SAFETY: `done + step <= len`.
            unsafe { into(target.add(done), zeros) };
        }
        done += step;
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    #[test]
    fn every_offset_and_length_is_copied_exactly() {
        for offset in 0..9 {
            for len in 0..40 {
                let mut shared = [0xeeu8; 64];
                let data: std::vec::Vec<u8> = (1..=len as u8).collect();
                let mut back = std::vec![0u8; len];
                // SAFETY: at most 8 + 39 of the 64 bytes of a private array.
                unsafe {
                    super::into(shared.as_mut_ptr().add(offset), &data);
                    super::out_of(shared.as_ptr().add(offset), &mut back);
                }
                assert_eq!(back, data);
                assert!(shared[..offset].iter().all(|b| *b == 0xee));
                assert!(shared[offset + len..].iter().all(|b| *b == 0xee));
                // SAFETY: as above.
                unsafe { super::clear(shared.as_mut_ptr().add(offset), len) };
                assert!(shared[offset..offset + len].iter().all(|b| *b == 0));
                assert!(shared[offset + len..].iter().all(|b| *b == 0xee));
            }
        }
    }
}
