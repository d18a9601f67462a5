// SPDX-License-Identifier: GPL-2.0-only

//! The request for a new link, as kernels before and after 6.15 pass it.

use crate::bindings;
use kernel::{error::from_result, prelude::*};

/// A request for a new link. Tables of attributes hold null, or checked attributes.
pub(crate) struct Request {
    /// The namespace of what the link lies over.
    pub(crate) link_net: *mut bindings::net,
    /// The attributes that every link has.
    pub(crate) own: *mut *mut bindings::nlattr,
    /// The attributes of the kind; null if there are none.
    pub(crate) kind: *mut *mut bindings::nlattr,
    /// Where the sender is told why it was refused.
    pub(crate) ack: *mut bindings::netlink_ext_ack,
}

/// Makes links of a kind.
pub(crate) trait NewLink {
    /// Makes and registers the link of `device`.
    ///
    /// # Safety
    ///
    /// The RTNL is held, `device` was set up and is not registered, and the request
    /// is the kernel's.
    unsafe fn new_link(device: *mut bindings::net_device, request: &Request) -> Result;
}

/// From 6.15 on.
#[cfg(compat_newlink_params)]
pub(crate) unsafe extern "C" fn newlink<K: NewLink>(
    device: *mut bindings::net_device,
    params: *mut bindings::rtnl_newlink_params,
    ack: *mut bindings::netlink_ext_ack,
) -> i32 {
    // SAFETY: the kernel calls with its own parameters.
    let request = unsafe {
        Request {
            link_net: bindings::muennet_link_net(params),
            own: (*params).tb,
            kind: (*params).data,
            ack,
        }
    };
    // SAFETY: the kernel calls with the RTNL held and a device that was set up.
    from_result(|| unsafe { K::new_link(device, &request) }.map(|()| 0))
}

/// Before 6.15.
#[cfg(not(compat_newlink_params))]
pub(crate) unsafe extern "C" fn newlink<K: NewLink>(
    link_net: *mut bindings::net,
    device: *mut bindings::net_device,
    own: *mut *mut bindings::nlattr,
    kind: *mut *mut bindings::nlattr,
    ack: *mut bindings::netlink_ext_ack,
) -> i32 {
    let request = Request {
        link_net,
        own,
        kind,
        ack,
    };
    // SAFETY: the kernel calls with the RTNL held and a device that was set up.
    from_result(|| unsafe { K::new_link(device, &request) }.map(|()| 0))
}
