// SPDX-License-Identifier: MIT OR Apache-2.0
//! The entry: Muen starts a native subject in 64-bit mode, on its policy's page tables,
//! without a stack.

use core::arch::global_asm;

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
    "lea rsp, [rip + stack_end]",
    "xor ebp, ebp",
    "call {start}",
    "ud2",
    ".text",
    start = sym crate::platform::muen::start,
);
