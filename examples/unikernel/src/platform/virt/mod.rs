// SPDX-License-Identifier: MIT OR Apache-2.0
//! QEMU's machine `virt` (aarch64): entry, log, clock and end. Paging is on, every
//! address mapped to itself, so that memory is memory: without it, it would be
//! treated as a device and allow no access at an odd address.

use core::{
    arch::{asm, global_asm},
    fmt,
};

const STACK: usize = 256 * 1024;

/// The first GiB is devices, the second RAM: descriptors of blocks, with the access
/// flag, and the attributes that `ATTRIBUTES` lists (device, normal write-back).
#[repr(C, align(4096))]
struct Table([u64; 512]);

static PAGES: Table = {
    const BLOCK: u64 = 1 << 10 | 0b01;
    const INNER_SHAREABLE: u64 = 0b11 << 8;
    const NEVER_EXECUTE: u64 = 1 << 54;
    const NORMAL: u64 = 1 << 2;
    let mut table = [0; 512];
    table[0] = NEVER_EXECUTE | BLOCK;
    table[1] = 1 << 30 | INNER_SHAREABLE | NORMAL | BLOCK;
    Table(table)
};
const ATTRIBUTES: u64 = 0xff00;
/// Addresses of 39 bits in pages of 4 KiB, tables cached; no second table.
const TRANSLATION: u64 = 25 | 0b01 << 8 | 0b01 << 10 | 0b11 << 12 | 1 << 23;

/// The only stack.
#[repr(C, align(16))]
struct Stack([u8; STACK]);

#[no_mangle]
static mut BOOT_STACK: Stack = Stack([0; STACK]);

global_asm!(
    ".section .text.boot, \"ax\"",
    ".global virt_start",
    "virt_start:",
    // Let the floating-point unit's registers be used: the compiler copies by them.
    "mov x0, #(3 << 20)",
    "msr cpacr_el1, x0",
    "isb",
    "adrp x0, exceptions",
    "add x0, x0, :lo12:exceptions",
    "msr vbar_el1, x0",
    "adrp x0, {pages}",
    "add x0, x0, :lo12:{pages}",
    "msr ttbr0_el1, x0",
    "ldr x0, ={attributes}",
    "msr mair_el1, x0",
    "ldr x0, ={translation}",
    "msr tcr_el1, x0",
    "isb",
    // Paging and both caches.
    "mrs x0, sctlr_el1",
    "ldr x1, =0x1005",
    "orr x0, x0, x1",
    "msr sctlr_el1, x0",
    "isb",
    "adrp x0, BOOT_STACK",
    "add x0, x0, :lo12:BOOT_STACK",
    "mov x1, #{stack}",
    "add sp, x0, x1",
    "adrp x0, bss_start",
    "add x0, x0, :lo12:bss_start",
    "adrp x1, bss_end",
    "add x1, x1, :lo12:bss_end",
    "2:",
    "cmp x0, x1",
    "b.hs 3f",
    "str xzr, [x0], #8",
    "b 2b",
    "3:",
    "bl {start}",
    // All exceptions are faults: nobody enables an interrupt.
    ".balign 2048",
    "exceptions:",
    ".rept 16",
    "mrs x0, esr_el1",
    "mrs x1, elr_el1",
    "mrs x2, far_el1",
    "b {fault}",
    ".balign 128",
    ".endr",
    ".text",
    stack = const STACK,
    pages = sym PAGES,
    attributes = const ATTRIBUTES,
    translation = const TRANSLATION,
    start = sym start,
    fault = sym fault,
);

extern "C" fn start() -> ! {
    crate::main()
}

extern "C" fn fault(syndrome: u64, at: u64, address: u64) -> ! {
    panic!("processor exception {syndrome:#x} at {at:#x}, address {address:#x}")
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
    let (count, hertz): (u64, u64);
    // SAFETY: two registers of the generic timer, which can always be read.
    unsafe {
        asm!("mrs {}, cntvct_el0", out(reg) count, options(nomem, nostack));
        asm!("mrs {}, cntfrq_el0", out(reg) hertz, options(nomem, nostack));
    }
    // CAST: half a million years.
    (u128::from(count) * 1_000_000 / u128::from(hertz.max(1))) as u64
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
