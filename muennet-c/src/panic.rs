// SPDX-License-Identifier: MIT OR Apache-2.0
//! The panic handler that the language asks for where there is no `std`.
//!
//! No function of the library leads here: the layer `c-interface` links them all and looks
//! for the handler in the result.

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
