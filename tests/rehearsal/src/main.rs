// SPDX-License-Identifier: MIT OR Apache-2.0
//! A rehearsal of Muen under QEMU: a monitor that runs the unikernel's image for Muen, the
//! very file, in the state that Muen v1.1.1 gives a native subject.
//!
//! The monitor is a small hypervisor over AMD's SVM, which QEMU emulates. The subject runs on
//! page tables of its own with the rights that its policy gives, and leaves for what a
//! subject of Muen leaves for. CPUID, ports, registers of the processor's model, and a write
//! to what is read-only are violations: they are said on the serial port, and the test fails.
//!
//! The machine below it is the unikernel's platform for QEMU, so channels and doorbells are
//! those of `muen-ivshmem`. The image is the initial RAM disk; see [`words`] for the command
//! line.
#![no_std]
#![no_main]
#![feature(abi_x86_interrupt)]

mod image;
mod monitor;
mod pages;
mod pool;
mod subject;
mod svm;
mod words;

#[path = "../../../examples/unikernel/src/platform/mod.rs"]
#[allow(dead_code, missing_docs)]
mod platform;
#[path = "../../../examples/unikernel/src/trouble.rs"]
#[allow(dead_code)]
mod trouble;

/// Writes a line to the serial port.
macro_rules! log {
    ($($word:tt)*) => {
        $crate::platform::log(format_args!("rehearsal: {}\n", format_args!($($word)*)))
    };
}
pub(crate) use log;

use platform::Platform;

/// Runs the subject. Called by the boot code; `boot` is the address of PVH's information.
fn main(boot: u64) -> ! {
    let started = platform::Machine::start(boot)
        .map_err(subject::Refusal::Machine)
        .and_then(|machine| monitor::Monitor::new(machine, boot));
    match started {
        Ok(monitor) => monitor.run(),
        Err(refusal) => {
            log!("cannot run: {refusal}");
            platform::halt()
        }
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    log!("{info}");
    platform::halt()
}
