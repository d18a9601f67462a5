// SPDX-License-Identifier: GPL-2.0-only

//! Network devices and their registration.
//!
//! C header: `include/linux/netdevice.h`

use super::{irq::Line, napi::Napi, napi::Polling, skb::SkBuff, softirq, timer::Timer};
use crate::bindings;
use core::{marker::PhantomData, ptr::NonNull};
use kernel::{
    error::{from_result, to_result},
    prelude::*,
    types::Opaque,
};

/// A `struct net_device`.
#[repr(transparent)]
pub(crate) struct Device(Opaque<bindings::net_device>);

/// What makes a network device of a value.
pub(crate) trait Driver: Send + Sync + 'static {
    /// Shown by `ethtool -i` and as the owner of interrupts.
    const NAME: &'static CStr;

    /// The interface goes up: take what wakes it from `wake`.
    fn open(&self, device: &Device) -> Result<Wake>;

    /// The interface goes down; nothing is polled or sent any more.
    fn stop(&self, device: &Device);

    /// Sends a packet; `more` says that another one follows at once. Softirqs
    /// are disabled; calls do not overlap.
    fn start_xmit(&self, device: &Device, skb: SkBuff, more: bool);

    /// Receives at most `budget` packets and gives their number.
    fn poll(&self, polling: &Polling<'_>, budget: i32) -> i32;

    /// True when `poll` would find something.
    fn has_pending(&self) -> bool;

    /// Counters beside those of packets and bytes.
    fn errors(&self) -> Errors;

    /// The bus information of `ethtool -i`.
    fn bus_info(&self) -> &CStr;
}

/// What wakes an interface that is up.
pub(crate) struct Wake {
    /// An interrupt.
    pub(crate) irq: Option<u32>,
    /// Nanoseconds from look to look.
    pub(crate) period_ns: Option<u64>,
}

/// Counters of what went wrong, in the terms of `struct rtnl_link_stats64`.
#[derive(Default)]
pub(crate) struct Errors {
    pub(crate) rx_missed: u64,
    pub(crate) rx_over: u64,
    pub(crate) rx_length: u64,
    pub(crate) rx_dropped: u64,
    pub(crate) tx_dropped: u64,
}

/// Properties of a new device.
pub(crate) struct Properties<'a> {
    /// Name, may hold one `%d`.
    pub(crate) name: &'a str,
    /// The MTU, and the most it can be set to.
    pub(crate) mtu: u16,
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

    /// Says something about this device in the log, unless too much was said lately.
    pub(crate) fn complain(&self, what: core::fmt::Arguments<'_>) {
        // SAFETY: looks at its own state only.
        if unsafe { bindings::muennet_net_ratelimit() } {
            pr_warn!("{}: {what}\n", self.name());
        }
    }

    /// Counts a packet sent.
    pub(crate) fn count_sent(&self, bytes: usize) {
        // SAFETY: a valid device with per-CPU statistics. CAST: packets are short.
        unsafe { bindings::muennet_dev_sw_netstats_tx_add(self.as_raw(), 1, bytes as u32) };
    }

    /// The interface's name.
    pub(crate) fn name(&self) -> &CStr {
        // SAFETY: a valid device; its name is NUL-terminated. It may change under
        // our hands, which makes for a mixed name in the log and nothing worse.
        unsafe { CStr::from_char_ptr((*self.as_raw()).name.as_ptr()) }
    }
}

/// What belongs to a device: the driver and what wakes it.
#[pin_data]
pub(super) struct Private<T> {
    #[pin]
    napi: Napi,
    #[pin]
    timer: Timer,
    line: Line,
    #[pin]
    driver: T,
}

impl<T: Driver> Private<T> {
    /// # Safety
    ///
    /// `device` is one of `T`.
    pub(super) unsafe fn of_device(device: &Device) -> &Self {
        // SAFETY: the device's private area holds this pointer from before its
        // registration until after it.
        unsafe { &**bindings::muennet_netdev_priv(device.as_raw()).cast::<*const Self>() }
    }

    pub(super) fn driver(&self) -> &T {
        &self.driver
    }

    pub(super) fn unmask(&self) {
        self.line.unmask();
    }
}

