// SPDX-License-Identifier: GPL-2.0-only

//! Network devices made of Rust values: their operations, and their registration.
//!
//! C header: `include/linux/netdevice.h`

use super::{
    device::{Behind, Device, Held},
    ethtool::{self, Coalesce, Rings},
    irq::Line,
    napi::{Napi, Polling},
    skb::SkBuff,
    softirq,
    peers::Peers,
    timer::Timer,
};
use crate::bindings;
use core::{marker::PhantomData, ptr::NonNull};
use kernel::{
    error::{from_result, to_result},
    prelude::*,
};

/// Turns a Rust value into a network device.
pub(crate) trait Driver: Send + Sync + 'static {
    /// Shown by `ethtool -i` and as the owner of interrupts.
    const NAME: &'static CStr;

    /// Names of what `ethtool -S` shows.
    const STATISTICS: &'static [&'static str];

    /// The interface goes up: take what wakes it from `wake`.
    fn open(&self, device: &Device) -> Result<Wake>;

    /// The interface goes down; nothing is polled or sent any more.
    fn stop(&self, device: &Device);

    /// Sends a packet, in pieces or whole, whose checksum may be left to fill in;
    /// `more` says that another one follows at once. Softirqs are disabled; calls
    /// may overlap, as the kernel takes no lock for them.
    fn start_xmit(&self, device: &Device, skb: SkBuff, more: bool);

    /// Receives at most `budget` packets and gives their number.
    fn poll(&self, polling: &Polling<'_>, budget: i32) -> i32;

    /// True when `poll` would find something.
    fn has_pending(&self) -> bool;

    /// Counters beside those of packets and bytes.
    fn errors(&self) -> Errors;

    /// The bus information of `ethtool -i`.
    fn bus_info(&self) -> &CStr;

    /// Fills in the [`STATISTICS`](Self::STATISTICS), in their order; `interrupts`
    /// came so far.
    fn statistics(&self, device: &Device, interrupts: u64, values: &mut [u64]);

    /// The sizes of the rings.
    fn rings(&self) -> Rings;

    /// When it looks for packets.
    fn coalesce(&self) -> Coalesce;

    /// Changes when it looks for packets, and gives the nanoseconds from look to
    /// look from now on.
    fn set_coalesce(&self, coalesce: Coalesce) -> Result<u64, (Error, &'static str)>;
}

/// The sources of wake-ups of an interface that is up.
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
    pub(crate) rx_frame: u64,
    pub(crate) rx_dropped: u64,
}

/// The kind of network that a device is on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    /// Ethernet.
    Ethernet {
        /// The hardware address, which stays from load to load.
        address: [u8; 6],
    },
    /// A peer that takes packets without a link-layer header.
    PointToPoint {
        /// Bytes that senders leave free before a packet.
        headroom: u16,
    },
}

/// Properties of a new device.
pub(crate) struct Properties<'a> {
    /// Name, may hold one `%d`.
    pub(crate) name: &'a str,
    /// The network that the device is on.
    pub(crate) network: Network,
    /// The MTU, and the most it can be set to.
    pub(crate) mtu: u16,
    /// The least that it can be set to.
    pub(crate) min_mtu: u16,
    /// Its packets keep their route on the way out, so that the sender can be
    /// told of a path's MTU.
    pub(crate) keep_route: bool,
}

/// Private data of a device: the driver, and its sources of wake-ups.
#[pin_data]
pub(crate) struct Private<T> {
    #[pin]
    napi: Napi,
    #[pin]
    timer: Timer,
    line: Line,
    #[pin]
    peers: Peers,
    #[pin]
    driver: T,
}

// SAFETY: devices of a `Registration<T>` have these operations, and no others do.
// Their private area holds the pointer from before their registration until after
// it, and dropping the registration waits for counted references.
unsafe impl<T: Driver> Behind for Private<T> {
    type Target = T;

    fn has(operations: *const bindings::net_device_ops) -> bool {
        operations == Operations::<T>::ethernet()
            || operations == Operations::<T>::point_to_point()
    }

    unsafe fn of(device: &Device) -> &Self {
        // SAFETY: by the caller's promise; see above.
        unsafe { &**bindings::muennet_netdev_priv(device.as_raw()).cast::<*const Self>() }
    }

    fn target(&self) -> &T {
        &self.driver
    }
}

impl<T: Driver> Private<T> {
    pub(super) fn driver(&self) -> &T {
        &self.driver
    }

    pub(super) fn peers(&self) -> &Peers {
        &self.peers
    }

    pub(super) fn schedule(&self) {
        self.line.schedule();
    }

    pub(super) fn unmask(&self) {
        self.line.unmask();
    }

