// SPDX-License-Identifier: MIT OR Apache-2.0
//! What both x86_64 platforms share: the processor.

pub mod interrupts;
pub mod memory;
pub mod random;

/// Stops the processor for good.
pub fn halt() -> ! {
    loop {
        x86_64::instructions::interrupts::disable();
        x86_64::instructions::hlt();
    }
}
