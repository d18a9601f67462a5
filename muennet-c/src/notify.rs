// SPDX-License-Identifier: MIT OR Apache-2.0
//! Notifiers: the caller's own function, and Muen's hypercall.

use core::ffi::c_void;
use muennet_core::notify::Notifier;

/// The caller's function and what it is called with.
///
/// # Invariants
///
/// The function may be called with the context while the link is open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Callback {
    function: Option<unsafe extern "C" fn(context: *mut c_void)>,
    context: *mut c_void,
}

impl Callback {
    /// # Safety
    ///
    /// `function` may be called with `context`, from wherever the link is used, for as long as
    /// the value lives.
    pub(crate) unsafe fn new(
        function: Option<unsafe extern "C" fn(context: *mut c_void)>,
        context: *mut c_void,
    ) -> Self {
        // INVARIANT: by the caller's promise.
        Self { function, context }
    }
}

impl Notifier for Callback {
    #[inline]
    fn notify(&self) {
        if let Some(function) = self.function {
            // SAFETY: by the invariants.
            unsafe { function(self.context) };
        }
    }
}

/// A notifier for native subjects of Muen: triggers an event by hypercall (`vmcall` on x86_64,
/// `hvc #1` on aarch64).
///
/// Give it as `notify` of `muennet_config`, and as `notify_context` the number of the event that
/// `muennet_sinfo_channel` found, converted to a pointer: `(void *)(uintptr_t)channel.event`.
///
/// # Safety
///
/// The program runs as a Muen subject with the privilege to call its hypervisor; elsewhere the
/// call is an invalid instruction, or means something else. `event` is the number of an event
/// that does no more than wake up the channel's reader.
#[no_mangle]
pub unsafe extern "C" fn muennet_hypercall(event: *mut c_void) {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    {
        // CAST: numbers of events are below 256 by the layout of subject information.
        let event = event.addr() as u8;
        // SAFETY: the caller promises the same.
        unsafe { muennet_core::notify::Hypercall::new(event) }.notify();
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = event;
}
