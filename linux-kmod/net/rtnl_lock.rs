// SPDX-License-Identifier: GPL-2.0-only

//! The RTNL, the lock of network configuration.
//!
//! C header: `include/linux/rtnetlink.h`

use crate::bindings;

/// Proof that the RTNL is held: the configuration of network devices stays as it is.
pub(crate) struct Rtnl(());

/// The RTNL, held until this is dropped.
pub(crate) struct Guard(Rtnl);

impl Rtnl {
    /// Takes the RTNL. May sleep.
    pub(crate) fn lock() -> Guard {
        // SAFETY: given back when dropped.
        unsafe { bindings::rtnl_lock() };
        Guard(Self(()))
    }
}

/// Proof for operations that the kernel calls with the RTNL held.
///
/// # Safety
///
/// The RTNL is held for as long as the reference lives.
pub(super) unsafe fn held<'a>() -> &'a Rtnl {
    const { &Rtnl(()) }
}

impl core::ops::Deref for Guard {
    type Target = Rtnl;

    fn deref(&self) -> &Rtnl {
        &self.0
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // SAFETY: taken by `lock`.
        unsafe { bindings::rtnl_unlock() };
    }
}
