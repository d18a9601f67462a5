// SPDX-License-Identifier: MIT OR Apache-2.0
//! A native subject of Muen: the policy maps its channels and says where, events are
//! hypercalls, and an interrupt ends a sleep.

#[cfg_attr(target_arch = "x86_64", path = "x86_64/mod.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
mod arch;
mod boot_info;
mod log;

pub use arch::halt;
pub use log::log;

use super::{memory, Place, Platform};
use crate::trouble::Trouble;
use core::{convert::Infallible, num::NonZeroU64, time::Duration};
use muennet_core::{
    event::Events,
    notify::Hypercall,
    sinfo::{self, Sinfo},
};
use static_cell::ConstStaticCell;

static SINFO: ConstStaticCell<[u8; sinfo::SIZE]> = ConstStaticCell::new([0; sinfo::SIZE]);

/// The command line where the policy passes none.
const WORDS: &str = match option_env!("UNIKERNEL_WORDS") {
    Some(words) => words,
    None => "",
};

/// The machine.
pub struct Machine {
    /// A private copy.
    sinfo: &'static [u8],
    command_line: &'static str,
    ticks_per_ms: u64,
    start: u64,
    timer: Option<arch::Timer>,
}

/// Called by the boot code.
extern "C" fn start() -> ! {
    crate::main(0)
}

/// Memory of a resource, at the address that the subject information names.
fn place(memory: &sinfo::Memory) -> Result<Place, Trouble> {
    // SAFETY: Muen maps a native subject's memory where its information says, for
    // good; this program uses channels by their types alone.
    unsafe { Place::new(memory.address, memory.size) }.ok_or(Trouble::Unreachable {
        address: memory.address,
        size: memory.size,
    })
}

impl Machine {
    /// Microseconds that a number of ticks takes.
    fn micros(&self, ticks: u64) -> u64 {
        // CAST: half a million years.
        (u128::from(ticks) * 1000 / u128::from(self.ticks_per_ms)) as u64
    }
}

impl Platform for Machine {
    type Bell = Hypercall;

    fn start(_: u64) -> Result<Self, Trouble> {
        let start = arch::ticks();
        arch::set_up();
        let copy = SINFO.take();
        // SAFETY: Muen maps the subject information there, for native subjects.
        unsafe { memory::copy(sinfo::ADDRESS, copy) };
        let copy: &'static [u8] = copy;
        let sinfo = Sinfo::parse(copy)?;
        log::open(&sinfo);
        Ok(Self {
            sinfo: copy,
            command_line: boot_info::command_line(&sinfo)?.unwrap_or(WORDS),
            ticks_per_ms: arch::ticks_per_ms(&sinfo).max(1),
            start,
            timer: arch::Timer::find(&sinfo),
        })
    }

    fn command_line(&self) -> &'static str {
        self.command_line
    }

    fn has_timer(&self) -> bool {
        self.timer.is_some()
    }

    fn sinfo(&self) -> Result<Sinfo<'_>, Trouble> {
        Ok(Sinfo::parse(self.sinfo)?)
    }

    fn channel(&self, memory: &sinfo::Memory) -> Result<Place, Trouble> {
        place(memory)
    }

    fn bell(&self, event: u8) -> Option<Hypercall> {
        // SAFETY: this is a subject of Muen; the event has the name of a channel, and
        // the policy's author wants it to be rung.
        Some(unsafe { Hypercall::new(event) })
    }

    fn listen(&mut self, vector: u8) -> Result<bool, Trouble> {
        arch::listen(vector)
    }

    fn now(&self) -> u64 {
        self.micros(arch::ticks().wrapping_sub(self.start))
    }

    fn random(&self) -> NonZeroU64 {
        arch::random()
    }

    /// A subject ends by never waking up again; its policy may restart it.
    fn shut_down(self) -> ! {
        halt()
    }
}

/// Sleeps until an interrupt. With a limit it needs the timer; without one it looks at the
/// clock, in the subject's own time slots.
impl Events for Machine {
    type Error = Infallible;

    fn wait(&mut self, limit: Option<Duration>) -> Result<(), Infallible> {
        match (limit, &mut self.timer) {
            (None, timer) => arch::sleep(timer.as_mut().map(|timer| (timer, u64::MAX))),
            (Some(limit), Some(timer)) => {
                let ticks = limit.as_micros() * u128::from(self.ticks_per_ms) / 1000;
                let ticks = u64::try_from(ticks).unwrap_or(u64::MAX);
                let deadline = arch::ticks().saturating_add(ticks);
                arch::sleep(Some((timer, deadline)));
            }
            (Some(limit), None) => {
                let limit = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
                let start = self.now();
                while !arch::rang() && self.now() - start < limit {
                    core::hint::spin_loop();
                }
            }
        }
        Ok(())
    }
}
