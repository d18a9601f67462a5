// SPDX-License-Identifier: MIT OR Apache-2.0
//! The log: Muen's channel `debuglog`. An element is a message: a timestamp, and text that
//! ends with LF or fills the message. Longer lines go on in the next one.

use super::{arch, place};
use crate::platform::{Output, Place};
use core::{
    cell::RefCell,
    fmt::{self, Write},
    num::NonZeroU64,
};
use muennet_core::{
    framing::{Meta, Raw},
    link::Sender,
    sinfo::{Kind, Sinfo},
};

/// Name of the channel.
pub const CHANNEL: &str = "debuglog";
/// Protocol of the channel (Muen, component library `libdebuglog`).
const PROTOCOL: NonZeroU64 = NonZeroU64::new(0xf007_8909_4b6f_70cf).unwrap();
/// Bytes of a timestamp, and of a message's text.
const TIMESTAMP: usize = 8;
const TEXT: usize = 56;
const FRAMING: Raw = match Raw::new((TIMESTAMP + TEXT) as u16) {
    Ok(framing) => framing,
    Err(_) => panic!("a message fits an element"),
};

extern "C" {
    /// Set by the linker script: their addresses are the values.
    #[link_name = "debuglog_address"]
    static FIXED_ADDRESS: u8;
    #[link_name = "debuglog_size"]
    static FIXED_SIZE: u8;
}

/// The channel, and the message that is being written.
struct Channel {
    sender: Sender<Output, Raw, ()>,
    text: [u8; TEXT],
    len: usize,
}

enum State {
    /// The subject information is not understood yet.
    Early,
    Open(Channel),
    /// The policy gives no log.
    None,
}

struct Log(RefCell<State>);

// SAFETY: there is one processor, and the interrupt handlers that log do not return.
unsafe impl Sync for Log {}

static LOG: Log = Log(RefCell::new(State::Early));

impl Channel {
    /// Starts a new epoch; `None` if the channel is too small.
    fn open(place: Place) -> Option<Self> {
        let mut sender = Sender::new(Output(place), PROTOCOL, FRAMING, ()).ok()?;
        sender.activate(arch::random());
        Some(Self {
            sender,
            text: [0; TEXT],
            len: 0,
        })
    }

    /// The channel at the fixed address.
    fn early() -> Option<Self> {
        let (address, size) = (&raw const FIXED_ADDRESS, &raw const FIXED_SIZE);
        // SAFETY: the component specification maps a channel there, for the log alone; where
        // it does not, the access is a page fault, which ends the subject.
        unsafe { Place::new(address.addr() as u64, size.addr() as u64) }.and_then(Self::open)
    }

    fn end_message(&mut self) {
        let timestamp = arch::ticks().to_le_bytes();
        // The channel is active, and a message fits.
        let _ = self
            .sender
            .write(&[&timestamp, &self.text[..self.len]], Meta::default());
        self.len = 0;
    }
}

impl Write for Channel {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.text[self.len] = byte;
            self.len += 1;
            if byte == b'\n' || self.len == TEXT {
                self.end_message();
            }
        }
        Ok(())
    }
}

/// Logs from now on to the channel that the subject information names, if it names one.
pub fn open(sinfo: &Sinfo<'_>) {
    let resource = sinfo.find(CHANNEL, Kind::Memory);
    let memory = resource.and_then(|resource| resource.memory());
    let place = memory
        .filter(|memory| memory.writable)
        .and_then(|memory| place(&memory).ok());
    LOG.0.replace(
        place
            .and_then(Channel::open)
            .map_or(State::None, State::Open),
    );
}

/// Writes to the log.
pub fn log(line: fmt::Arguments<'_>) {
    // A fault in the middle of a line logs no more.
    let Ok(mut log) = LOG.0.try_borrow_mut() else {
        return;
    };
    if matches!(*log, State::Early) {
        *log = Channel::early().map_or(State::None, State::Open);
    }
    if let State::Open(channel) = &mut *log {
        // The channel takes whatever is written.
        let _ = channel.write_fmt(line);
    }
}
