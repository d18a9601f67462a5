// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random numbers of the processor (RDRAND). Whether it has them is the caller's to know:
//! asking by CPUID stops a Muen system.

use core::{arch::asm, num::NonZeroU64};

/// Attempts before the generator counts as exhausted (Intel's guide names ten).
const ATTEMPTS: usize = 10;

/// Draws a random number; `None` if the generator gives none in ten attempts.
///
/// # Safety
///
/// The processor has RDRAND.
pub unsafe fn draw() -> Option<u64> {
    core::iter::repeat_with(|| {
        let (number, valid): (u64, u8);
        // SAFETY: by the caller's promise; it changes two registers and the flags. The
        // carry flag says whether the number is valid.
        unsafe {
            asm!(
                "rdrand {number}",
                "setc {valid}",
                number = out(reg) number,
                valid = out(reg_byte) valid,
                options(nomem, nostack)
            );
        }
        (valid != 0).then_some(number)
    })
    .take(ATTEMPTS)
    .flatten()
    .next()
}

/// The number, or 1 instead of 0.
pub fn non_zero(number: u64) -> NonZeroU64 {
    NonZeroU64::new(number).unwrap_or(NonZeroU64::MIN)
}
