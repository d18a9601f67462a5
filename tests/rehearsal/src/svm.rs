// SPDX-License-Identifier: MIT OR Apache-2.0
//! AMD's virtual machines (AMD64 manual, volume 2, chapter 15 and appendix B): the control
//! block, and entering the guest.

use core::{
    arch::asm,
    sync::atomic::{AtomicU64, Ordering},
};
use x86_64::registers::model_specific::{Efer, EferFlags, Msr};

/// A page that the processor reads and writes too, so its words are atomics.
#[repr(C, align(4096))]
pub struct ControlBlock([AtomicU64; 512]);

/// A page for the processor to keep the monitor's state in.
static HOST: ControlBlock = ControlBlock::new();

/// Maps of ports and of model-specific registers: the guest leaves at every one.
#[repr(C, align(4096))]
struct Map<const N: usize>([u8; N]);
static PORTS: Map<0x3000> = Map([0xff; 0x3000]);
static REGISTERS: Map<0x2000> = Map([0xff; 0x2000]);

/// A field of the control block: its offset and bytes, within a word of 8.
#[derive(Debug, Clone, Copy)]
pub struct Field(usize, u32);

macro_rules! fields {
    ($($(#[doc = $doc:literal])* $name:ident = $at:literal, $bytes:literal;)*) => {
        $($(#[doc = $doc])* pub const $name: Field = {
            assert!($at % 8 + $bytes <= 8);
            Field($at, $bytes)
        };)*
    };
}

fields! {
    /// Reads of control registers that leave the guest, a bit each.
    CR_READS = 0x000, 2;
    /// Writes of control registers.
    CR_WRITES = 0x002, 2;
    /// Reads and writes of debug registers.
    DR_ACCESSES = 0x004, 4;
    /// Exceptions.
    EXCEPTIONS = 0x008, 4;
    /// Interrupts and instructions, see [`intercept`]: the lower half.
    INTERCEPTS_LOW = 0x00c, 4;
    /// The upper half.
    INTERCEPTS_HIGH = 0x010, 4;
    PORT_MAP = 0x040, 8;
    REGISTER_MAP = 0x048, 8;
    ASID = 0x058, 4;
    /// Virtual interrupts.
    VIRTUAL = 0x060, 4;
    /// Vector of the virtual interrupt.
    VECTOR = 0x064, 4;
    /// The guest is behind an `sti`.
    SHADOW = 0x068, 8;
    EXIT = 0x070, 8;
    EXIT_INFO_1 = 0x078, 8;
    EXIT_INFO_2 = 0x080, 8;
    /// An exception to be delivered at the entry.
    INJECT = 0x0a8, 8;
    CS = 0x410, 2;
    CS_ATTRIBUTES = 0x412, 2;
    CS_LIMIT = 0x414, 4;
    SS = 0x420, 2;
    SS_ATTRIBUTES = 0x422, 2;
    SS_LIMIT = 0x424, 4;
    EFER = 0x4d0, 8;
    CR4 = 0x548, 8;
    CR3 = 0x550, 8;
    CR0 = 0x558, 8;
    RFLAGS = 0x570, 8;
    RIP = 0x578, 8;
    RAX = 0x5f8, 8;
    CR2 = 0x640, 8;
}

/// Bits of intercepts: what a subject of Muen leaves for, as far as SVM knows it.
pub mod intercept {
    /// A physical interrupt.
    pub const INTERRUPT: u64 = 1 << 0;
    /// RDPMC, CPUID, INVD, HLT, INVLPG.
    pub const RDPMC: u64 = 1 << 15;
    pub const CPUID: u64 = 1 << 18;
    pub const INVD: u64 = 1 << 22;
    pub const HLT: u64 = 1 << 24;
    pub const INVLPG: u64 = 1 << 25;
    /// Ports and model-specific registers, by their maps.
    pub const PORTS: u64 = 1 << 27;
    pub const REGISTERS: u64 = 1 << 28;
    /// A triple fault.
    pub const SHUTDOWN: u64 = 1 << 31;
    /// SVM's own instructions (the first of them must be there).
    pub const VIRTUAL_MACHINES: u64 = 0b111_1111 << 32;
    /// RDTSCP, WBINVD, MONITOR, MWAIT, XSETBV.
    pub const RDTSCP: u64 = 1 << 39;
    pub const WBINVD: u64 = 1 << 41;
    pub const MONITOR: u64 = 1 << 42;
    pub const MWAIT: u64 = 0b11 << 43;
    pub const XSETBV: u64 = 1 << 45;
}

/// Codes of [`EXIT`].
pub mod exit {
    /// The first exception.
    pub const EXCEPTION: u64 = 0x40;
    /// The one behind the last.
    pub const EXCEPTIONS_END: u64 = 0x60;
    pub const INTERRUPT: u64 = 0x60;
    pub const CPUID: u64 = 0x72;
    pub const HLT: u64 = 0x78;
    pub const PORT: u64 = 0x7b;
    pub const REGISTER: u64 = 0x7c;
    pub const SHUTDOWN: u64 = 0x7f;
    pub const INVALID: u64 = u64::MAX;
}

/// Bits of [`VIRTUAL`]: an interrupt is due; the task priority does not count; physical
/// interrupts go by the monitor's flag.
pub const VIRTUAL_DUE: u64 = 1 << 8;
pub const VIRTUAL_ANY: u64 = 1 << 20;
pub const VIRTUAL_MASKING: u64 = 1 << 24;

/// The guest's registers that the control block does not hold.
#[repr(C)]
#[derive(Debug, Default)]
pub struct Registers {
    rbx: u64,
    rcx: u64,
    rdx: u64,
    rsi: u64,
    rdi: u64,
    rbp: u64,
    r8_to_r15: [u64; 8],
}

impl ControlBlock {
    /// A block without settings.
    pub const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; 512])
    }

    fn address(&self) -> u64 {
        core::ptr::from_ref(self).expose_provenance() as u64
    }

    /// A field's value.
    pub fn get(&self, Field(at, bytes): Field) -> u64 {
        let word = self.0[at / 8].load(Ordering::Relaxed);
        word >> (at % 8 * 8) & mask(bytes)
    }

    /// Sets a field.
    pub fn set(&self, Field(at, bytes): Field, value: u64) {
        let (word, shift) = (&self.0[at / 8], at % 8 * 8);
        let kept = word.load(Ordering::Relaxed) & !(mask(bytes) << shift);
        let value = (value & mask(bytes)) << shift;
        word.store(kept | value, Ordering::Relaxed);
    }

    /// Names the maps of ports and registers.
    pub fn set_maps(&self) {
        let address = |map: *const u8| map.expose_provenance() as u64;
        self.set(PORT_MAP, address(PORTS.0.as_ptr()));
        self.set(REGISTER_MAP, address(REGISTERS.0.as_ptr()));
    }
}

