// SPDX-License-Identifier: GPL-2.0-only

//! Network devices, and counted references to them.
//!
//! C header: `include/linux/netdevice.h`

use super::{namespace::Net, rtnl_lock::Rtnl};
use crate::bindings;
use core::{marker::PhantomData, ops::Deref, ptr::NonNull};
use kernel::{prelude::*, types::Opaque};

/// A `struct net_device`.
#[repr(transparent)]
pub(crate) struct Device(Opaque<bindings::net_device>);

// SAFETY: what is offered may be called from any CPU.
unsafe impl Sync for Device {}

/// The name of a device, copied.
struct Name([u8; Name::ROOM]);

impl Name {
    /// Bytes, with the NUL.
    const ROOM: usize = bindings::IFNAMSIZ as usize;
}

impl core::fmt::Display for Name {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let name = self.0.split(|byte| *byte == 0).next().unwrap_or(&[]);
        core::fmt::Display::fmt(&name.escape_ascii(), f)
    }
}

/// Packets and bytes that a device counted.
pub(crate) struct Traffic {
    pub(crate) rx_frames: u64,
    pub(crate) rx_bytes: u64,
    pub(crate) tx_frames: u64,
    pub(crate) tx_bytes: u64,
}

impl Device {
    /// # Safety
    ///
    /// `device` is valid for as long as the reference.
    pub(super) unsafe fn from_raw<'a>(device: *mut bindings::net_device) -> &'a Self {
        // SAFETY: by the caller's promise; a transparent wrapper.
        unsafe { &*device.cast() }
    }

    pub(super) fn as_raw(&self) -> *mut bindings::net_device {
        self.0.get()
    }

    /// Shows whether there is a peer.
    pub(crate) fn set_carrier(&self, on: bool) {
        // SAFETY: a valid device.
        unsafe {
            if on {
                bindings::netif_carrier_on(self.as_raw());
            } else {
                bindings::netif_carrier_off(self.as_raw());
            }
        }
    }

    /// True while a peer is shown to be there.
    pub(crate) fn carrier(&self) -> bool {
        // SAFETY: a valid device.
        unsafe { bindings::muennet_netif_carrier_ok(self.as_raw()) }
    }

    /// Says something about this device in the log, unless too much was said lately.
    pub(crate) fn complain(&self, what: core::fmt::Arguments<'_>) {
        // SAFETY: looks at its own state only.
        if unsafe { bindings::muennet_net_ratelimit() } {
            // Any context: the RTNL cannot be taken here.
            pr_warn!("{}: {what}\n", core::format_args!("{}", self.name_unlocked()));
        }
    }

    /// Counts a packet sent.
    pub(crate) fn count_sent(&self, bytes: usize) {
        // SAFETY: a valid device with per-CPU statistics. CAST: packets are short.
        unsafe { bindings::muennet_dev_sw_netstats_tx_add(self.as_raw(), 1, bytes as u32) };
    }

    /// Counts a packet received.
    pub(super) fn count_received(&self, bytes: usize) {
        // SAFETY: a valid device with per-CPU statistics. CAST: packets are short.
        unsafe { bindings::muennet_dev_sw_netstats_rx_add(self.as_raw(), bytes as u32) };
    }

    /// Counts a packet that was not sent.
    pub(crate) fn count_not_sent(&self) {
        // SAFETY: a valid device.
        unsafe { bindings::muennet_dev_core_stats_tx_dropped_inc(self.as_raw()) };
    }

    /// Its counters.
    pub(crate) fn traffic(&self) -> Traffic {
        let mut storage = bindings::rtnl_link_stats64::default();
        // SAFETY: a valid device, and room for the answer.
        unsafe { bindings::dev_get_stats(self.as_raw(), &mut storage) };
        Traffic {
            rx_frames: storage.rx_packets,
            rx_bytes: storage.rx_bytes,
            tx_frames: storage.tx_packets,
            tx_bytes: storage.tx_bytes,
        }
    }

    /// The interface's name, which stays while the RTNL is held.
    pub(crate) fn name<'a>(&'a self, _rtnl: &'a Rtnl) -> &'a CStr {
        // SAFETY: a valid device; its name is NUL-terminated, and changes under the RTNL only.
        unsafe { CStr::from_char_ptr((*self.as_raw()).name.as_ptr()) }
    }

