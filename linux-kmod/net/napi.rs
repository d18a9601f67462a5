// SPDX-License-Identifier: GPL-2.0-only

//! Receiving in softirq context, within a budget.
//!
//! C header: `include/linux/netdevice.h`

use super::{
    device::{Behind, Device},
    driver::{Driver, Private},
    peers::Peers,
    skb::{Queue, SkBuff},
};
use crate::bindings;
use core::ptr::NonNull;
use kernel::{prelude::*, types::Opaque};

/// A NAPI instance of a device.
#[repr(transparent)]
#[pin_data]
pub(crate) struct Napi {
    #[pin]
    napi: Opaque<bindings::napi_struct>,
}

// SAFETY: the operations offered may be called from any CPU.
unsafe impl Send for Napi {}
// SAFETY: as above; the kernel serialises by the state's bits.
unsafe impl Sync for Napi {}

/// Proof of being in the poll function of a NAPI instance. Packets received are
/// handed to the stack when the function ends, so that it may hold locks.
pub(crate) struct Polling<'a> {
    napi: &'a Napi,
    device: &'a Device,
    received: &'a Queue,
    peers: &'a Peers,
}

impl Napi {
    pub(super) fn zeroed() -> impl PinInit<Self> {
        pin_init!(Self {
            napi <- Opaque::zeroed(),
        })
    }

    fn as_raw(&self) -> *mut bindings::napi_struct {
        self.napi.get()
    }

    /// Adds the instance to `device`, with `T` polling.
    ///
    /// # Safety
    ///
    /// `device` is a device of `T` that was not registered yet; `self` is its
    /// only instance, outlives it and is pinned.
    pub(super) unsafe fn add<T: Driver>(&self, device: *mut bindings::net_device) {
        // SAFETY: by the caller's promise.
        unsafe { bindings::muennet_netif_napi_add(device, self.as_raw(), Some(poll::<T>)) };
    }

    /// Takes the instance away from its device.
    ///
    /// # Safety
    ///
    /// It was added, and is disabled.
    pub(super) unsafe fn del(&self) {
        // SAFETY: by the caller's promise.
        unsafe { bindings::muennet_netif_napi_del(self.as_raw()) };
    }

    /// Lets the instance be scheduled. May sleep.
    pub(super) fn enable(&self) {
        // SAFETY: added by the device's registration.
        unsafe { bindings::napi_enable(self.as_raw()) };
    }

    /// Waits for the poll function to end and lets it not be scheduled again.
    pub(super) fn disable(&self) {
        // SAFETY: added by the device's registration.
        unsafe { bindings::napi_disable(self.as_raw()) };
    }

    /// Schedules the poll function after `before`; neither if it is scheduled or disabled.
    pub(super) fn schedule_after(&self, before: impl FnOnce()) {
        // SAFETY: added by the device's registration; `__napi_schedule` follows a
        // successful `napi_schedule_prep`.
        unsafe {
            if bindings::muennet_napi_schedule_prep(self.as_raw()) {
                before();
                bindings::__napi_schedule(self.as_raw());
            }
        }
    }

    /// Ends polling after `done` packets, fewer than the budget; false if it goes on.
    pub(super) fn complete(&self, done: i32) -> bool {
        // SAFETY: called from the poll function alone.
        unsafe { bindings::napi_complete_done(self.as_raw(), done) }
    }
}

impl Polling<'_> {
    /// Announces the device to its peers, soon.
    pub(crate) fn announce(&self) {
        self.peers.announce();
    }

    /// The device that is polled.
    pub(crate) fn device(&self) -> &Device {
        self.device
    }

    /// A packet of `len` bytes, yet to be written.
    pub(crate) fn alloc_skb(&self, len: u32) -> Option<SkBuff> {
        // SAFETY: called in softirq context, as a `Polling` proves.
        let skb = unsafe { bindings::muennet_napi_alloc_skb(self.napi.as_raw(), len) };
        // SAFETY: a fresh packet is ours alone.
        NonNull::new(skb).map(|skb| unsafe { SkBuff::from_raw(skb) })
    }

    /// Makes room for `len` bytes in a packet from [`alloc_skb`](Self::alloc_skb).
    pub(crate) fn put<'s>(&self, skb: &'s mut SkBuff, len: u32) -> &'s mut [u8] {
        skb.put(len)
    }

    /// Receives an Ethernet frame of 14 bytes or more, and counts it.
    pub(crate) fn receive_ethernet(&self, mut skb: SkBuff) {
        self.device.count_received(skb.len());
        skb.is_ethernet(self.device);
        self.received.push(skb);
    }

    /// Receives a packet without a header below the network layer, and counts it.
    pub(crate) fn receive_packet(&self, mut skb: SkBuff, mark: u32) {
        self.device.count_received(skb.len());
        skb.is_packet(self.device, mark);
        self.received.push(skb);
    }
}

/// The C poll function of devices of `T`. The module stays while it can be called:
/// `ndo_stop` calls `napi_disable`, which waits for it.
unsafe extern "C" fn poll<T: Driver>(napi: *mut bindings::napi_struct, budget: i32) -> i32 {
    // SAFETY: the kernel calls with the instance that `add` was given, whose device
    // is one of `T`; both stay valid while it polls.
    let (napi, device, private) = unsafe {
        let device = Device::from_raw((*napi).dev);
        (
            &*napi.cast::<Napi>(),
            device,
            Private::<T>::of(device),
        )
    };
    pin_init::stack_pin_init!(let received = Queue::new());
    let polling = Polling {
        napi,
        device,
        received: &received,
        peers: private.peers(),
    };
    let done = private.driver().poll(&polling, budget);
    while let Some(skb) = received.pop() {
        // SAFETY: called from the poll function, and the packet is given away.
        unsafe { bindings::muennet_napi_gro_receive(napi.as_raw(), skb.into_raw()) };
    }
    if done < budget && napi.complete(done) {
        private.unmask();
        if private.driver().has_pending() {
            private.schedule();
        }
    }
    done
}
