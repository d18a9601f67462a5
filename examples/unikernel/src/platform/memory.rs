// SPDX-License-Identifier: MIT OR Apache-2.0
//! Private copies of what others may write.

/// Copies the bytes at `address`, each read once.
///
/// # Safety
///
/// They are mapped, as many as `target` takes, and no Rust reference leads to them.
pub unsafe fn copy(address: u64, target: &mut [u8]) {
    let source: *const u8 = core::ptr::with_exposed_provenance(address as usize);
    for (index, byte) in target.iter_mut().enumerate() {
        // SAFETY: in reach, by the caller's promise.
        *byte = unsafe { source.add(index).read_volatile() };
    }
}
