// SPDX-License-Identifier: MIT OR Apache-2.0
//! QEMU's PC (machine q35) with an ivshmem device, served by `muen-ivshmem`.

mod boot;
mod clock;
mod ivshmem;
mod lapic;
mod pci;
mod serial;

pub use serial::log;

use super::{
    x86::{interrupts, random, tsc},
    Place, Platform,
};
use crate::trouble::Trouble;
use clock::Clock;
use core::{convert::Infallible, ffi::CStr, num::NonZeroU64, time::Duration};
use ivshmem::{Bell, Ivshmem};
use lapic::Lapic;
use muennet_core::{
    event::Events,
    sinfo::{self, Sinfo},
};
use x86_64::{instructions::random::RdRand, structures::idt::InterruptStackFrame};

/// Interrupts: the device's, the timer's, and those that mean nothing.
const EVENT: u8 = 0x40;
const TIMER: u8 = 0x41;
const SPURIOUS: u8 = 0xff;

/// The machine.
pub struct Machine {
    lapic: Lapic,
    clock: Clock,
    device: Ivshmem,
    command_line: &'static str,
}

extern "x86-interrupt" fn on_event(_: InterruptStackFrame) {
    interrupts::ring();
    Lapic.end_of_interrupt();
}

extern "x86-interrupt" fn on_timer(_: InterruptStackFrame) {
    Lapic.end_of_interrupt();
}

extern "x86-interrupt" fn on_spurious(_: InterruptStackFrame) {}

/// Where the boot code leads: `boot` is the address of PVH's start information.
extern "C" fn start(boot: u64) -> ! {
    crate::main(boot)
}

/// The command line that QEMU was given (`-append`), by PVH's start information
/// (Xen, public/arch-x86/hvm/start_info.h).
fn command_line(boot: u64) -> &'static str {
    const MAGIC: u32 = 0x336e_c578;
    const COMMAND_LINE: usize = 24;
    let information: *const u8 = core::ptr::with_exposed_provenance(boot as usize);
    // SAFETY: QEMU passes the address of this structure, which nobody changes.
    let (magic, text) = unsafe {
        (
            information.cast::<u32>().read_unaligned(),
            information.add(COMMAND_LINE).cast::<u64>().read_unaligned(),
        )
    };
    if magic != MAGIC || text == 0 {
        return "";
    }
    // SAFETY: by that structure's definition the address of a C string.
    let text = unsafe { CStr::from_ptr(core::ptr::with_exposed_provenance(text as usize)) };
    text.to_str().unwrap_or("")
}

impl Machine {
    /// Ticks of the time stamp counter in a millisecond.
    pub fn tsc_khz(&self) -> u64 {
        self.clock.tsc_khz()
    }

    /// Sleeps until the device's interrupt or for that time; true if it was the device.
    pub fn sleep(&mut self, limit: Option<Duration>) -> bool {
        let ticks = limit.map_or(0, |limit| self.clock.ticks(limit));
        let rang = interrupts::sleep(|| self.lapic.count_down(ticks));
        self.lapic.count_down(0);
        rang
    }
}

impl Platform for Machine {
    type Bell = Bell;

    fn start(boot: u64) -> Result<Self, Trouble> {
        // First, since the old interrupt controllers' vectors are the exceptions'.
        let lapic = Lapic::start(TIMER, SPURIOUS);
        interrupts::set_up([
            (EVENT, on_event as interrupts::Handler),
            (TIMER, on_timer),
            (SPURIOUS, on_spurious),
        ]);
        let clock = Clock::start(&lapic).ok_or(Trouble::NoDevice("timer"))?;
        let machine = Self {
            lapic,
            clock,
            device: Ivshmem::start()?,
            command_line: command_line(boot),
        };
        crate::log!("time stamp counter: {} kHz", machine.tsc_khz());
        Ok(machine)
    }

    fn command_line(&self) -> &'static str {
        self.command_line
    }

    fn has_timer(&self) -> bool {
        true
    }

    fn sinfo(&self) -> Result<Sinfo<'_>, Trouble> {
        Ok(Sinfo::parse(self.device.sinfo())?)
    }

    fn channel(&self, memory: &sinfo::Memory) -> Result<Place, Trouble> {
        self.device.channel(memory)
    }

    fn bell(&self, event: u8) -> Option<Bell> {
        self.device.bell(event)
    }

    fn listen(&mut self, vector: u8) -> Result<bool, Trouble> {
        self.device.route(vector, self.lapic.number(), EVENT)?;
        Ok(true)
    }

    fn now(&self) -> u64 {
        self.clock.now()
    }

    fn random(&self) -> NonZeroU64 {
        let has_rdrand = RdRand::new().is_some();
        // SAFETY: asked for just now.
        let drawn = has_rdrand.then(|| unsafe { random::draw() }).flatten();
        random::non_zero(drawn.unwrap_or_else(tsc::counter))
    }

    fn shut_down(self) -> ! {
        pci::power_off();
        super::halt()
    }
}

/// `hlt` until the device's interrupt, or the timer's.
impl Events for Machine {
    type Error = Infallible;

    fn wait(&mut self, limit: Option<Duration>) -> Result<(), Infallible> {
        self.sleep(limit);
        Ok(())
    }
}