/// A registered device; dropping it unregisters the device.
pub(crate) struct Registration<T: Driver> {
    device: NonNull<bindings::net_device>,
    private: Pin<KBox<Private<T>>>,
}

// SAFETY: a device may be unregistered from any thread.
unsafe impl<T: Driver> Send for Registration<T> {}
// SAFETY: nothing is offered through a shared reference.
unsafe impl<T: Driver> Sync for Registration<T> {}

/// An allocated device, not registered.
struct Unregistered(NonNull<bindings::net_device>);

impl Drop for Unregistered {
    fn drop(&mut self) {
        // SAFETY: allocated and not registered.
        unsafe { bindings::free_netdev(self.0.as_ptr()) };
    }
}

impl<T: Driver> Registration<T> {
    /// Makes an Ethernet device of `driver` and registers it.
    pub(crate) fn ethernet(
        properties: &Properties<'_>,
        driver: impl PinInit<T, Error>,
    ) -> Result<Self> {
        // CAST: the size of a pointer.
        let size = size_of::<*const Private<T>>() as i32;
        // SAFETY: allocates only.
        let device = unsafe { bindings::alloc_etherdev_mqs(size, 1, 1) };
        let unregistered = Unregistered(NonNull::new(device).ok_or(ENOMEM)?);

        let private = KBox::try_pin_init(
            pin_init::pin_init_scope(|| {
                Ok(try_pin_init!(&this in Private {
                    napi <- Napi::zeroed(),
                    // SAFETY: the box keeps both in place; the timer is cancelled before it goes.
                    timer <- unsafe { Timer::new(&raw const (*this.as_ptr()).napi) },
                    // SAFETY: as above; the interrupt is freed before it goes.
                    line: unsafe { Line::new(&raw const (*this.as_ptr()).napi) },
                    driver <- driver,
                }? Error))
            }),
            GFP_KERNEL,
        )?;

        // SAFETY: ours alone until registered; the private area has room for the pointer.
        unsafe {
            let dev = &mut *device;
            // The name that the allocation gave goes, to its end.
            let name = Iterator::chain(properties.name.bytes(), core::iter::repeat(0));
            for (to, from) in dev.name.iter_mut().zip(name) {
                *to = from as _;
            }
            let area = bindings::muennet_netdev_priv(device).cast::<*const Private<T>>();
            area.write(&raw const *private);
            dev.netdev_ops = &Operations::<T>::NETDEV;
            dev.ethtool_ops = &Operations::<T>::ETHTOOL;
            dev.mtu = properties.mtu.into();
            dev.min_mtu = bindings::ETH_MIN_MTU;
            dev.max_mtu = properties.mtu.into();
            dev.set_pcpu_stat_type(bindings::netdev_stat_type_NETDEV_PCPU_STAT_TSTATS);
            bindings::muennet_set_live_addr_change(device);
            bindings::muennet_eth_hw_addr_random(device);
            private.napi.add::<T>(device);
            bindings::netif_carrier_off(device);
        }
        // SAFETY: everything is in place.
        to_result(unsafe { bindings::register_netdev(device) })?;
        core::mem::forget(unregistered);
        Ok(Self {
            // SAFETY: not null, as checked above.
            device: unsafe { NonNull::new_unchecked(device) },
            private,
        })
    }
}

impl<T: Driver> Drop for Registration<T> {
    fn drop(&mut self) {
        // SAFETY: registered; this takes it down first, so that nothing calls the
        // driver any more. The private part goes after the device.
        unsafe {
            bindings::unregister_netdev(self.device.as_ptr());
            self.private.napi.del();
            bindings::free_netdev(self.device.as_ptr());
        }
    }
}

/// The C operations of devices of `T`.
struct Operations<T>(PhantomData<T>);

impl<T: Driver> Operations<T> {
    const NETDEV: bindings::net_device_ops = bindings::net_device_ops {
        ndo_open: Some(Self::open),
        ndo_stop: Some(Self::stop),
        ndo_start_xmit: Some(Self::start_xmit),
        ndo_get_stats64: Some(Self::get_stats64),
        ndo_validate_addr: Some(bindings::eth_validate_addr),
        ndo_set_mac_address: Some(bindings::eth_mac_addr),
        ..pin_init::zeroed()
    };

