// SPDX-License-Identifier: GPL-2.0-only

//! Operations of `ethtool` on a device.
//!
//! C header: `include/linux/ethtool.h`

use super::{
    device::{Behind, Device},
    driver::{Driver, Private},
    netlink::Ack,
};
use crate::bindings;
use core::{marker::PhantomData, slice};
use kernel::prelude::*;

/// `ethtool -g`: elements of the rings; 0 where there is none.
#[derive(Clone, Copy, Default)]
pub(crate) struct Rings {
    /// Elements of the ring that is read, as its writer made it.
    pub(crate) rx: u32,
    /// Elements that it has room for.
    pub(crate) rx_max: u32,
    /// Elements of the ring that is written.
    pub(crate) tx: u32,
    /// Elements that it has room for.
    pub(crate) tx_max: u32,
}

/// `ethtool -c`: when packets are looked for.
#[derive(Clone, Copy)]
pub(crate) struct Coalesce {
    /// Microseconds from look to look, where no interrupt tells of packets.
    pub(crate) rx_usecs: u32,
    /// The most packets of one look.
    pub(crate) rx_max_frames: u32,
}

/// The operations of devices of `T`. The kernel calls them with the RTNL or a
/// reference to the device held, so never after `unregister_netdev` has returned.
pub(super) const fn operations<T: Driver>() -> bindings::ethtool_ops {
    bindings::ethtool_ops {
        supported_coalesce_params: bindings::MUENNET_COALESCE,
        get_drvinfo: Some(Calls::<T>::get_drvinfo),
        get_link: Some(bindings::ethtool_op_get_link),
        get_ts_info: Some(bindings::ethtool_op_get_ts_info),
        get_link_ksettings: Some(get_link_ksettings),
        get_sset_count: Some(Calls::<T>::get_sset_count),
        get_strings: Some(Calls::<T>::get_strings),
        get_ethtool_stats: Some(Calls::<T>::get_ethtool_stats),
        get_ringparam: Some(Calls::<T>::get_ringparam),
        get_coalesce: Some(Calls::<T>::get_coalesce),
        set_coalesce: Some(Calls::<T>::set_coalesce),
        ..pin_init::zeroed()
    }
}

/// A link has no speed of its own. It says what veth says, 10 Gbit/s and full duplex:
/// 802.3ad bonds and bridges take no port without a speed.
pub(super) unsafe extern "C" fn get_link_ksettings(
    _: *mut bindings::net_device,
    settings: *mut bindings::ethtool_link_ksettings,
) -> i32 {
    // SAFETY: the kernel calls with its own answer, cleared.
    let base = unsafe { &mut (*settings).base };
    base.speed = bindings::SPEED_10000;
    // CAST: the kernel's own widths.
    base.duplex = bindings::DUPLEX_FULL as u8;
    base.port = bindings::PORT_TP as u8;
    base.autoneg = bindings::AUTONEG_DISABLE as u8;
    0
}

struct Calls<T>(PhantomData<T>);

