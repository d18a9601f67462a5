// SPDX-License-Identifier: MIT OR Apache-2.0
//! A subject without an operating system. On x86_64 it answers ping, TCP and UDP
//! echo, HTTP and iperf3 on a pair of Muen channels, under QEMU or on Muen; on aarch64 it
//! tests itself over channels to itself. `cargo xtask demo --unikernel` runs it.
#![no_std]
#![no_main]
#![cfg_attr(target_arch = "x86_64", feature(abi_x86_interrupt))]

#[cfg(target_arch = "x86_64")]
mod component;
#[cfg(target_arch = "aarch64")]
mod loopback;
mod platform;
mod sockets;
#[cfg(target_arch = "x86_64")]
mod status;
#[cfg(target_arch = "x86_64")]
mod trouble;
#[cfg(target_arch = "x86_64")]
mod words;

/// Writes a line to the log.
macro_rules! log {
    ($($word:tt)*) => {
        $crate::platform::log(format_args!("unikernel: {}\n", format_args!($($word)*)))
    };
}
pub(crate) use log;

/// What the boot code of a platform leads to; `boot` is what it has to tell.
#[cfg(target_arch = "x86_64")]
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

/// What the boot code of a platform leads to.
#[cfg(target_arch = "aarch64")]
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
