// SPDX-License-Identifier: MIT OR Apache-2.0
//! Time: the time stamp counter, and the local interrupt controller's timer to
//! sleep by. How fast they go is measured at the start, against the PC's oldest timer.

use super::lapic::Lapic;
use crate::platform::x86::tsc::counter;
use core::time::Duration;
use x86_64::instructions::port::Port;

/// Ticks per second of the PC's timer (the 8254).
const PIT_HZ: u64 = 1_193_182;
/// Length and number of the measurements: five milliseconds each.
const TICKS: u16 = 5966;
const MEASUREMENTS: usize = 3;
/// Looks at the timer before it is given up.
const PATIENCE: usize = 10_000_000;

/// A clock that goes.
pub struct Clock {
    start: u64,
    /// Ticks of the time stamp counter, and of the controller's timer, in a
    /// millisecond. Not 0.
    tsc_khz: u64,
    timer_khz: u64,
}

/// Ticks of the time stamp counter, and of the controller's timer, while the PC's timer
/// counts down once; `None` if that stands still.
fn measure(lapic: &Lapic) -> Option<(u64, u32)> {
    let (mut gate, mut command, mut channel) = (
        Port::<u8>::new(0x61),
        Port::<u8>::new(0x43),
        Port::<u8>::new(0x42),
    );
    let [low, high] = TICKS.to_le_bytes();
    lapic.count_down(u32::MAX);
    let from = counter();
    // SAFETY: channel 2 of the timer drives the speaker and nothing else. Its gate
    // is opened without the speaker; it counts down once (mode 0).
    unsafe {
        let before = gate.read();
        gate.write(before & !0x02 | 0x01);
        command.write(0b1011_0000);
        channel.write(low);
        channel.write(high);
    }
    // SAFETY: reading the gate's port has no effect; bit 5 is the timer's output.
    let ended = || unsafe { gate.read() } & 0x20 != 0;
    let ended = core::iter::repeat_with(ended)
        .take(PATIENCE)
        .any(|ended| ended);
    let (to, left) = (counter(), lapic.count());
    lapic.count_down(0);
    ended.then(|| (to.wrapping_sub(from), u32::MAX - left))
}

impl Clock {
    /// Measures, for about fifteen milliseconds; `None` if the PC's timer stands still.
    pub fn start(lapic: &Lapic) -> Option<Self> {
        let start = counter();
        // A machine that is interrupted meanwhile counts too much, never too little.
        let (mut tsc, mut timer) = measure(lapic)?;
        for _ in 1..MEASUREMENTS {
            let again = measure(lapic)?;
            (tsc, timer) = (tsc.min(again.0), timer.min(again.1));
        }
        let khz = |ticks: u64| (ticks * PIT_HZ / u64::from(TICKS) / 1000).max(1);
        Some(Self {
            start,
            tsc_khz: khz(tsc),
            timer_khz: khz(timer.into()),
        })
    }

    /// Microseconds since the start.
    pub fn now(&self) -> u64 {
        let ticks = u128::from(counter().wrapping_sub(self.start));
        // CAST: half a million years.
        (ticks * 1000 / u128::from(self.tsc_khz)) as u64
    }

    /// Ticks of the controller's timer in a time, at least 1 and at most all there are.
    pub fn ticks(&self, time: Duration) -> u32 {
        let ticks = time.as_micros() * u128::from(self.timer_khz) / 1000;
        u32::try_from(ticks).unwrap_or(u32::MAX).max(1)
    }

    /// Ticks of the time stamp counter in a millisecond.
    pub fn tsc_khz(&self) -> u64 {
        self.tsc_khz
    }
}
