// SPDX-License-Identifier: MIT OR Apache-2.0
//! The log: the first serial port.

use core::fmt;
use x86_64::instructions::port::Port;

const BASE: u16 = 0x3f8;
/// Line status: the transmitter has room.
const ROOM: u8 = 1 << 5;
/// Looks at the line status before a byte is sent all the same.
const PATIENCE: usize = 100_000;

struct Serial;

impl fmt::Write for Serial {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if byte == b'\n' {
                send(b'\r');
            }
            send(byte);
        }
        Ok(())
    }
}

fn send(byte: u8) {
    let mut status = Port::<u8>::new(BASE + 5);
    // SAFETY: reading the status of the serial port has no effect.
    let has_room = || unsafe { status.read() } & ROOM != 0;
    let _ = core::iter::repeat_with(has_room)
        .take(PATIENCE)
        .any(|room| room);
    // SAFETY: a byte on the serial line harms nothing.
    unsafe { Port::<u8>::new(BASE).write(byte) };
}

/// Writes to the log.
pub fn log(line: fmt::Arguments<'_>) {
    // The port takes everything.
    let _ = fmt::Write::write_fmt(&mut Serial, line);
}
