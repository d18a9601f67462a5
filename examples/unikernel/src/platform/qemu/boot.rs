// SPDX-License-Identifier: MIT OR Apache-2.0
//! From QEMU's direct boot (PVH: 32 bits, no paging) to Rust in 64 bits, on page
//! tables that map every address to itself.

use core::{
    arch::global_asm,
    sync::atomic::{AtomicU64, Ordering},
};

/// Present, writable, and for an entry that maps: 1 GiB at once.
const TABLE: u64 = 0x03;
const PAGE: u64 = 0x83;
/// Log of the bytes that an entry of a PDPT, and one of the PML4, stands for.
const PAGE_BITS: u32 = 30;
const TABLE_BITS: u32 = 39;
/// Addresses that map to themselves end here: what follows is the upper half.
const END: u64 = 1 << 47;

const ENTRIES: usize = 512;

/// A page table. The processor reads it too, so entries are atomics.
#[repr(C, align(4096))]
struct Table([AtomicU64; ENTRIES]);

impl Table {
    const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; ENTRIES])
    }

    fn address(&self) -> u64 {
        core::ptr::from_ref(self) as u64
    }
}

/// The root; its first entry is set by the code below.
#[no_mangle]
static BOOT_PML4: Table = Table::new();
/// The first 512 GiB, filled by the code below.
#[no_mangle]
static BOOT_PDPT: Table = Table::new();
/// Tables for memory of devices above.
static MORE: [Table; 4] = [const { Table::new() }; 4];

/// Sees to it that the addresses from `start` to `end` map to themselves; false if
/// that cannot be.
pub fn map(start: u64, end: u64) -> bool {
    if start >= end || end > END {
        return false;
    }
    for slot in start >> TABLE_BITS..=(end - 1) >> TABLE_BITS {
        // `end` is at most `END`, so the slot is one of the lower half's.
        let root = &BOOT_PML4.0[slot as usize];
        if root.load(Ordering::Relaxed) != 0 {
            continue;
        }
        // An unused table has no entries.
        let unused = |table: &&Table| table.0[0].load(Ordering::Relaxed) == 0;
        let Some(table) = MORE.iter().find(unused) else {
            return false;
        };
        for (entry, index) in table.0.iter().zip(0u64..) {
            entry.store(
                slot << TABLE_BITS | index << PAGE_BITS | PAGE,
                Ordering::Relaxed,
            );
        }
        root.store(table.address() | TABLE, Ordering::Release);
    }
    true
}

const STACK: usize = 256 * 1024;

/// The only stack.
#[repr(C, align(16))]
struct Stack([u8; STACK]);

#[no_mangle]
static mut BOOT_STACK: Stack = Stack([0; STACK]);

global_asm!(
    // How QEMU finds the entry: XEN_ELFNOTE_PHYS32_ENTRY of owner "Xen".
    ".section .note.pvh, \"a\", @note",
    ".balign 4",
    ".long 4, 8, 18",
    ".asciz \"Xen\"",
    ".quad pvh_start",
    ".section .text.boot, \"ax\"",
    ".code32",
    ".global pvh_start",
    "pvh_start:",
    "cli",
    "cld",
    // The address of the start information.
    "movl %ebx, %ebp",
    "movl $bss_start, %edi",
    "movl $bss_end, %ecx",
    "subl %edi, %ecx",
    "xorl %eax, %eax",
    "rep stosb",
    "movl $BOOT_STACK + {stack}, %esp",
    // Pages of 1 GiB?
    "movl $0x80000001, %eax",
    "cpuid",
    "testl $(1 << 26), %edx",
    "jz 3f",
    "movl $BOOT_PDPT, %edi",
    "xorl %ecx, %ecx",
    "2:",
    "movl %ecx, %eax",
    "shll $30, %eax",
    "orl ${page}, %eax",
    "movl %eax, (%edi)",
    "movl %ecx, %eax",
    "shrl $2, %eax",
    "movl %eax, 4(%edi)",
    "addl $8, %edi",
    "incl %ecx",
    "cmpl ${entries}, %ecx",
    "jne 2b",
    "movl $BOOT_PDPT + {table}, %eax",
    "movl %eax, BOOT_PML4",
    "movl $BOOT_PML4, %eax",
    "movl %eax, %cr3",
    // Physical address extension; long mode; paging.
    "movl %cr4, %eax",
    "orl $(1 << 5), %eax",
    "movl %eax, %cr4",
    "movl $0xc0000080, %ecx",
    "rdmsr",
    "orl $(1 << 8), %eax",
    "wrmsr",
    "movl %cr0, %eax",
    "orl $(1 << 31), %eax",
    "movl %eax, %cr0",
    "lgdt boot_gdt_pointer",
    "ljmp $8, $4f",
    // No such pages: say so on the serial port.
    "3:",
    "movl $boot_no_pages, %esi",
    "movl $boot_no_pages_end - boot_no_pages, %ecx",
    "movw $0x3f8, %dx",
    "rep outsb",
    "5:",
    "hlt",
    "jmp 5b",
    ".code64",
    "4:",
    "xorl %eax, %eax",
    "movl %eax, %ds",
    "movl %eax, %es",
    "movl %eax, %ss",
    "movl %eax, %fs",
    "movl %eax, %gs",
    "movl %ebp, %edi",
    "movq $BOOT_STACK + {stack}, %rsp",
    "xorl %ebp, %ebp",
    "call {start}",
    "ud2",
    ".section .rodata.boot, \"a\"",
    ".balign 8",
    "boot_gdt:",
    ".quad 0",
    // Code, 64 bits.
    ".quad 0x00af9b000000ffff",
    "boot_gdt_pointer:",
    ".word 15",
    ".long boot_gdt",
    "boot_no_pages:",
    ".ascii \"unikernel: the processor has no pages of 1 GiB; start QEMU with -cpu max\\r\\n\"",
    "boot_no_pages_end:",
    ".text",
    stack = const STACK,
    table = const TABLE,
    page = const PAGE,
    entries = const ENTRIES,
    start = sym super::start,
    options(att_syntax),
);
