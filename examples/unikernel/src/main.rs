// SPDX-License-Identifier: MIT OR Apache-2.0
//! A subject without an operating system. On Muen, and on QEMU's PC, it answers ping, TCP
//! and UDP echo, HTTP and iperf3 on a pair of Muen channels; on QEMU's machine `virt` it
//! tests itself over channels to itself. `cargo xtask demo --unikernel` runs it.
#![no_std]
#![no_main]
#![cfg_attr(target_arch = "x86_64", feature(abi_x86_interrupt))]

#[cfg(not(platform = "virt"))]
mod component;
#[cfg(platform = "virt")]
mod loopback;
mod platform;
mod sockets;
#[cfg(not(platform = "virt"))]
mod status;
#[cfg(not(platform = "virt"))]
mod trouble;
#[cfg(not(platform = "virt"))]
mod words;

/// Writes a line to the log.
macro_rules! log {
    ($($word:tt)*) => {
        $crate::platform::log(format_args!("unikernel: {}\n", format_args!($($word)*)))
    };
}
pub(crate) use log;

/// Runs the component. Called by the boot code of a platform; `boot` is its argument.
#[cfg(not(platform = "virt"))]
fn main(boot: u64) -> ! {
    use platform::Platform;
    match platform::Machine::start(boot).and_then(component::run) {
        Ok(machine) => {
            log!("the end");
            machine.shut_down()
        }
        Err(trouble) => {
            log!("cannot run: {trouble}");
            platform::halt()
        }
    }
}

/// Runs the self-test. Called by the boot code of the platform.
#[cfg(platform = "virt")]
fn main() -> ! {
    let passed = loopback::run();
    log!("{}", if passed { "PASS" } else { "FAIL" });
    platform::end(passed)
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    log!("{info}");
    platform::halt()
}
