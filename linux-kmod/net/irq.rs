// SPDX-License-Identifier: GPL-2.0-only

//! An interrupt that schedules a NAPI instance and stays masked until it is done.
//!
//! Whatever schedules the instance masks the interrupt: its handler, the timer, and a poll
//! that finds more. So a peer that rings while the instance polls costs no interrupt.
//!
//! The flag `masked` is set by the one who has just scheduled the instance, after
//! `disable_irq_nosync`, and taken by the one who ends a poll, before `enable_irq`. The two may
//! overlap, as the next may schedule before the last has unmasked; then a poll runs unmasked.
//! Each flag that is set is taken once, so calls of the kernel are always balanced, and the
//! last poll leaves the interrupt unmasked.
//!
//! C header: `include/linux/interrupt.h`

use super::napi::Napi;
use crate::bindings;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use kernel::{error::to_result, prelude::*};

/// True if a handler is installed for interrupt `irq`.
pub(crate) fn in_use(irq: u32) -> bool {
    // SAFETY: looks up any number.
    unsafe { bindings::irq_has_action(irq) }
}

/// The interrupt line of a NAPI instance.
pub(super) struct Line {
    napi: *const Napi,
    irq: AtomicU32,
    requested: AtomicBool,
    masked: AtomicBool,
    count: AtomicU64,
}

// SAFETY: the NAPI instance may be scheduled from any CPU.
unsafe impl Send for Line {}
// SAFETY: as above; the rest are atomics.
unsafe impl Sync for Line {}

impl Line {
    /// # Safety
    ///
    /// `napi` is valid for as long as the interrupt is requested, and the line is pinned.
    pub(super) unsafe fn new(napi: *const Napi) -> Self {
        Self {
            napi,
            irq: AtomicU32::new(0),
            requested: AtomicBool::new(false),
            masked: AtomicBool::new(false),
            count: AtomicU64::new(0),
        }
    }

    /// Requests interrupt `irq`; call it with none requested.
    pub(super) fn request(&self, irq: u32, name: &'static CStr) -> Result {
        self.irq.store(irq, Ordering::Relaxed);
        self.masked.store(false, Ordering::Relaxed);
        let this = core::ptr::from_ref(self).cast_mut().cast();
        // SAFETY: the line is pinned and freed before it goes.
        to_result(unsafe {
            bindings::muennet_request_irq(irq, Some(handle), name.as_char_ptr(), this)
        })
        .inspect_err(|error| {
            pr_err!("interrupt {irq} cannot be requested ({})\n", error.to_errno());
        })?;
        self.requested.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Frees the interrupt, if one is requested, after its handler ended.
    pub(super) fn free(&self) {
        if self.requested.swap(false, Ordering::Relaxed) {
            let this = core::ptr::from_ref(self).cast_mut().cast();
            // SAFETY: requested with the same arguments.
            unsafe { bindings::free_irq(self.irq.load(Ordering::Relaxed), this) };
        }
    }

    /// Schedules the instance with the interrupt masked, if one is requested; nothing if it
    /// is scheduled or disabled.
    pub(super) fn schedule(&self) {
        // SAFETY: valid by the contract of `new`.
        unsafe { &*self.napi }.schedule_after(|| {
            if self.requested.load(Ordering::Relaxed) {
                self.mask();
            }
        });
    }

    /// Masks the interrupt, unless it is. The caller has just won the instance.
    fn mask(&self) {
        if !self.masked.load(Ordering::Acquire) {
            // SAFETY: requested, and not freed before the instance is disabled.
            unsafe { bindings::disable_irq_nosync(self.irq.load(Ordering::Relaxed)) };
            self.masked.store(true, Ordering::Release);
        }
    }

    /// Interrupts that came so far.
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Lets the interrupt come again, if it is masked.
    pub(super) fn unmask(&self) {
        if self.masked.swap(false, Ordering::AcqRel) {
            // SAFETY: balances the `disable_irq_nosync` of `mask`.
            unsafe { bindings::enable_irq(self.irq.load(Ordering::Relaxed)) };
        }
    }
}

/// The handler. The module stays while it can be called: `ndo_stop` calls `free_irq`,
/// which waits for it.
unsafe extern "C" fn handle(_: i32, line: *mut c_void) -> bindings::irqreturn_t {
    // SAFETY: what `request` passed, valid until freed.
    let line = unsafe { &*line.cast::<Line>() };
    line.count.fetch_add(1, Ordering::Relaxed);
    // SAFETY: valid by the contract of `new`.
    let napi = unsafe { &*line.napi };
    // Its own interrupt is requested, even if `request` has not returned yet.
    napi.schedule_after(|| line.mask());
    bindings::irqreturn::IRQ_HANDLED
}

use kernel::ffi::c_void;
