// SPDX-License-Identifier: MIT OR Apache-2.0
//! The x86_64 processor, for the platforms on it.

pub mod interrupts;
pub mod random;
pub mod tsc;

/// Stops the processor for good.
pub fn halt() -> ! {
    loop {
        x86_64::instructions::interrupts::disable();
        x86_64::instructions::hlt();
    }
}
