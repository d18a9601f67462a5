// SPDX-License-Identifier: GPL-2.0-only

//! Network namespaces.
//!
//! C header: `include/net/net_namespace.h`

use super::{device::Device, rtnl_lock::Rtnl};
use crate::bindings;
use kernel::{prelude::*, types::Opaque};

/// A `struct net`.
#[repr(transparent)]
pub(crate) struct Net(Opaque<bindings::net>);

impl Net {
    /// # Safety
    ///
    /// `net` is valid for as long as the reference.
    pub(super) unsafe fn from_raw<'a>(net: *mut bindings::net) -> &'a Self {
        // SAFETY: by the caller's promise; a transparent wrapper.
        unsafe { &*net.cast() }
    }

    pub(super) fn as_raw(&self) -> *mut bindings::net {
        self.0.get()
    }

    /// The device of that name. It stays while the RTNL is held.
    pub(crate) fn device<'a>(&self, name: &CStr, _rtnl: &'a Rtnl) -> Option<&'a Device> {
        // SAFETY: a valid namespace, a NUL-terminated name, and the RTNL held.
        let device = unsafe { bindings::__dev_get_by_name(self.as_raw(), name.as_char_ptr()) };
        // SAFETY: registered, and so valid while the RTNL is held.
        (!device.is_null()).then(|| unsafe { Device::from_raw(device) })
    }
}

impl PartialEq for Net {
    fn eq(&self, other: &Self) -> bool {
        self.as_raw() == other.as_raw()
    }
}
