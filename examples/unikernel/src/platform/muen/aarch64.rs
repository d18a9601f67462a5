// SPDX-License-Identifier: MIT OR Apache-2.0
//! The processor of an arm64 subject: EL1, started with paging off. No interrupt is taken,
//! since that needs the virtual interrupt controller; the channel is polled instead.

pub use crate::platform::aarch64::ticks;

use crate::{
    platform::aarch64::{self, Table},
    trouble::Trouble,
};
use core::num::NonZeroU64;
use muennet_core::sinfo::Sinfo;

/// All of 512 GiB is memory; what the policy maps of it is the second stage's matter.
static PAGES: Table = {
    let mut entries = [0; 512];
    let mut index = 0;
    while index < 512 {
        entries[index] = (index as u64) << 30 | aarch64::MEMORY;
        index += 1;
    }
    Table(entries)
};
/// Addresses of 40 bits behind the first stage.
const PHYSICAL: u64 = 0b010 << 32;

aarch64::entry!("muen_start", PAGES, PHYSICAL, super::start);

/// There is nothing to set up: all interrupts stay masked.
pub fn set_up() {}

/// Ticks of the counter in a millisecond; it says so itself.
pub fn ticks_per_ms(_: &Sinfo<'_>) -> u64 {
    aarch64::hertz() / 1000
}

/// A number that is another one at each start.
pub fn random() -> NonZeroU64 {
    NonZeroU64::new(ticks()).unwrap_or(NonZeroU64::MIN)
}

/// No vector ends a sleep.
pub fn listen(_: u8) -> Result<bool, Trouble> {
    Ok(false)
}

/// There is no timer.
pub enum Timer {}

impl Timer {
    /// None: timed events end in an interrupt.
    pub fn find(_: &Sinfo<'_>) -> Option<Self> {
        None
    }
}

/// Without interrupts there is nothing to sleep for.
pub fn sleep(_: Option<(&mut Timer, u64)>) {}

/// No event is noticed.
pub fn rang() -> bool {
    false
}

/// Stops the processor for good.
pub fn halt() -> ! {
    loop {
        aarch64::wait();
    }
}
