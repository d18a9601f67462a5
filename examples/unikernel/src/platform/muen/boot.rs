// SPDX-License-Identifier: MIT OR Apache-2.0
//! The entry: Muen starts a native subject in 64-bit mode, on its policy's page tables.

use core::arch::global_asm;

const STACK: usize = 256 * 1024;

/// The only stack.
#[repr(C, align(16))]
struct Stack([u8; STACK]);

#[no_mangle]
static mut BOOT_STACK: Stack = Stack([0; STACK]);

global_asm!(
    ".section .text.boot, \"ax\"",
    ".global muen_start",
    "muen_start:",
    "cli",
    "cld",
    "lea rdi, [rip + bss_start]",
    "lea rcx, [rip + bss_end]",
    "sub rcx, rdi",
    "xor eax, eax",
    "rep stosb",
    "lea rsp, [rip + BOOT_STACK + {stack}]",
    "xor ebp, ebp",
    "call {start}",
    "ud2",
    ".text",
    stack = const STACK,
    start = sym super::start,
);
