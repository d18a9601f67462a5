// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random numbers of the processor.

use core::num::NonZeroU64;
use x86_64::instructions::random::RdRand;

/// A random number; where the processor has none, the time stamp counter, which is
/// another one at each start, too.
pub fn number() -> NonZeroU64 {
    let random = RdRand::new().and_then(RdRand::get_u64);
    // SAFETY: every x86_64 processor has the counter.
    let number = random.unwrap_or_else(|| unsafe { core::arch::x86_64::_rdtsc() });
    NonZeroU64::new(number).unwrap_or(NonZeroU64::MIN)
}
