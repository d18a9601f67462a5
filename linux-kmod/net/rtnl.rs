// SPDX-License-Identifier: GPL-2.0-only

//! Links that lie over another device: their kind, as `ip link add … type` names it, and
//! their devices.
//!
//! C header: `include/net/rtnetlink.h`

pub(crate) use super::rtnl_lock::Rtnl;

use super::{
    device::{Behind, Device, Held},
    driver::{point_to_point, set_rx_mode, Driver, HeldOf, NotRegistered},
    ethtool,
    namespace::Net,
    napi::Polling,
    netlink::{Ack, Attributes, Message, Policy},
    rtnl_lock,
    skb::SkBuff,
};
use crate::{
    bindings,
    newlink::{self, NewLink, Request},
};
use core::{
    marker::PhantomData,
    mem::MaybeUninit,
    ptr::{self, NonNull},
};
use kernel::{
    error::{from_result, to_result},
    prelude::*,
    types::Opaque,
};

/// A link over a device of [`Parent`](Self::Parent).
pub(crate) trait Link: Sized + Send + Sync + 'static {
    /// The kind's name.
    const KIND: &'static CStr;
    /// Its attributes, by their numbers.
    const POLICIES: &'static [Policy];
    /// Bytes of what `fill` appends, at most.
    const FILL: usize;
    /// The driver of the device that the link lies over.
    type Parent: Driver;

    /// A link over `parent`; its device is not registered yet.
    fn over(parent: HeldOf<Self::Parent>, ack: Ack) -> Result<Self>;

    /// The device is registered: take it up, with the `attributes` that were
    /// given. On an error it is unregistered again, after [`removed`](Self::removed).
    fn added(
        this: &HeldLink<Self>,
        attributes: &Attributes<'_>,
        ack: Ack,
        rtnl: &Rtnl,
    ) -> Result;

    /// The device is about to be unregistered: give up all references to it.
    fn removed(&self, device: &Device);

    /// The device that the link lies over.
    fn parent(&self) -> &HeldOf<Self::Parent>;

    /// Sends a packet. Softirqs are disabled; calls may overlap.
    fn start_xmit(&self, device: &Device, skb: SkBuff);

    /// Appends the attributes that it has.
    fn fill(&self, device: &Device, message: &mut Message) -> Result;
}

/// The device's private area, cleared when it is allocated.
#[repr(C)]
pub(crate) struct Private<L> {
    /// Receives in a softirq of the link's own, with GRO.
    cells: Opaque<bindings::gro_cells>,
    /// The link is there.
    ready: bool,
    link: MaybeUninit<L>,
}

// SAFETY: cells may be used from any CPU; the link is `Sync`.
unsafe impl<L: Link> Sync for Private<L> {}
// SAFETY: as above.
unsafe impl<L: Link> Send for Private<L> {}

/// A link's device, held.
pub(crate) type HeldLink<L> = Held<Private<L>>;

// SAFETY: `setup` alone gives devices these operations, and the private area is
// part of the device. It is `ready` from before the registration until the last
// counted reference was given back.
unsafe impl<L: Link> Behind for Private<L> {
    type Target = L;

    fn has(operations: *const bindings::net_device_ops) -> bool {
        operations == Operations::<L>::netdev()
    }

    unsafe fn of(device: &Device) -> &Self {
        // SAFETY: by the caller's promise; see above.
        unsafe { &*bindings::muennet_netdev_priv(device.as_raw()).cast::<Self>() }
    }

    fn target(&self) -> &L {
        // SAFETY: ready, as for every registered or held device.
        unsafe { self.link.assume_init_ref() }
    }
}

impl<L: Link> HeldLink<L> {
    /// Hands a packet that came for this link to the stack and counts it.
    pub(crate) fn receive(&self, _polling: &Polling<'_>, mut skb: SkBuff, mark: u32) {
        self.device().count_received(skb.len());
        skb.is_packet(self.device(), mark);
        // SAFETY: initialised by `init`; softirqs are disabled, as a `Polling`
        // proves; the packet is given away. Cells of a device that goes drop it.
        unsafe { bindings::gro_cells_receive(self.behind().cells.get(), skb.into_raw()) };
    }
}

/// A kind of links; a `static`. The kernel calls its operations with the RTNL held or
/// as an SRCU reader; `rtnl_link_unregister` waits for both before the module goes.
pub(crate) struct Kind<L>(Opaque<bindings::rtnl_link_ops>, PhantomData<L>);

