// SPDX-License-Identifier: GPL-2.0-only

//! Memory of the kernel: [`KBox`], [`KVec`] and [`KVVec`].

mod boxed;
mod vec;

use crate::{bindings, ffi::c_void};
use core::{alloc::Layout, ptr::NonNull};

pub use boxed::KBox;
pub use vec::{IntoIter, KVVec, KVec, PushError, RemoveError, Vec};

/// There is no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocError;

/// Flags of an allocation.
#[derive(Clone, Copy)]
pub struct Flags(u32);

/// The kernel's ways to allocate.
pub mod flags {
    use super::{bindings, Flags};

    /// May sleep.
    pub const GFP_KERNEL: Flags = Flags(bindings::COMPAT_GFP_KERNEL);
    /// Does not sleep.
    pub const GFP_ATOMIC: Flags = Flags(bindings::COMPAT_GFP_ATOMIC);
}

/// Where memory comes from.
///
/// # Safety
///
/// Memory is of the layout asked for, or there is none.
pub unsafe trait Allocator {
    /// Allocates; the size is not 0.
    fn alloc(layout: Layout, flags: Flags) -> Result<NonNull<u8>, AllocError>;

    /// Gives memory back.
    ///
    /// # Safety
    ///
    /// It came from `alloc`.
    unsafe fn free(memory: NonNull<u8>);
}

/// One piece, at most a few pages.
pub enum Kmalloc {}

/// Pages that may lie apart, where there is no piece.
pub enum KVmalloc {}

/// A size that is a multiple of the alignment: the kernel aligns powers of two by their
/// size, and others by their largest power of two.
fn size(layout: Layout) -> usize {
    layout.pad_to_align().size()
}

// SAFETY: see `size`.
unsafe impl Allocator for Kmalloc {
    fn alloc(layout: Layout, flags: Flags) -> Result<NonNull<u8>, AllocError> {
        // SAFETY: allocates only.
        let memory = unsafe { bindings::compat_kmalloc(size(layout), flags.0) };
        NonNull::new(memory.cast()).ok_or(AllocError)
    }

    unsafe fn free(memory: NonNull<u8>) {
        // SAFETY: by the caller's promise.
        unsafe { bindings::kfree(memory.as_ptr().cast::<c_void>()) };
    }
}

// SAFETY: see `size`.
unsafe impl Allocator for KVmalloc {
    fn alloc(layout: Layout, flags: Flags) -> Result<NonNull<u8>, AllocError> {
        // SAFETY: allocates only.
        let memory = unsafe { bindings::compat_kvmalloc(size(layout), flags.0) };
        NonNull::new(memory.cast()).ok_or(AllocError)
    }

    unsafe fn free(memory: NonNull<u8>) {
        // SAFETY: by the caller's promise.
        unsafe { bindings::kvfree(memory.as_ptr().cast::<c_void>()) };
    }
}
