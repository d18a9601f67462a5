// SPDX-License-Identifier: MIT OR Apache-2.0
//! QEMU's machine `virt` (aarch64): log, clock and end.

use super::aarch64::{self, Table};
use core::{arch::asm, fmt};

/// The first GiB is devices, the second RAM.
static PAGES: Table = {
    let mut entries = [0; 512];
    entries[0] = aarch64::DEVICES;
    entries[1] = 1 << 30 | aarch64::MEMORY;
    Table(entries)
};

aarch64::entry!("virt_start", PAGES, 0, start);

extern "C" fn start() -> ! {
    crate::main()
}

/// The serial port (PL011): data and flags.
const DATA: usize = 0x0900_0000;
const FLAGS: usize = DATA + 0x18;
/// The transmitter is full.
const FULL: u32 = 1 << 5;
/// Looks at the flags before a byte is sent all the same.
const PATIENCE: usize = 100_000;

struct Serial;

impl fmt::Write for Serial {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let register = core::ptr::with_exposed_provenance_mut::<u32>;
        for byte in text.bytes() {
            // SAFETY: a register of the serial port; reading it has no effect.
            let has_room = || unsafe { register(FLAGS).read_volatile() } & FULL == 0;
            let _ = core::iter::repeat_with(has_room)
                .take(PATIENCE)
                .any(|room| room);
            // SAFETY: a byte on the serial line harms nothing.
            unsafe { register(DATA).write_volatile(byte.into()) };
        }
        Ok(())
    }
}

/// Writes to the log.
pub fn log(line: fmt::Arguments<'_>) {
    // The port takes everything.
    let _ = fmt::Write::write_fmt(&mut Serial, line);
}

/// Microseconds of the machine's counter.
pub fn now() -> u64 {
    // CAST: half a million years.
    (u128::from(aarch64::ticks()) * 1_000_000 / u128::from(aarch64::hertz())) as u64
}

/// Ends QEMU, by semihosting, with success or failure.
pub fn end(success: bool) -> ! {
    const EXIT: u64 = 0x18;
    const APPLICATION_EXIT: u64 = 0x20026;
    let block = [APPLICATION_EXIT, u64::from(!success)];
    loop {
        // SAFETY: semihosting's exit with its two words; nothing runs after it.
        unsafe {
            asm!("hlt #0xf000", in("x0") EXIT, in("x1") block.as_ptr(), options(nostack));
        }
    }
}

/// Stops for good: that is a failure.
pub fn halt() -> ! {
    end(false)
}
