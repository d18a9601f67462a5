// SPDX-License-Identifier: MIT OR Apache-2.0
//! The timer: Muen's timed event. The page `timed_event`, which every native subject has,
//! holds a deadline (u64 at 0, ticks of the time stamp counter) and the number of an event
//! (u8 at 8) that the kernel triggers then. The policy makes an event `timer` of mode `self`
//! of it, which injects an interrupt.

use muennet_core::sinfo::{Detail, Kind, Sinfo};

/// Name of the page, and of the event.
const PAGE: &str = "timed_event";
const EVENT: &str = "timer";
/// Offset of the event's number, and bytes that are used.
const NUMBER: usize = 8;
const USED: u64 = 16;

/// The timer.
pub struct Timer {
    page: *mut u8,
}

impl Timer {
    /// The timer, if the policy gives the page and the event.
    pub fn find(sinfo: &Sinfo<'_>) -> Option<Self> {
        let memory = sinfo.find(PAGE, Kind::Memory)?.memory()?;
        let Detail::Event(event) = sinfo.find(EVENT, Kind::Event)?.detail else {
            return None;
        };
        let aligned = memory.address.is_multiple_of(8);
        if !memory.writable || memory.size < USED || !aligned {
            return None;
        }
        let page = core::ptr::with_exposed_provenance_mut(usize::try_from(memory.address).ok()?);
        let mut timer = Self { page };
        timer.arm(u64::MAX);
        // SAFETY: within the page, as just checked, which Muen maps for good.
        unsafe { timer.page.add(NUMBER).write_volatile(event) };
        Some(timer)
    }

    /// Sets the deadline; the last tick of all is no deadline.
    pub fn arm(&mut self, deadline: u64) {
        // SAFETY: the start of the page, aligned and writable as `find` checked.
        unsafe { self.page.cast::<u64>().write_volatile(deadline) };
    }
}
