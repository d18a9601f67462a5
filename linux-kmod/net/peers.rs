// SPDX-License-Identifier: GPL-2.0-only

//! An announcement of an interface to its peers: a gratuitous ARP packet, an unsolicited
//! neighbour advertisement. The kernel makes both with the RTNL held, so not in softirq
//! context.
//!
//! C header: `include/linux/netdevice.h`

use super::{rtnl_lock::Rtnl, work::Call};
use crate::bindings;
use core::{
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};
use kernel::prelude::*;

/// The announcement of a device, which may be asked for in any context.
#[pin_data]
pub(crate) struct Peers {
    #[pin]
    call: Call<Announced>,
}

/// The device; null until there is one.
struct Announced(AtomicPtr<bindings::net_device>);

impl Peers {
    pub(super) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            call <- Call::new(Announced(AtomicPtr::new(ptr::null_mut())), announce),
        })
    }

    /// Takes the device to announce.
    ///
    /// # Safety
    ///
    /// `device` is valid until [`cancel`](Self::cancel) was called with nobody left to
    /// call [`announce`](Self::announce).
    pub(super) unsafe fn set_device(&self, device: *mut bindings::net_device) {
        self.call.argument().0.store(device, Ordering::Release);
    }

    /// Announces the device soon; once for calls in quick succession.
    pub(super) fn announce(&self) {
        self.call.later();
    }

    /// Waits for an announcement in progress. May sleep; not with the RTNL held.
    pub(super) fn cancel(&self) {
        self.call.cancel();
    }
}

fn announce(announced: &Announced) {
    let device = announced.0.load(Ordering::Acquire);
    if device.is_null() {
        return;
    }
    let _rtnl = Rtnl::lock();
    // SAFETY: valid by the contract of `set_device`; the RTNL is held. A device that is
    // being unregistered does not run. The queue of a carrier that has just come drops
    // packets until it is activated, which the kernel does in a work of its own, later.
    unsafe {
        if bindings::muennet_netif_running(device) && bindings::muennet_netif_carrier_ok(device) {
            bindings::dev_activate(device);
            bindings::__netdev_notify_peers(device);
        }
    }
}