    const ETHTOOL: bindings::ethtool_ops = bindings::ethtool_ops {
        get_drvinfo: Some(Self::get_drvinfo),
        get_link: Some(bindings::ethtool_op_get_link),
        get_ts_info: Some(bindings::ethtool_op_get_ts_info),
        ..pin_init::zeroed()
    };

    unsafe extern "C" fn open(device: *mut bindings::net_device) -> i32 {
        // SAFETY: the kernel calls with a registered device of `T`.
        let (device, private) = unsafe {
            let device = Device::from_raw(device);
            (device, Private::<T>::of_device(device))
        };
        from_result(|| {
            let wake = private.driver.open(device)?;
            private.napi.enable();
            if let Some(irq) = wake.irq {
                private.line.request(irq, T::NAME).inspect_err(|_| {
                    private.napi.disable();
                    private.driver.stop(device);
                })?;
            }
            // SAFETY: a valid device, going up.
            unsafe { bindings::muennet_netif_start_queue(device.as_raw()) };
            if let Some(period_ns) = wake.period_ns {
                private.timer.start(period_ns);
            }
            // What was there before: softirqs run when they are enabled again.
            softirq::without(|| private.napi.schedule());
            Ok(0)
        })
    }

    unsafe extern "C" fn stop(device: *mut bindings::net_device) -> i32 {
        // SAFETY: the kernel calls with a registered device of `T`.
        let (device, private) = unsafe {
            let device = Device::from_raw(device);
            (device, Private::<T>::of_device(device))
        };
        // SAFETY: a valid device, going down.
        unsafe { bindings::muennet_netif_stop_queue(device.as_raw()) };
        private.timer.cancel();
        private.napi.disable();
        private.line.free();
        private.driver.stop(device);
        0
    }

    unsafe extern "C" fn start_xmit(
        skb: *mut bindings::sk_buff,
        device: *mut bindings::net_device,
    ) -> bindings::netdev_tx_t {
        // SAFETY: the kernel calls with a registered device of `T` and gives the packet away.
        unsafe {
            let device = Device::from_raw(device);
            let skb = SkBuff::from_raw(NonNull::new_unchecked(skb));
            let more = bindings::muennet_netdev_xmit_more();
            Private::<T>::of_device(device).driver.start_xmit(device, skb, more);
        }
        bindings::netdev_tx_NETDEV_TX_OK
    }

    unsafe extern "C" fn get_stats64(
        device: *mut bindings::net_device,
        stats: *mut bindings::rtnl_link_stats64,
    ) {
        // SAFETY: the kernel calls with a registered device of `T` and its own statistics.
        unsafe {
            let device = Device::from_raw(device);
            bindings::dev_fetch_sw_netstats(stats, (*device.as_raw()).__bindgen_anon_2.tstats);
            let errors = Private::<T>::of_device(device).driver.errors();
            (*stats).rx_missed_errors += errors.rx_missed;
            (*stats).rx_over_errors += errors.rx_over;
            (*stats).rx_length_errors += errors.rx_length;
            (*stats).rx_errors += errors.rx_length + errors.rx_over;
            (*stats).rx_dropped += errors.rx_dropped;
            (*stats).tx_dropped += errors.tx_dropped;
        }
    }

    unsafe extern "C" fn get_drvinfo(
        device: *mut bindings::net_device,
        info: *mut bindings::ethtool_drvinfo,
    ) {
        // SAFETY: the kernel calls with a registered device of `T` and its own answer.
        let (private, info) =
            unsafe { (Private::<T>::of_device(Device::from_raw(device)), &mut *info) };
        copy_str(&mut info.driver, T::NAME);
        copy_str(&mut info.bus_info, private.driver.bus_info());
    }
}

/// Copies as much of `text` as fits, NUL-terminated.
fn copy_str(field: &mut [kernel::ffi::c_char], text: &CStr) {
    let room = field.len().saturating_sub(1);
    field.fill(0);
    for (to, from) in field.iter_mut().take(room).zip(text.to_bytes()) {
        *to = *from as _;
    }
}
