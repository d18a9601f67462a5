// SPDX-License-Identifier: GPL-2.0-only

//! A panic is a BUG, with file and line in the log.

use crate::{bindings, print};
use core::panic::PanicInfo;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    print::print(print::EMERG, "rust_kernel", core::format_args!("{info}\n"));
    // SAFETY: ends this thread.
    unsafe { bindings::compat_bug() };
    trap()
}

/// The instruction of a BUG, behind a function that does not come back: objtool looks for
/// where code ends.
fn trap() -> ! {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: raises an exception.
    unsafe {
        core::arch::asm!("ud2", options(noreturn))
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: raises an exception.
    unsafe {
        core::arch::asm!("brk #0x800", options(noreturn))
    }
}