    pub(super) fn interrupts(&self) -> u64 {
        self.line.count()
    }

    pub(super) fn set_period(&self, period_ns: u64) {
        self.timer.set_period(period_ns);
    }
}

/// A device of a driver, held.
pub(crate) type HeldOf<T> = Held<Private<T>>;

/// A registered device; dropping it unregisters the device.
pub(crate) struct Registration<T: Driver> {
    device: NonNull<bindings::net_device>,
    private: Pin<KBox<Private<T>>>,
}

// SAFETY: a device may be unregistered from any thread.
unsafe impl<T: Driver> Send for Registration<T> {}
// SAFETY: what is offered through a shared reference may be called from any thread.
unsafe impl<T: Driver> Sync for Registration<T> {}

/// An allocated device, not registered.
struct Unregistered(NonNull<bindings::net_device>);

impl Drop for Unregistered {
    fn drop(&mut self) {
        // SAFETY: allocated and not registered.
        unsafe { bindings::free_netdev(self.0.as_ptr()) };
    }
}

/// A device that takes packets as they are.
pub(super) unsafe extern "C" fn point_to_point(device: *mut bindings::net_device) {
    // SAFETY: the kernel calls with a device that it has just allocated.
    unsafe {
        // CAST: the kernel's own widths.
        (*device).type_ = bindings::ARPHRD_NONE as u16;
        (*device).flags = bindings::net_device_flags_IFF_POINTOPOINT
            | bindings::net_device_flags_IFF_NOARP
            | bindings::net_device_flags_IFF_MULTICAST;
    }
}

/// Every packet is received, whomever it is for: there is no filter to set. The
/// kernel takes multicast addresses (`ip maddr add`) only where this is there.
pub(super) unsafe extern "C" fn set_rx_mode(_: *mut bindings::net_device) {}

impl<T: Driver> Registration<T> {
    /// Makes a device of `driver` and registers it.
    pub(crate) fn new(
        properties: &Properties<'_>,
        driver: impl PinInit<T, Error>,
    ) -> Result<Self> {
        let mut name = [0; bindings::IFNAMSIZ as usize];
        let last = name.len() - 1;
        for (to, from) in name.iter_mut().take(last).zip(properties.name.bytes()) {
            *to = from as _;
        }
        let setup: unsafe extern "C" fn(*mut bindings::net_device) = match properties.network {
            Network::Ethernet { .. } => bindings::ether_setup,
            Network::PointToPoint { .. } => point_to_point,
        };
        // CAST: the size of a pointer.
        let size = size_of::<*const Private<T>>() as i32;
        let assigned = bindings::NET_NAME_USER as u8;
        // SAFETY: allocates only; the name is NUL-terminated.
        let device = unsafe {
            bindings::alloc_netdev_mqs(size, name.as_ptr(), assigned, Some(setup), 1, 1)
        };
        let unregistered = Unregistered(NonNull::new(device).ok_or(ENOMEM)?);

        let private = KBox::try_pin_init(
            pin_init::pin_init_scope(|| {
                Ok(try_pin_init!(&this in Private {
                    napi <- Napi::zeroed(),
                    // SAFETY: the box keeps both in place; the timer is cancelled before it goes.
                    timer <- unsafe { Timer::new(&raw const (*this.as_ptr()).line) },
                    // SAFETY: as above; the interrupt is freed before it goes.
                    line: unsafe { Line::new(&raw const (*this.as_ptr()).napi) },
                    peers <- Peers::new(),
                    driver <- driver,
                }? Error))
            }),
            GFP_KERNEL,
        )?;

        // SAFETY: ours alone until registered; the private area has room for the pointer.
        unsafe {
            let area = bindings::muennet_netdev_priv(device).cast::<*const Private<T>>();
            area.write(&raw const *private);
            let dev = &mut *device;
            dev.ethtool_ops = Operations::<T>::ethtool();
            dev.mtu = properties.mtu.into();
            dev.min_mtu = properties.min_mtu.into();
            dev.max_mtu = properties.mtu.into();
            bindings::muennet_set_tstats(device);
            match properties.network {
                Network::Ethernet { address } => {
                    dev.netdev_ops = Operations::<T>::ethernet();
                    dev.vlan_features |= bindings::MUENNET_FEATURES;
                    bindings::muennet_set_live_addr_change(device);
                    // `addr_assign_type` stays NET_ADDR_PERM.
                    bindings::muennet_eth_hw_addr_set(device, address.as_ptr());
                }
                Network::PointToPoint { headroom } => {
                    dev.netdev_ops = Operations::<T>::point_to_point();
                    dev.needed_headroom = headroom;
                    dev.header_ops = &raw const bindings::ip_tunnel_header_ops;
                }
            }
            // The driver has its own lock. The kernel's would be held while an ICMP
            // answer leaves by another device of this kind, and the other way round.
            bindings::muennet_set_lltx(device);
            dev.features |= bindings::MUENNET_FEATURES;
            dev.hw_features |= bindings::MUENNET_FEATURES;
            if properties.keep_route {
                bindings::muennet_netif_keep_dst(device);
            }
            private.napi.add::<T>(device);
            // Dropping the registration cancels it before the device goes.
            private.peers.set_device(device);
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

    /// Holds the device.
    pub(crate) fn hold(&self) -> Result<HeldOf<T>> {
        // SAFETY: registered.
        Held::new(unsafe { Device::from_raw(self.device.as_ptr()) }).ok_or(ENODEV)
    }
}

impl<T: Driver> Drop for Registration<T> {
    fn drop(&mut self) {
        // SAFETY: registered; this takes it down first, and waits for all who hold
        // it, so that nothing calls the driver any more. The private part goes
        // after the device.
        unsafe {
            bindings::unregister_netdev(self.device.as_ptr());
            self.private.napi.del();
            self.private.peers.cancel();
            bindings::free_netdev(self.device.as_ptr());
        }
    }
}

/// Why the kernel did not register a device.
pub(crate) struct NotRegistered(pub(crate) Error);

impl core::fmt::Display for NotRegistered {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 {
            error if error == EEXIST => f.write_str("an interface of this name exists already"),
            error if error == EINVAL => f.write_str("the kernel takes no such interface name"),
            error => core::write!(f, "the kernel does not register it (errno {})", -error.to_errno()),
        }
    }
}

/// The C operations of devices of `T`.
struct Operations<T>(PhantomData<T>);

impl<T: Driver> Operations<T> {
    /// Without an address: setting one is refused with EOPNOTSUPP.
    ///
    /// The module stays while it can be called, as [`ETHERNET`](Self::ETHERNET): dropping
    /// the [`Registration`] calls `unregister_netdev`, which waits for calls and for counted
    /// references.
    const POINT_TO_POINT: bindings::net_device_ops = bindings::net_device_ops {
        ndo_init: Some(bindings::muennet_init_tstats),
        ndo_uninit: Some(bindings::muennet_free_tstats),
        ndo_open: Some(Self::open),
        ndo_stop: Some(Self::stop),
        ndo_start_xmit: Some(Self::start_xmit),
        ndo_get_stats64: Some(Self::get_stats64),
        ndo_set_rx_mode: Some(set_rx_mode),
        ..pin_init::zeroed()
    };