impl<T: Driver> Calls<T> {
    /// # Safety
    ///
    /// `device` is a registered device of `T`.
    unsafe fn of<'a>(device: *mut bindings::net_device) -> (&'a Device, &'a Private<T>) {
        // SAFETY: by the caller's promise.
        unsafe {
            let device = Device::from_raw(device);
            (device, Private::<T>::of(device))
        }
    }

    unsafe extern "C" fn get_drvinfo(
        device: *mut bindings::net_device,
        info: *mut bindings::ethtool_drvinfo,
    ) {
        // SAFETY: the kernel calls with a registered device of `T` and its own answer.
        let ((_, private), info) = unsafe { (Self::of(device), &mut *info) };
        copy_str(&mut info.driver, T::NAME.to_bytes());
        copy_str(&mut info.bus_info, private.driver().bus_info().to_bytes());
    }

    unsafe extern "C" fn get_sset_count(_: *mut bindings::net_device, set: i32) -> i32 {
        // CAST: there are a few dozen.
        if set == bindings::ethtool_stringset_ETH_SS_STATS as i32 {
            T::STATISTICS.len() as i32
        } else {
            EOPNOTSUPP.to_errno()
        }
    }

    unsafe extern "C" fn get_strings(_: *mut bindings::net_device, set: u32, data: *mut u8) {
        const ROOM: usize = bindings::ETH_GSTRING_LEN as usize;
        if set != bindings::ethtool_stringset_ETH_SS_STATS {
            return;
        }
        // SAFETY: the kernel calls with room for as many strings as it was told of.
        let room = unsafe { slice::from_raw_parts_mut(data, ROOM * T::STATISTICS.len()) };
        for (field, name) in room.chunks_exact_mut(ROOM).zip(T::STATISTICS) {
            copy_str(field, name.as_bytes());
        }
    }

    unsafe extern "C" fn get_ethtool_stats(
        device: *mut bindings::net_device,
        _: *mut bindings::ethtool_stats,
        data: *mut u64,
    ) {
        // SAFETY: the kernel calls with a registered device of `T`, and with room,
        // cleared, for as many numbers as it was told of.
        let ((device, private), values) = unsafe {
            (Self::of(device), slice::from_raw_parts_mut(data, T::STATISTICS.len()))
        };
        private.driver().statistics(device, private.interrupts(), values);
    }

    unsafe extern "C" fn get_ringparam(
        device: *mut bindings::net_device,
        ring: *mut bindings::ethtool_ringparam,
        _: *mut bindings::kernel_ethtool_ringparam,
        _: *mut bindings::netlink_ext_ack,
    ) {
        // SAFETY: the kernel calls with a registered device of `T` and its own answer.
        let ((_, private), ring) = unsafe { (Self::of(device), &mut *ring) };
        let rings = private.driver().rings();
        ring.rx_pending = rings.rx;
        ring.rx_max_pending = rings.rx_max;
        ring.tx_pending = rings.tx;
        ring.tx_max_pending = rings.tx_max;
    }

    unsafe extern "C" fn get_coalesce(
        device: *mut bindings::net_device,
        coalesce: *mut bindings::ethtool_coalesce,
        _: *mut bindings::kernel_ethtool_coalesce,
        _: *mut bindings::netlink_ext_ack,
    ) -> i32 {
        // SAFETY: the kernel calls with a registered device of `T` and its own answer.
        let ((_, private), coalesce) = unsafe { (Self::of(device), &mut *coalesce) };
        let now = private.driver().coalesce();
        coalesce.rx_coalesce_usecs = now.rx_usecs;
        coalesce.rx_max_coalesced_frames = now.rx_max_frames;
        0
    }

    unsafe extern "C" fn set_coalesce(
        device: *mut bindings::net_device,
        coalesce: *mut bindings::ethtool_coalesce,
        _: *mut bindings::kernel_ethtool_coalesce,
        ack: *mut bindings::netlink_ext_ack,
    ) -> i32 {
        // SAFETY: the kernel calls with a registered device of `T` and its own question.
        let ((_, private), coalesce, ack) =
            unsafe { (Self::of(device), &*coalesce, Ack::from_raw(ack)) };
        let wanted = Coalesce {
            rx_usecs: coalesce.rx_coalesce_usecs,
            rx_max_frames: coalesce.rx_max_coalesced_frames,
        };
        match private.driver().set_coalesce(wanted) {
            Ok(period_ns) => {
                private.set_period(period_ns);
                0
            }
            Err((errno, why)) => ack.refuse(errno, core::format_args!("{why}")).to_errno(),
        }
    }
}

/// Copies as much of `text` as fits, NUL-terminated.
fn copy_str<C: TryFrom<u8> + Default + Copy>(field: &mut [C], text: &[u8]) {
    let room = field.len().saturating_sub(1);
    field.fill(C::default());
    for (to, from) in field.iter_mut().take(room).zip(text) {
        *to = C::try_from(*from).unwrap_or_default();
    }
}
