// SPDX-License-Identifier: GPL-2.0-only

//! A timer that schedules a NAPI instance again and again, its interrupt masked.
//!
//! C header: `include/linux/hrtimer.h`

use super::irq::Line;
use crate::bindings;
use core::sync::atomic::{AtomicU64, Ordering};
use kernel::{prelude::*, types::Opaque};

/// The timer of a NAPI instance with its interrupt line.
#[repr(C)]
#[pin_data]
pub(super) struct Timer {
    #[pin]
    timer: Opaque<bindings::hrtimer>,
    line: *const Line,
    period_ns: AtomicU64,
}

// SAFETY: timers may be started and cancelled from any CPU, and so may NAPI be scheduled.
unsafe impl Send for Timer {}
// SAFETY: as above.
unsafe impl Sync for Timer {}

impl Timer {
    /// # Safety
    ///
    /// `line` is valid for as long as the timer runs.
    pub(super) unsafe fn new(line: *const Line) -> impl PinInit<Self> {
        pin_init!(Self {
            timer <- Opaque::ffi_init(|timer: *mut bindings::hrtimer| {
                // SAFETY: memory for a timer, pinned.
                unsafe {
                    bindings::muennet_hrtimer_setup(timer, Some(expired));
                }
            }),
            line,
            period_ns: AtomicU64::new(0),
        })
    }

    /// Starts it with a period in nanoseconds.
    pub(super) fn start(&self, period_ns: u64) {
        self.period_ns.store(period_ns, Ordering::Relaxed);
        // SAFETY: set up by `new`.
        unsafe { bindings::muennet_hrtimer_start(self.timer.get(), period_ns) };
    }

    /// Changes the period, from the next time on.
    pub(super) fn set_period(&self, period_ns: u64) {
        self.period_ns.store(period_ns, Ordering::Relaxed);
    }

    /// Stops it, after waiting for it if it has just expired.
    pub(super) fn cancel(&self) {
        // SAFETY: set up by `new`.
        unsafe { bindings::hrtimer_cancel(self.timer.get()) };
    }
}

/// Nanoseconds of the monotonic clock.
pub(crate) fn now_ns() -> u64 {
    // SAFETY: may be called in any context. CAST: the time since boot is not negative.
    unsafe { bindings::ktime_get() as u64 }
}

/// The timer's function. The module stays while it can be called: `ndo_stop` calls
/// `hrtimer_cancel`, which waits for it.
unsafe extern "C" fn expired(timer: *mut bindings::hrtimer) -> bindings::hrtimer_restart {
    // SAFETY: the first field of a pinned `Timer`, which is cancelled before it goes.
    let this = unsafe { &*timer.cast::<Timer>() };
    // SAFETY: valid by the contract of `new`.
    unsafe { &*this.line }.schedule();
    // SAFETY: a timer may be forwarded in its own function.
    unsafe {
        bindings::muennet_hrtimer_forward_now(timer, this.period_ns.load(Ordering::Relaxed));
    }
    bindings::hrtimer_restart::HRTIMER_RESTART
}
