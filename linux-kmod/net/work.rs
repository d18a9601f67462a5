// SPDX-License-Identifier: GPL-2.0-only

//! A call on a certain CPU, later, in process context.
//!
//! C header: `include/linux/workqueue.h`

use crate::bindings;
use kernel::{prelude::*, types::Opaque};

/// A function with its argument, to be called later. Dropping it waits for the call.
#[repr(C)]
#[pin_data(PinnedDrop)]
pub(crate) struct Call<T: Sync> {
    #[pin]
    work: Opaque<bindings::work_struct>,
    call: fn(&T),
    argument: T,
}

// SAFETY: work may be queued and cancelled from any CPU.
unsafe impl<T: Sync + Send> Send for Call<T> {}
// SAFETY: as above; the argument is only shared.
unsafe impl<T: Sync> Sync for Call<T> {}

impl<T: Sync> Call<T> {
    pub(crate) fn new(argument: T, call: fn(&T)) -> impl PinInit<Self> {
        pin_init!(Self {
            work <- Opaque::ffi_init(|work: *mut bindings::work_struct| {
                // SAFETY: memory for a work item, pinned.
                unsafe { bindings::muennet_init_work(work, Some(run::<T>)) };
            }),
            call,
            argument,
        })
    }

    /// The argument of the call.
    pub(crate) fn argument(&self) -> &T {
        &self.argument
    }

    /// Calls here if this is `cpu` and interrupts are enabled, else later on
    /// `cpu`; true if here. The caller must not be moved to another CPU meanwhile,
    /// as with softirqs disabled.
    pub(crate) fn on(&self, cpu: u32) -> bool {
        // SAFETY: looks at the CPU's own state only.
        let here = unsafe { bindings::muennet_here(cpu) };
        if here {
            (self.call)(&self.argument);
        } else {
            // SAFETY: set up by `new`. CAST: CPU numbers are small.
            unsafe { bindings::muennet_queue_work_on(cpu as i32, self.work.get()) };
        }
        here
    }

    /// Calls later, in process context.
    pub(super) fn later(&self) {
        // SAFETY: set up by `new`.
        unsafe { bindings::muennet_schedule_work(self.work.get()) };
    }

    /// Waits for the call, or takes it back. May sleep.
    pub(super) fn cancel(&self) {
        // SAFETY: set up by `new`.
        unsafe { bindings::cancel_work_sync(self.work.get()) };
    }
}

#[pinned_drop]
impl<T: Sync> PinnedDrop for Call<T> {
    fn drop(self: Pin<&mut Self>) {
        self.cancel();
    }
}

/// The work's function. The module stays while it can be called: dropping the [`Call`]
/// calls `cancel_work_sync`, which waits for it.
unsafe extern "C" fn run<T: Sync>(work: *mut bindings::work_struct) {
    // SAFETY: the first field of a pinned `Call`, which waits before it goes.
    let this = unsafe { &*work.cast::<Call<T>>() };
    (this.call)(&this.argument);
}
