// SPDX-License-Identifier: MIT OR Apache-2.0
//! The aarch64 processor, for the platforms on it: entry, paging, counter.

mod entry;

pub(crate) use entry::entry;

use core::arch::asm;

/// A table of translations: each entry is a block of 1 GiB.
#[repr(C, align(4096))]
pub struct Table(pub [u64; 512]);

/// A block, with the access flag set, and what `ATTRIBUTES` lists for it.
const BLOCK: u64 = 1 << 10 | 0b01;
const INNER_SHAREABLE: u64 = 0b11 << 8;
#[cfg(platform = "virt")]
const NEVER_EXECUTE: u64 = 1 << 54;
const NORMAL: u64 = 1 << 2;
/// A block of device registers, and one of memory.
#[cfg(platform = "virt")]
pub const DEVICES: u64 = NEVER_EXECUTE | BLOCK;
pub const MEMORY: u64 = INNER_SHAREABLE | NORMAL | BLOCK;
/// Attributes of memory: device, normal write-back.
pub const ATTRIBUTES: u64 = 0xff00;
/// Addresses of 39 bits in pages of 4 KiB, tables cached; no second table.
pub const TRANSLATION: u64 = 25 | 0b01 << 8 | 0b01 << 10 | 0b11 << 12 | 1 << 23;

/// Called by the boot code at an exception: nobody enables an interrupt, so all are faults.
pub extern "C" fn fault(syndrome: u64, at: u64, address: u64) -> ! {
    panic!("processor exception {syndrome:#x} at {at:#x}, address {address:#x}")
}

/// Ticks of the virtual counter.
pub fn ticks() -> u64 {
    let count: u64;
    // SAFETY: a register of the generic timer, which can always be read.
    unsafe { asm!("mrs {}, cntvct_el0", out(reg) count, options(nomem, nostack)) };
    count
}

/// Ticks of the virtual counter in a second.
pub fn hertz() -> u64 {
    let hertz: u64;
    // SAFETY: a register of the generic timer, which can always be read.
    unsafe { asm!("mrs {}, cntfrq_el0", out(reg) hertz, options(nomem, nostack)) };
    hertz.max(1)
}

/// Waits for an interrupt to be pending.
#[cfg(platform = "muen")]
pub fn wait() {
    // SAFETY: it changes nothing.
    unsafe { asm!("wfi", options(nomem, nostack)) };
}
