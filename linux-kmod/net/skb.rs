// SPDX-License-Identifier: GPL-2.0-only

//! Packets.
//!
//! C header: `include/linux/skbuff.h`

use crate::bindings;
use core::{ptr::NonNull, slice};

/// A packet that is ours to fill, send on or free.
///
/// # Invariants
///
/// The pointer is valid and nobody else holds it.
pub(crate) struct SkBuff(NonNull<bindings::sk_buff>);

// SAFETY: a packet may be freed from any context.
unsafe impl Send for SkBuff {}

impl SkBuff {
    /// Takes over a packet.
    ///
    /// # Safety
    ///
    /// `skb` is valid and the caller gives it away.
    pub(super) unsafe fn from_raw(skb: NonNull<bindings::sk_buff>) -> Self {
        // INVARIANT: by the caller's promise.
        Self(skb)
    }

    /// Gives the packet away.
    pub(super) fn into_raw(self) -> *mut bindings::sk_buff {
        core::mem::ManuallyDrop::new(self).0.as_ptr()
    }

    /// Bytes in all.
    pub(crate) fn len(&self) -> usize {
        // SAFETY: valid by the invariants.
        unsafe { (*self.0.as_ptr()).len as usize }
    }

    /// The bytes in the linear part; all of them, unless the device takes fragments.
    pub(crate) fn head(&self) -> &[u8] {
        // SAFETY: valid by the invariants; `data` has `headlen` initialised bytes.
        unsafe {
            let len = bindings::muennet_skb_headlen(self.0.as_ptr());
            slice::from_raw_parts((*self.0.as_ptr()).data, len as usize)
        }
    }

    /// Appends `len` bytes to a packet that was allocated for them.
    pub(super) fn put(&mut self, len: u32) -> &mut [u8] {
        // SAFETY: valid by the invariants; `skb_put` makes sure of the room. The
        // bytes may be of any value, which a `u8` allows, and are written before
        // anybody looks at them.
        unsafe {
            let start = bindings::skb_put(self.0.as_ptr(), len).cast::<u8>();
            slice::from_raw_parts_mut(start, len as usize)
        }
    }

    /// Takes the time for those who asked for it; call it just before sending.
    pub(crate) fn tx_timestamp(&self) {
        // SAFETY: valid by the invariants.
        unsafe { bindings::muennet_skb_tx_timestamp(self.0.as_ptr()) };
    }

    /// Frees a packet that was sent.
    pub(crate) fn consume(self) {
        // SAFETY: valid by the invariants, and given away.
        unsafe { bindings::muennet_dev_consume_skb_any(self.into_raw()) };
    }
}

/// Frees a packet that was dropped.
impl Drop for SkBuff {
    fn drop(&mut self) {
        // SAFETY: valid by the invariants.
        unsafe { bindings::muennet_dev_kfree_skb_any(self.0.as_ptr()) };
    }
}
