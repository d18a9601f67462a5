// SPDX-License-Identifier: MIT OR Apache-2.0
//! Copies between shared memory and private slices.

use super::{word, Part};

/// Copies shared bytes from `source` on into `target`, filling it.
///
/// # Safety
///
/// `source` is readable for `target.len()` bytes and shared memory in the sense
/// of [`Memory`](super::Memory), so that no slice overlaps it.
#[inline]
pub(super) unsafe fn out_of(source: *const u8, target: &mut [u8]) {
    // SAFETY: both reach for the slice's length, one by promise, one as a slice.
    unsafe { word::move_out(source, target.as_mut_ptr(), target.len()) };
}

/// Copies `source` to the shared bytes from `target` on.
///
/// # Safety
///
/// `target` is writable for `source.len()` bytes and shared memory in the sense
/// of [`MemoryMut`](super::MemoryMut), so that no slice overlaps it.
#[inline]
pub(super) unsafe fn into(target: *mut u8, source: Part<'_>) {
    // SAFETY: both reach for the part's length, one by promise, one by its invariants.
    unsafe { word::move_in(source.start(), target, source.len()) };
}

/// As [`out_of`], for a few bytes whose number is known.
///
/// # Safety
///
/// As for [`out_of`].
#[inline]
pub(super) unsafe fn few_out_of<const N: usize>(source: *const u8, target: &mut [u8; N]) {
    // SAFETY: both reach for `N` bytes, one by promise, one as an array.
    unsafe { word::move_few_out(source, target.as_mut_ptr(), N) };
}

/// As [`into`], for a few bytes whose number is known.
///
/// # Safety
///
/// As for [`into`].
#[inline]
pub(super) unsafe fn few_into<const N: usize>(target: *mut u8, source: &[u8; N]) {
    // SAFETY: both reach for `N` bytes, one by promise, one as an array.
    unsafe { word::move_few_in(source.as_ptr(), target, N) };
}

/// As [`into`], with the sum of [`word::move_in_summing`].
///
/// # Safety
///
/// As for [`into`].
#[inline]
pub(super) unsafe fn into_summing(target: *mut u8, source: Part<'_>) -> u64 {
    // SAFETY: both reach for the part's length, one by promise, one by its invariants.
    unsafe { word::move_in_summing(source.start(), target, source.len()) }
}

/// Clears `len` shared bytes from `target` on.
///
/// # Safety
///
/// `target` is writable for `len` bytes, as for [`into`].
pub(super) unsafe fn clear(target: *mut u8, len: usize) {
    const ZEROS: [u8; 512] = [0; 512];
    let mut left = len;
    while left > 0 {
        let step = ZEROS.len().min(left);
        left -= step;
        // SAFETY: `left + step <= len`, and `step` zeros there are.
        unsafe { word::move_in(ZEROS.as_ptr(), target.add(left), step) };
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    #[test]
    fn every_offset_and_length_is_copied_exactly() {
        const ROOM: usize = 9 + 200;
        for offset in 0..9 {
            for len in 0..150 {
                let mut shared = [0xeeu8; ROOM];
                let data: std::vec::Vec<u8> = (1..=len as u8).collect();
                let mut back = std::vec![0u8; len];
                // SAFETY: at most 8 + 149 of the bytes of a private array.
                unsafe {
                    super::into(shared.as_mut_ptr().add(offset), data.as_slice().into());
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
