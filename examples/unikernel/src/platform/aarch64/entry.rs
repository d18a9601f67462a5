// SPDX-License-Identifier: MIT OR Apache-2.0
//! The entry of an image at EL1. Paging is turned on, every address mapped to itself, so
//! that memory is memory: without it, it would be treated as a device and allow no access at
//! an odd address.

/// Makes the entry `symbol`: it turns paging on by the table `pages`, with `translation` added
/// to [`TRANSLATION`](super::TRANSLATION), clears the uninitialised data and calls `start`.
macro_rules! entry {
    ($symbol:literal, $pages:path, $translation:expr, $start:path) => {
        core::arch::global_asm!(
            ".section .text.boot, \"ax\"",
            concat!(".global ", $symbol),
            concat!($symbol, ":"),
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
            "adrp x0, stack_end",
            "add x0, x0, :lo12:stack_end",
            "mov sp, x0",
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
            pages = sym $pages,
            attributes = const $crate::platform::aarch64::ATTRIBUTES,
            translation = const $crate::platform::aarch64::TRANSLATION | $translation,
            start = sym $start,
            fault = sym $crate::platform::aarch64::fault,
        );
    };
}
pub(crate) use entry;