fn mask(bytes: u32) -> u64 {
    u64::MAX >> (64 - bytes * 8)
}

/// Lets the processor have virtual machines.
pub fn enable() {
    const HOST_STATE: u32 = 0xc001_0117;
    // SAFETY: QEMU's processor "max" has SVM; nothing else changes. No-execute is for the
    // guest's page tables.
    unsafe {
        Efer::update(|flags| {
            flags.insert(EferFlags::SECURE_VIRTUAL_MACHINE_ENABLE | EferFlags::NO_EXECUTE_ENABLE);
        });
        Msr::new(HOST_STATE).write(HOST.address());
    }
}

/// Enters the guest and comes back at its next exit. A physical interrupt that ended it is
/// taken before this returns.
///
/// # Safety
///
/// The block's page tables give the guest no memory of the monitor.
pub unsafe fn enter(block: &ControlBlock, registers: &mut Registers) {
    // SAFETY: the guest gets no memory of the monitor, by the caller's promise. The processor
    // keeps and restores the monitor's stack and RAX; all other registers are saved here, or
    // named as changed. Interrupts stay away from `clgi` to `stgi`.
    unsafe {
        asm!(
            "push rbx",
            "push rbp",
            "push rsi",
            "mov rbx, [rsi]",
            "mov rcx, [rsi + 8]",
            "mov rdx, [rsi + 16]",
            "mov rdi, [rsi + 32]",
            "mov rbp, [rsi + 40]",
            "mov r8, [rsi + 48]",
            "mov r9, [rsi + 56]",
            "mov r10, [rsi + 64]",
            "mov r11, [rsi + 72]",
            "mov r12, [rsi + 80]",
            "mov r13, [rsi + 88]",
            "mov r14, [rsi + 96]",
            "mov r15, [rsi + 104]",
            "mov rsi, [rsi + 24]",
            "clgi",
            "vmrun rax",
            "push rsi",
            "mov rsi, [rsp + 8]",
            "mov [rsi], rbx",
            "mov [rsi + 8], rcx",
            "mov [rsi + 16], rdx",
            "mov [rsi + 32], rdi",
            "mov [rsi + 40], rbp",
            "mov [rsi + 48], r8",
            "mov [rsi + 56], r9",
            "mov [rsi + 64], r10",
            "mov [rsi + 72], r11",
            "mov [rsi + 80], r12",
            "mov [rsi + 88], r13",
            "mov [rsi + 96], r14",
            "mov [rsi + 104], r15",
            "pop qword ptr [rsi + 24]",
            "pop rsi",
            "pop rbp",
            "pop rbx",
            "stgi",
            inout("rax") block.address() => _,
            inout("rsi") core::ptr::from_mut(registers) => _,
            out("rcx") _, out("rdx") _, out("rdi") _,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
            out("r12") _, out("r13") _, out("r14") _, out("r15") _,
        );
    }
}
