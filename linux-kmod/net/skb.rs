// SPDX-License-Identifier: GPL-2.0-only

//! Packets.
//!
//! C header: `include/linux/skbuff.h`

use super::device::Device;
use crate::bindings;
use core::{ptr::NonNull, slice};
use kernel::{prelude::*, types::Opaque};
use muennet_core::shm::Part;

/// The most pieces that a packet is in: the linear part and its fragments.
pub(crate) const MAX_PARTS: usize = 1 + bindings::MUENNET_MAX_SKB_FRAGS as usize;

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

    /// The bytes in the linear part; all of them, unless the packet has fragments.
    pub(crate) fn head(&self) -> &[u8] {
        // SAFETY: valid by the invariants; `data` has as many initialised bytes as
        // are not in fragments.
        unsafe {
            let skb = self.0.as_ptr();
            let len = (*skb).len.wrapping_sub((*skb).data_len);
            slice::from_raw_parts((*skb).data, len as usize)
        }
    }

    /// Calls `with` with the pieces of the packet, in order. The first, with the headers, is
    /// the kernel's own; fragments may be pages that user space still changes (sendfile,
    /// MSG_ZEROCOPY), so they are no slices.
    #[inline]
    pub(crate) fn with_parts<R>(&self, with: impl FnOnce(&[Part<'_>]) -> R) -> R {
        let head = Part::from(self.head());
        // SAFETY: valid by the invariants.
        if unsafe { (*self.0.as_ptr()).data_len } == 0 {
            return with(&[head]);
        }
        // SAFETY: valid by the invariants.
        let count = unsafe { bindings::muennet_skb_frags(self.0.as_ptr()) } as usize;
        let mut parts = [head; MAX_PARTS];
        let mut used = 1;
        for (index, part) in (0..).zip(parts.iter_mut().skip(1).take(count)) {
            let mut len = 0;
            // SAFETY: valid by the invariants, and there is such a fragment. The
            // kernel gives this device readable pages that are always mapped, as
            // it offers neither high memory nor unreadable fragments.
            *part = unsafe {
                let start = bindings::muennet_skb_frag(self.0.as_ptr(), index, &mut len);
                NonNull::new(start.cast_mut().cast())
                    .map_or(Part::from(&[]), |start| Part::from_raw(start, len as usize))
            };
            used += 1;
        }
        with(parts.get(..used).unwrap_or(&[]))
    }

    /// The packet's mark.
    pub(crate) fn mark(&self) -> u32 {
        // SAFETY: valid by the invariants.
        unsafe { bindings::muennet_skb_mark(self.0.as_ptr()) }
    }

    /// The checksum that is to be filled in on the way out: where the sum begins,
    /// and where its field lies from there.
    #[inline]
    pub(crate) fn checksum(&self) -> Option<(usize, usize)> {
        let skb = self.0.as_ptr();
        // SAFETY: valid by the invariants.
        unsafe {
            bindings::muennet_skb_checksum_partial(skb).then(|| {
                let start = bindings::muennet_skb_checksum_start(skb) as usize;
                (start, bindings::muennet_skb_checksum_offset(skb) as usize)
            })
        }
    }

    /// Fills in that checksum, if there is one; false if there is no memory for it.
    pub(crate) fn fill_checksum(&mut self) -> bool {
        // SAFETY: valid by the invariants.
        self.checksum().is_none()
            || unsafe { bindings::skb_checksum_help(self.0.as_ptr()) } == 0
    }

    /// Makes it a packet that `device` received, from its Ethernet header on.
    pub(super) fn is_ethernet(&mut self, device: &Device) {
        // SAFETY: valid by the invariants, with a whole Ethernet header.
        unsafe { bindings::muennet_eth_type_trans(self.0.as_ptr(), device.as_raw()) };
    }

    /// Makes it a packet that `device` received, without any header but the
    /// network layer's: the MAC header has no bytes.
    ///
    /// The mark is the packet's flow hash as well. GRO merges packets of one hash
    /// only, so packets of different marks are never merged. The kernel computes
    /// the hash of the addresses where it needs that one.
    pub(super) fn is_packet(&mut self, device: &Device, mark: u32) {
        // SAFETY: valid by the invariants.
        unsafe {
            let skb = self.0.as_ptr();
            bindings::muennet_skb_set_dev(skb, device.as_raw());
            bindings::muennet_skb_is_packet(skb);
            bindings::muennet_skb_set_mark(skb, mark);
            bindings::muennet_skb_set_flow(skb, mark);
        }
    }

    /// Tells the sender of an IPv4 packet that it is to be `mtu` bytes at most.
    pub(crate) fn fragmentation_needed(&mut self, mtu: u32) {
        // SAFETY: valid by the invariants, and on its way out.
        unsafe { bindings::muennet_icmp_frag_needed(self.0.as_ptr(), mtu) };
    }

    /// Tells the sender of an IPv6 packet that it is to be `mtu` bytes at most.
    pub(crate) fn packet_too_big(&mut self, mtu: u32) {
        // SAFETY: valid by the invariants, and on its way out.
        unsafe { bindings::muennet_icmpv6_too_big(self.0.as_ptr(), mtu) };
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

/// Packets in order, for the one who made the queue.
#[repr(transparent)]
#[pin_data(PinnedDrop)]
pub(super) struct Queue {
    #[pin]
    queue: Opaque<bindings::sk_buff_head>,
}

impl Queue {
    pub(super) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            queue <- Opaque::ffi_init(|queue: *mut bindings::sk_buff_head| {
                // SAFETY: memory for a queue, pinned.
                unsafe { bindings::muennet_skb_queue_init(queue) };
            }),
        })
    }

    /// Puts a packet at the end. `Queue` is not `Sync`, so that calls do not overlap.
    pub(super) fn push(&self, skb: SkBuff) {
        // SAFETY: initialised; the packet is given away.
        unsafe { bindings::muennet_skb_queue_tail(self.queue.get(), skb.into_raw()) };
    }

    /// Takes the first packet.
    pub(super) fn pop(&self) -> Option<SkBuff> {
        // SAFETY: initialised; what comes out of the queue is ours.
        unsafe {
            NonNull::new(bindings::muennet_skb_dequeue(self.queue.get()))
                .map(|skb| SkBuff::from_raw(skb))
        }
    }
}

#[pinned_drop]
impl PinnedDrop for Queue {
    fn drop(self: Pin<&mut Self>) {
        while self.pop().is_some() {}
    }
}
