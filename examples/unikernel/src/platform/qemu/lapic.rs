// SPDX-License-Identifier: MIT OR Apache-2.0
//! The local interrupt controller: takes the device's messages, and has a timer.

use x86_64::instructions::port::Port;

/// Where it lies, and where messages for it go.
pub const ADDRESS: u64 = 0xfee0_0000;

const ID: usize = 0x20;
const END_OF_INTERRUPT: usize = 0xb0;
const SPURIOUS: usize = 0xf0;
const TIMER: usize = 0x320;
const INITIAL_COUNT: usize = 0x380;
const CURRENT_COUNT: usize = 0x390;
const DIVIDE: usize = 0x3e0;

/// The controller's registers.
#[derive(Clone, Copy)]
pub struct Lapic;

impl Lapic {
    /// Switches it on, with the vectors of its timer and of spurious interrupts.
    pub fn start(timer: u8, spurious: u8) -> Self {
        // The old controllers are silenced.
        for port in [0x21, 0xa1] {
            // SAFETY: masks every line of an interrupt controller that nobody uses.
            unsafe { Port::<u8>::new(port).write(0xff) };
        }
        let lapic = Self;
        lapic.write(SPURIOUS, 1 << 8 | u32::from(spurious));
        // Divide by 16; one shot.
        lapic.write(DIVIDE, 0b0011);
        lapic.write(TIMER, timer.into());
        lapic
    }

    fn register(offset: usize) -> *mut u32 {
        // The first 512 GiB map to themselves.
        core::ptr::with_exposed_provenance_mut(ADDRESS as usize + offset)
    }

    fn read(self, offset: usize) -> u32 {
        // SAFETY: a register of the controller, which every PC has there.
        unsafe { Self::register(offset).read_volatile() }
    }

    fn write(self, offset: usize, value: u32) {
        // SAFETY: as for `read`; the callers above and below write what is due.
        unsafe { Self::register(offset).write_volatile(value) };
    }

    /// The number by which messages reach this processor.
    pub fn number(self) -> u8 {
        // CAST: the uppermost byte.
        (self.read(ID) >> 24) as u8
    }

    /// Says that an interrupt was handled.
    pub fn end_of_interrupt(self) {
        self.write(END_OF_INTERRUPT, 0);
    }

    /// Lets the timer ring after so many ticks; 0 stops it.
    pub fn count_down(self, ticks: u32) {
        self.write(INITIAL_COUNT, ticks);
    }

    /// Ticks until the timer rings.
    pub fn count(self) -> u32 {
        self.read(CURRENT_COUNT)
    }
}
