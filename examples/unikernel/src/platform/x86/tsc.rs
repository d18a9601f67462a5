// SPDX-License-Identifier: MIT OR Apache-2.0
//! The time stamp counter. On Muen reading it leaves the subject, and stops the system,
//! unless the component's specification allows it: so it is read here and nowhere else.

/// Ticks of the time stamp counter. Never inlined, so that the image has the instruction
/// in this function alone.
#[inline(never)]
pub fn counter() -> u64 {
    // SAFETY: every x86_64 processor has the counter.
    unsafe { core::arch::x86_64::_rdtsc() }
}