    const ETHERNET: bindings::net_device_ops = bindings::net_device_ops {
        ndo_validate_addr: Some(bindings::eth_validate_addr),
        ndo_set_mac_address: Some(bindings::eth_mac_addr),
        ..Self::POINT_TO_POINT
    };

    /// The one place of the table: its address tells whose a device is.
    #[inline(never)]
    fn ethernet() -> *const bindings::net_device_ops {
        &Self::ETHERNET
    }

    /// As [`ethernet`](Self::ethernet).
    #[inline(never)]
    fn point_to_point() -> *const bindings::net_device_ops {
        &Self::POINT_TO_POINT
    }

    fn ethtool() -> *const bindings::ethtool_ops {
        const { &ethtool::operations::<T>() }
    }

    unsafe extern "C" fn open(device: *mut bindings::net_device) -> i32 {
        // SAFETY: the kernel calls with a registered device of `T`.
        let (device, private) = unsafe {
            let device = Device::from_raw(device);
            (device, Private::<T>::of(device))
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
            softirq::without(|| private.schedule());
            Ok(0)
        })
    }

    unsafe extern "C" fn stop(device: *mut bindings::net_device) -> i32 {
        // SAFETY: the kernel calls with a registered device of `T`.
        let (device, private) = unsafe {
            let device = Device::from_raw(device);
            (device, Private::<T>::of(device))
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
            Private::<T>::of(device).driver.start_xmit(device, skb, more);
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
            let mut sum = bindings::rtnl_link_stats64::default();
            bindings::muennet_fetch_tstats(&mut sum, device.as_raw());
            let errors = Private::<T>::of(device).driver.errors();
            sum.rx_missed_errors = errors.rx_missed;
            sum.rx_over_errors = errors.rx_over;
            sum.rx_length_errors = errors.rx_length;
            sum.rx_frame_errors = errors.rx_frame;
            sum.rx_errors = errors.rx_length + errors.rx_frame + errors.rx_over;
            sum.rx_dropped = errors.rx_dropped;
            // In a netlink message they lie at a multiple of four bytes.
            stats.write_unaligned(sum);
        }
    }
}
