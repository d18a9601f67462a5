// SPDX-License-Identifier: MIT OR Apache-2.0
//! The log: a raw channel with the name "log", if the policy gives one. Every element
//! is a line.

use crate::platform::Output;
use core::{
    cell::RefCell,
    fmt::{self, Write},
    num::NonZeroU64,
};
use muennet_core::{
    framing::{Meta, Raw},
    link::Sender,
};

/// Name of the channel.
pub const CHANNEL: &str = "log";
/// Its protocol: "muen_log".
const PROTOCOL: NonZeroU64 = NonZeroU64::new(0x676f_6c5f_6e65_756d).unwrap();
/// Bytes of a line; what is more is cut off.
const LINE: usize = 160;

type Channel = Sender<Output, Raw, ()>;

struct Log(RefCell<Option<Channel>>);

// SAFETY: there is one processor, and the interrupt handlers that log do not return.
unsafe impl Sync for Log {}

static LOG: Log = Log(RefCell::new(None));

/// Logs to a channel from now on; in vain if it is too small.
pub fn open(output: Output, epoch: NonZeroU64) {
    let Ok(framing) = Raw::new(LINE as u16) else {
        return;
    };
    if let Ok(mut channel) = Sender::new(output, PROTOCOL, framing, ()) {
        channel.activate(epoch);
        LOG.0.replace(Some(channel));
    }
}

struct Line {
    text: [u8; LINE],
    len: usize,
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.text[self.len..];
        let taken = text.len().min(room.len());
        room[..taken].copy_from_slice(&text.as_bytes()[..taken]);
        self.len += taken;
        Ok(())
    }
}

/// Writes to the log.
pub fn log(line: fmt::Arguments<'_>) {
    // A fault in the middle of a line logs no more.
    let Ok(mut log) = LOG.0.try_borrow_mut() else {
        return;
    };
    if let Some(channel) = log.as_mut() {
        let mut text = Line {
            text: [0; LINE],
            len: 0,
        };
        // A line takes whatever is written.
        let _ = text.write_fmt(line);
        // The channel is active, and a line fits.
        let _ = channel.write(&[&text.text[..text.len]], Meta::default());
    }
}
