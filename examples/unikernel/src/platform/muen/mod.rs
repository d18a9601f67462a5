// SPDX-License-Identifier: MIT OR Apache-2.0
//! A native subject of Muen: the policy maps its channels and says where, events are
//! hypercalls, and an interrupt ends `hlt`.

mod boot;
mod log;

pub use log::log;

use super::{
    x86::{interrupts, memory, random},
    Output, Place, Platform,
};
use crate::trouble::Trouble;
use core::{convert::Infallible, num::NonZeroU64, time::Duration};
use muennet_core::{
    event::Events,
    notify::Hypercall,
    sinfo::{self, Kind, Sinfo},
};
use static_cell::ConstStaticCell;
use x86_64::structures::idt::InterruptStackFrame;

/// The first vector that is no processor exception.
const FIRST: u8 = 32;

static SINFO: ConstStaticCell<[u8; sinfo::SIZE]> = ConstStaticCell::new([0; sinfo::SIZE]);

/// What a command line would say: Muen passes none, so it is built in.
const WORDS: &str = match option_env!("UNIKERNEL_WORDS") {
    Some(words) => words,
    None => "",
};

/// The machine.
pub struct Machine {
    /// A private copy.
    sinfo: &'static [u8],
    tsc_khz: u64,
    start: u64,
}

extern "x86-interrupt" fn on_event(_: InterruptStackFrame) {
    interrupts::ring();
}

/// Where the boot code leads.
extern "C" fn start() -> ! {
    crate::main(0)
}

fn counter() -> u64 {
    // SAFETY: every x86_64 processor has the counter.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// Memory that the subject information tells of, where it says.
fn place(memory: &sinfo::Memory) -> Result<Place, Trouble> {
    // SAFETY: Muen maps a native subject's memory where its information says, for
    // good; this program uses channels by their types alone.
    unsafe { Place::new(memory.address, memory.size) }.ok_or(Trouble::Unreachable {
        address: memory.address,
        size: memory.size,
    })
}

impl Platform for Machine {
    const HAS_TIMER: bool = false;

    type Bell = Hypercall;

    fn start(_: u64) -> Result<Self, Trouble> {
        let start = counter();
        interrupts::set_up((FIRST..=u8::MAX).map(|vector| (vector, on_event as _)));
        let copy = SINFO.take();
        // SAFETY: Muen maps the subject information there, for native subjects.
        unsafe { memory::copy(sinfo::ADDRESS, copy) };
        let copy: &'static [u8] = copy;
        let sinfo = Sinfo::parse(copy)?;
        let channel = sinfo.find(log::CHANNEL, Kind::Memory);
        if let Some(memory) = channel.and_then(|resource| resource.memory()) {
            if memory.writable {
                log::open(Output(place(&memory)?), random::number());
            }
        }
        Ok(Self {
            sinfo: copy,
            tsc_khz: u64::from(sinfo.tsc_khz()).max(1),
            start,
        })
    }

    fn command_line(&self) -> &'static str {
        WORDS
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

    fn listen(&mut self, vector: u8) -> Result<(), Trouble> {
        if vector < FIRST {
            return Err(Trouble::NoVector(vector));
        }
        Ok(())
    }

    fn now(&self) -> u64 {
        let ticks = u128::from(counter().wrapping_sub(self.start));
        // CAST: half a million years.
        (ticks * 1000 / u128::from(self.tsc_khz)) as u64
    }

    fn random(&self) -> NonZeroU64 {
        random::number()
    }

    /// A subject ends by never waking up again; its policy may restart it.
    fn shut_down(self) -> ! {
        super::halt()
    }
}

/// `hlt` until an interrupt. Time passes in the subject's own slots, so that a wait
/// with a limit takes nothing from others: it looks at the clock.
impl Events for Machine {
    type Error = Infallible;

    fn wait(&mut self, limit: Option<Duration>) -> Result<(), Infallible> {
        match limit {
            None => interrupts::sleep(|| ()),
            Some(limit) => {
                let limit = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
                let start = self.now();
                while !interrupts::take() && self.now() - start < limit {
                    core::hint::spin_loop();
                }
            }
        }
        Ok(())
    }
}