// SAFETY: the kernel serialises what it does with it.
unsafe impl<L: Link> Sync for Kind<L> {}

/// A registered kind; dropping it removes all links of the kind, in every
/// namespace.
pub(crate) struct Registration<L: Link>(&'static Kind<L>);

impl<L: Link> Kind<L> {
    pub(crate) const fn new() -> Self {
        // CAST: the length of a table, known when compiling.
        Self(
            Opaque::new(bindings::rtnl_link_ops {
                kind: L::KIND.as_ptr().cast(),
                priv_size: size_of::<Private<L>>(),
                setup: Some(Operations::<L>::setup),
                maxtype: L::POLICIES.len() as u32 - 1,
                policy: Policy::as_raw(L::POLICIES),
                newlink: Some(newlink::newlink::<Operations<L>>),
                dellink: Some(Operations::<L>::dellink),
                get_size: Some(Operations::<L>::get_size),
                fill_info: Some(Operations::<L>::fill_info),
                get_link_net: Some(Operations::<L>::get_link_net),
                ..pin_init::zeroed()
            }),
            PhantomData,
        )
    }

    /// Registers the kind; call it once at a time.
    pub(crate) fn register(&'static self) -> Result<Registration<L>> {
        // SAFETY: it lives forever.
        to_result(unsafe { bindings::rtnl_link_register(self.0.get()) })?;
        Ok(Registration(self))
    }

    /// Makes a link of that name over `parent`, in the namespace `net`.
    pub(crate) fn create(
        &'static self,
        net: &Net,
        name: &CStr,
        parent: HeldOf<L::Parent>,
        ack: Ack,
        _rtnl: &Rtnl,
    ) -> Result {
        let mut none = [ptr::null_mut(); bindings::__IFLA_MAX as usize];
        let assigned = bindings::NET_NAME_USER as u8;
        // SAFETY: a valid namespace, a NUL-terminated name, a table without
        // attributes, and the RTNL is held.
        let device = unsafe {
            bindings::rtnl_create_link(
                net.as_raw(),
                name.as_char_ptr(),
                assigned,
                self.0.get(),
                none.as_mut_ptr(),
                ptr::null_mut(),
            )
        };
        // SAFETY: looks at the pointer's value only.
        if unsafe { bindings::muennet_is_err(device.cast()) } {
            // SAFETY: as above. CAST: an errno.
            let errno = unsafe { bindings::muennet_ptr_err(device.cast()) } as i32;
            return Err(Error::from_errno(errno));
        }
        // SAFETY: a new device of this kind; none given.
        let made = unsafe {
            let attributes = Attributes::from_raw(ptr::null_mut(), 0);
            Operations::<L>::make(device, parent, &attributes, ack)
        };
        made.inspect_err(|_| {
            // SAFETY: not registered, or unregistered again: freed then by the
            // kernel when it may be.
            unsafe { bindings::free_netdev(device) };
        })?;
        // SAFETY: registered; shows it to the world.
        unsafe {
            to_result(bindings::rtnl_configure_link(device, ptr::null(), 0, ptr::null()))
                .inspect_err(|_| Operations::<L>::dellink(device, ptr::null_mut()))
        }
    }

    /// Deletes a link.
    pub(crate) fn delete(&'static self, link: HeldLink<L>, _rtnl: &Rtnl) {
        let device = link.device().as_raw();
        // Unregistering waits for it, when the RTNL is given back.
        drop(link);
        // SAFETY: registered while the RTNL is held, and of this kind.
        unsafe { Operations::<L>::dellink(device, ptr::null_mut()) };
    }
}

impl<L: Link> Drop for Registration<L> {
    fn drop(&mut self) {
        // SAFETY: registered. This removes all links of the kind and waits for that.
        unsafe { bindings::rtnl_link_unregister(self.0 .0.get()) };
    }
}

impl<L: Link> NewLink for Operations<L> {
    unsafe fn new_link(device: *mut bindings::net_device, request: &Request) -> Result {
        // SAFETY: by the caller's promise the RTNL is held, the device was set up, and
        // the attributes were checked: its own, and the kind's.
        unsafe {
            let ack = Ack::from_raw(request.ack);
            let own = Attributes::from_raw(request.own, bindings::__IFLA_MAX as usize);
            let attributes = Attributes::from_raw(request.kind, L::POLICIES.len());
            let index = own.number(bindings::IFLA_LINK as usize).ok_or_else(|| {
                ack.refuse(EINVAL, core::format_args!("say what it lies over: link <interface>"))
            })?;
            // CAST: the kernel's own width.
            let below = bindings::__dev_get_by_index(request.link_net, index as i32);
            let parent = NonNull::new(below)
                .and_then(|below| Held::new(Device::from_raw(below.as_ptr())))
                .ok_or_else(|| {
                    ack.refuse(
                        ENODEV,
                        core::format_args!(
                            "what it is to lie over is no interface of {}",
                            core::str::from_utf8_unchecked(L::Parent::NAME.to_bytes())
                        ),
                    )
                })?;
            Self::make(device, parent, &attributes, ack)
        }
    }
}

/// The C operations of links of `L`.
struct Operations<L>(PhantomData<L>);

impl<L: Link> Operations<L> {
    /// The module stays while it can be called: dropping the [`Registration`] of the kind
    /// unregisters every device of it, also those that others are unregistering, and
    /// waits for the end of each.
    const NETDEV: bindings::net_device_ops = bindings::net_device_ops {
        ndo_init: Some(Self::init),
        ndo_uninit: Some(Self::uninit),
        ndo_open: Some(Self::open),
        ndo_stop: Some(Self::stop),
        ndo_start_xmit: Some(Self::start_xmit),
        // Kernels before 6.10 do not look at the statistics by themselves.
        ndo_get_stats64: Some(bindings::dev_get_tstats64),
        ndo_get_iflink: Some(Self::get_iflink),
        ndo_set_rx_mode: Some(set_rx_mode),
        ..pin_init::zeroed()
    };

    /// Called with the RTNL or a reference to the device held; as for `NETDEV`.
    const ETHTOOL: bindings::ethtool_ops = bindings::ethtool_ops {
        get_link: Some(bindings::ethtool_op_get_link),
        get_ts_info: Some(bindings::ethtool_op_get_ts_info),
        get_link_ksettings: Some(ethtool::get_link_ksettings),
        ..pin_init::zeroed()
    };

    /// The one place of the table: its address tells whose a device is.
    #[inline(never)]
    fn netdev() -> *const bindings::net_device_ops {
        &Self::NETDEV
    }

    /// # Safety
    ///
    /// `device` is a registered device of `L`.
    unsafe fn of<'a>(device: *mut bindings::net_device) -> (&'a Device, &'a Private<L>) {
        // SAFETY: by the caller's promise.
        unsafe {
            let device = Device::from_raw(device);
            (device, Private::<L>::of(device))
        }
    }

    unsafe extern "C" fn setup(device: *mut bindings::net_device) {
        // SAFETY: the kernel calls with a device that it has just allocated, with
        // a private area of the kind's size.
        unsafe {
            point_to_point(device);
            let dev = &mut *device;
            dev.netdev_ops = Self::netdev();
            dev.ethtool_ops = const { &Self::ETHTOOL };
            dev.header_ops = &raw const bindings::ip_tunnel_header_ops;
            dev.needs_free_netdev = true;
            dev.priv_destructor = Some(Self::destroy);
            bindings::muennet_set_tstats(device);
            bindings::muennet_set_no_queue(device);
            bindings::muennet_netif_keep_dst(device);
        }
    }

    /// Makes the link of a new device, and registers it.
    ///
    /// # Safety
    ///
    /// `device` was set up and is not registered; the RTNL is held.
    unsafe fn make(
        device: *mut bindings::net_device,
        parent: HeldOf<L::Parent>,
        attributes: &Attributes<'_>,
        ack: Ack,
    ) -> Result {
        // SAFETY: ours alone until registered.
        unsafe {
            let (dev, below) = (&mut *device, &*parent.device().as_raw());
            if dev.mtu == 0 {
                dev.mtu = below.mtu;
            }
            dev.min_mtu = below.min_mtu;
            dev.max_mtu = below.max_mtu;
            dev.needed_headroom = below.needed_headroom;
            dev.features |= bindings::MUENNET_FEATURES;
            dev.hw_features |= bindings::MUENNET_FEATURES;
            let carrier = parent.device().carrier();
            let private = bindings::muennet_netdev_priv(device).cast::<Private<L>>();
            (*private).link.write(L::over(parent, ack)?);
            (*private).ready = true;
            to_result(bindings::register_netdevice(device)).inspect_err(|error| {
                ack.refuse(*error, core::format_args!("{}", NotRegistered(*error)));
                Self::destroy(device);
            })?;
            let device = Device::from_raw(device);
            device.set_carrier(carrier);
            let added = match Held::new(device) {
                Some(link) => L::added(&link, attributes, ack, rtnl_lock::held()),
                None => Err(ENODEV),
            };
            added.inspect_err(|_| Self::dellink(device.as_raw(), ptr::null_mut()))
        }
    }

    /// Ends the link, if it is there: nobody holds the device any more.
    unsafe extern "C" fn destroy(device: *mut bindings::net_device) {
        // SAFETY: the kernel calls at the very end of a device, `make` for one
        // that did not come to be registered.
        unsafe {
            let private = bindings::muennet_netdev_priv(device).cast::<Private<L>>();
            if core::mem::take(&mut (*private).ready) {
                (*private).link.assume_init_drop();
            }
        }
    }

    unsafe extern "C" fn dellink(
        device: *mut bindings::net_device,
        list: *mut bindings::list_head,
    ) {
        // SAFETY: called with the RTNL held and a registered device of `L`.
        unsafe {
            let (dev, private) = Self::of(device);
            private.target().removed(dev);
            bindings::unregister_netdevice_queue(device, list);
        }
    }

    unsafe extern "C" fn get_size(_: *const bindings::net_device) -> usize {
        L::FILL
    }

    unsafe extern "C" fn fill_info(
        skb: *mut bindings::sk_buff,
        device: *const bindings::net_device,
    ) -> i32 {
        // SAFETY: the kernel calls with a registered device of `L` and its own message.
        let ((device, private), mut message) =
            unsafe { (Self::of(device.cast_mut()), Message::from_raw(skb)) };
        from_result(|| private.target().fill(device, &mut message).map(|()| 0))
    }

    unsafe extern "C" fn get_link_net(device: *const bindings::net_device) -> *mut bindings::net {
        // SAFETY: the kernel calls with a registered device of `L`.
        let (_, private) = unsafe { Self::of(device.cast_mut()) };
        private.target().parent().device().net().as_raw()
    }

    unsafe extern "C" fn get_iflink(device: *const bindings::net_device) -> i32 {
        // SAFETY: the kernel calls with a registered device of `L`.
        let (_, private) = unsafe { Self::of(device.cast_mut()) };
        // CAST: the kernel's own width.
        private.target().parent().device().index() as i32
    }

    unsafe extern "C" fn init(device: *mut bindings::net_device) -> i32 {
        // SAFETY: the kernel calls once, with a device whose link is ready.
        unsafe {
            let (_, private) = Self::of(device);
            let failed = bindings::muennet_init_tstats(device);
            if failed != 0 {
                return failed;
            }
            let failed = bindings::gro_cells_init(private.cells.get(), device);
            if failed != 0 {
                bindings::muennet_free_tstats(device);
            }
            failed
        }
    }

    unsafe extern "C" fn uninit(device: *mut bindings::net_device) {
        // SAFETY: the kernel calls once after `init`, with the device down.
        unsafe {
            let (_, private) = Self::of(device);
            bindings::gro_cells_destroy(private.cells.get());
            bindings::muennet_free_tstats(device);
        }
    }

    unsafe extern "C" fn open(device: *mut bindings::net_device) -> i32 {
        // SAFETY: the kernel calls with a registered device of `L`.
        unsafe { bindings::muennet_netif_start_queue(device) };
        0
    }

    unsafe extern "C" fn stop(device: *mut bindings::net_device) -> i32 {
        // SAFETY: the kernel calls with a registered device of `L`.
        unsafe { bindings::muennet_netif_stop_queue(device) };
        0
    }

    unsafe extern "C" fn start_xmit(
        skb: *mut bindings::sk_buff,
        device: *mut bindings::net_device,
    ) -> bindings::netdev_tx_t {
        // SAFETY: the kernel calls with a registered device of `L` and gives the packet away.
        unsafe {
            let (device, private) = Self::of(device);
            let skb = SkBuff::from_raw(NonNull::new_unchecked(skb));
            private.target().start_xmit(device, skb);
        }
        bindings::netdev_tx_NETDEV_TX_OK
    }
}