    /// A copy of the name, for the log: if it changes meanwhile, a mix of both.
    fn name_unlocked(&self) -> Name {
        let mut copy = [0; Name::ROOM];
        for (at, to) in copy.iter_mut().enumerate().take(Name::ROOM - 1) {
            // SAFETY: a valid device, whose name has `ROOM` bytes; each is read once.
            *to = unsafe { (&raw const (*self.as_raw()).name[at]).read_volatile() } as u8;
        }
        Name(copy)
    }

    /// The interface's number in its namespace.
    pub(crate) fn index(&self) -> u32 {
        // SAFETY: a valid device. CAST: indices are positive.
        unsafe { (*self.as_raw()).ifindex as u32 }
    }

    /// The MTU in bytes.
    pub(crate) fn mtu(&self) -> u32 {
        // SAFETY: a valid device.
        unsafe { (*self.as_raw()).mtu }
    }

    /// The network namespace that it lives in. It may leave it, unless the RTNL is held.
    pub(crate) fn net(&self) -> &Net {
        // SAFETY: a valid device is in a namespace, which outlives its stay there.
        unsafe { Net::from_raw(bindings::muennet_dev_net(self.as_raw())) }
    }
}

/// Private data of a device: found from it, and alive for as long as it is.
///
/// # Safety
///
/// `has` is true of the operations of those devices, and only those, for which `of`
/// is sound. What `of` gives lives until nobody holds a counted reference to the
/// device any more.
pub(crate) unsafe trait Behind: Send + Sync + 'static {
    /// The value that the driver keeps there.
    type Target;

    /// True if `operations` is a table of such devices.
    fn has(operations: *const bindings::net_device_ops) -> bool;

    /// Gives the private data of `device`.
    ///
    /// # Safety
    ///
    /// `device` has such operations, and is registered or held.
    unsafe fn of(device: &Device) -> &Self;

    /// The driver's part.
    fn target(&self) -> &Self::Target;
}

/// A counted reference to a device: neither it nor what lies behind it goes
/// before this is dropped. Unregistering the device waits for that.
///
/// # Invariants
///
/// The device is one of `B`'s, and one of its references is ours.
pub(crate) struct Held<B: Behind>(NonNull<bindings::net_device>, PhantomData<B>);

// SAFETY: references may be given back on any CPU.
unsafe impl<B: Behind> Send for Held<B> {}
// SAFETY: what it leads to is `Sync`.
unsafe impl<B: Behind> Sync for Held<B> {}

impl<B: Behind> Held<B> {
    /// Holds a device that is registered; `None` if it is none of `B`'s.
    pub(crate) fn new(device: &Device) -> Option<Self> {
        // SAFETY: a valid device.
        let operations = unsafe { (*device.as_raw()).netdev_ops };
        if !B::has(operations) {
            return None;
        }
        // SAFETY: a valid device.
        unsafe { bindings::muennet_dev_hold(device.as_raw()) };
        // INVARIANT: checked and counted just now.
        NonNull::new(device.as_raw()).map(|device| Self(device, PhantomData))
    }

    /// The device.
    pub(crate) fn device(&self) -> &Device {
        // SAFETY: held by the invariants.
        unsafe { Device::from_raw(self.0.as_ptr()) }
    }

    /// True if it is `device` that is held.
    pub(crate) fn is(&self, device: &Device) -> bool {
        self.0.as_ptr() == device.as_raw()
    }

    /// Its private data.
    pub(super) fn behind(&self) -> &B {
        // SAFETY: one of `B`'s by the invariants, and held.
        unsafe { B::of(self.device()) }
    }
}

impl<B: Behind> Clone for Held<B> {
    fn clone(&self) -> Self {
        // SAFETY: held by the invariants.
        unsafe { bindings::muennet_dev_hold(self.0.as_ptr()) };
        // INVARIANT: counted just now.
        Self(self.0, PhantomData)
    }
}

impl<B: Behind> Drop for Held<B> {
    fn drop(&mut self) {
        // SAFETY: held by the invariants, and given back.
        unsafe { bindings::muennet_dev_put(self.0.as_ptr()) };
    }
}

impl<B: Behind> Deref for Held<B> {
    type Target = B::Target;

    fn deref(&self) -> &B::Target {
        self.behind().target()
    }
}
