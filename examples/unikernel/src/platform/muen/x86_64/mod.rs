// SPDX-License-Identifier: MIT OR Apache-2.0
//! The processor of an x86_64 subject. CPUID stops the system, and so does RDTSC, unless the
//! component's specification sets `RDTSCExiting` to 0: nothing here asks for features.

mod boot;
mod timer;

pub use crate::platform::x86::{halt, interrupts::take as rang, tsc::counter as ticks};
pub use timer::Timer;

use crate::{
    platform::x86::{interrupts, random},
    trouble::Trouble,
};
use core::num::NonZeroU64;
use muennet_core::sinfo::Sinfo;
use x86_64::structures::idt::InterruptStackFrame;

/// The first vector that is no processor exception.
const FIRST: u8 = 32;

extern "x86-interrupt" fn on_event(_: InterruptStackFrame) {
    interrupts::ring();
}

/// Lets interrupts in.
pub fn set_up() {
    interrupts::set_up((FIRST..=u8::MAX).map(|vector| (vector, on_event as _)));
}

/// Ticks of the time stamp counter in a millisecond.
pub fn ticks_per_ms(sinfo: &Sinfo<'_>) -> u64 {
    sinfo.tsc_khz().into()
}

/// A number that is another one at each start.
pub fn random() -> NonZeroU64 {
    // SAFETY: every processor that Muen supports has RDRAND.
    let drawn = unsafe { random::draw() };
    random::non_zero(drawn.unwrap_or_else(ticks))
}

/// Every vector from 32 on ends a sleep.
pub fn listen(vector: u8) -> Result<bool, Trouble> {
    if vector < FIRST {
        return Err(Trouble::NoVector(vector));
    }
    Ok(true)
}

/// Sleeps until an interrupt; with a timer no longer than to that deadline.
pub fn sleep(timer: Option<(&mut Timer, u64)>) {
    match timer {
        None => {
            interrupts::sleep(|| ());
        }
        Some((timer, deadline)) => {
            interrupts::sleep(|| timer.arm(deadline));
            timer.arm(u64::MAX);
        }
    }
}
