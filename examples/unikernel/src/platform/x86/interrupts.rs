// SPDX-License-Identifier: MIT OR Apache-2.0
//! Interrupts: an event takes note that it rang, a fault ends it all.

use core::sync::atomic::{AtomicBool, Ordering};
use static_cell::StaticCell;
use x86_64::{
    instructions::{interrupts, segmentation::Segment},
    registers::{
        control::Cr2,
        segmentation::{CS, SS},
    },
    structures::{
        gdt::{Descriptor, GlobalDescriptorTable},
        idt::{InterruptDescriptorTable, InterruptStackFrame},
    },
};

/// An event rang since the last sleep.
static RANG: AtomicBool = AtomicBool::new(false);

/// A handler of an interrupt.
pub type Handler = extern "x86-interrupt" fn(InterruptStackFrame);

/// Takes note of an event; what a platform's handler does first.
pub fn ring() {
    RANG.store(true, Ordering::Relaxed);
}

/// Sleeps until an interrupt, unless an event rang since the last call; true if an event
/// rang. Interrupts wait from before `arm`, which may set a timer, until `hlt`: the
/// instruction after `sti` runs before any of them, so that none slips in between.
pub fn sleep(arm: impl FnOnce()) -> bool {
    interrupts::disable();
    arm();
    if RANG.swap(false, Ordering::Relaxed) {
        interrupts::enable();
        return true;
    }
    interrupts::enable_and_hlt();
    RANG.swap(false, Ordering::Relaxed)
}

/// True if an event rang since the last call, or sleep.
#[cfg(platform = "muen")]
pub fn take() -> bool {
    RANG.swap(false, Ordering::Relaxed)
}

/// Sets up segments and the table of interrupts, with `handlers` for some vectors
/// from 32 on, and lets interrupts in. To be called once.
pub fn set_up(handlers: impl IntoIterator<Item = (u8, Handler)>) {
    static GDT: StaticCell<GlobalDescriptorTable> = StaticCell::new();
    static IDT: StaticCell<InterruptDescriptorTable> = StaticCell::new();
    let gdt = GDT.init(GlobalDescriptorTable::new());
    let code = gdt.append(Descriptor::kernel_code_segment());
    let data = gdt.append(Descriptor::kernel_data_segment());
    gdt.load();
    // SAFETY: the descriptor of 64-bit code that was just loaded.
    unsafe { CS::set_reg(code) };
    // The end of an interrupt loads the stack's segment again: what the boot code left
    // there means nothing in this table.
    // SAFETY: the descriptor of data that was just loaded.
    unsafe { SS::set_reg(data) };

    let idt = IDT.init(InterruptDescriptorTable::new());
    macro_rules! faults {
        ($($exception:ident)*) => {
            $({
                extern "x86-interrupt" fn fault(frame: InterruptStackFrame) {
                    stop(stringify!($exception), None, frame);
                }
                idt.$exception.set_handler_fn(fault);
            })*
        };
    }
    macro_rules! faults_with_code {
        ($($exception:ident)*) => {
            $({
                extern "x86-interrupt" fn fault(frame: InterruptStackFrame, code: u64) {
                    stop(stringify!($exception), Some(code), frame);
                }
                idt.$exception.set_handler_fn(fault);
            })*
        };
    }
    faults!(divide_error overflow bound_range_exceeded invalid_opcode device_not_available
            x87_floating_point simd_floating_point);
    faults_with_code!(invalid_tss segment_not_present stack_segment_fault
                      general_protection_fault alignment_check);
    idt.page_fault.set_handler_fn(page_fault);
    idt.double_fault.set_handler_fn(double_fault);
    for (vector, handler) in handlers {
        idt[vector].set_handler_fn(handler);
    }
    idt.load();
    interrupts::enable();
}

fn stop(what: &str, code: Option<u64>, frame: InterruptStackFrame) -> ! {
    let at = frame.instruction_pointer.as_u64();
    panic!("processor exception {what}, code {code:?}, at {at:#x}")
}

extern "x86-interrupt" fn page_fault(
    frame: InterruptStackFrame,
    code: x86_64::structures::idt::PageFaultErrorCode,
) {
    let (at, address) = (frame.instruction_pointer.as_u64(), Cr2::read_raw());
    panic!("page fault at {at:#x} for address {address:#x}: {code:?}")
}

extern "x86-interrupt" fn double_fault(frame: InterruptStackFrame, code: u64) -> ! {
    stop("double_fault", Some(code), frame)
}
