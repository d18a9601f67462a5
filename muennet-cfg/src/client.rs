// SPDX-License-Identifier: MIT OR Apache-2.0
//! Asks the driver, by generic netlink, and waits for its answer.

use crate::{
    extack,
    message::{Attribute, Command, Message, FAMILY},
    socket::{Kernel, Socket},
};
use netlink_packet_core::{
    DecodeError, NetlinkDeserializable, NetlinkHeader, NetlinkMessage, NetlinkPayload,
    NetlinkSerializable, NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST,
};
use netlink_packet_generic::{
    ctrl::{
        nlas::{GenlCtrlAttrs, OpAttrs},
        GenlCtrl, GenlCtrlCmd,
    },
    GenlFamily, GenlMessage,
};
use std::{fmt, io};
use thiserror::Error;

/// Why the kernel was not asked, or what it answered instead.
#[derive(Debug, Error)]
pub enum Error {
    /// There is no netlink, or it broke.
    #[error("cannot talk to the kernel: {0}")]
    Socket(#[from] io::Error),
    /// The answer is no message of this family.
    #[error("the kernel's answer makes no sense: {0}")]
    Answer(#[from] DecodeError),
    /// The driver is not loaded.
    #[error("the kernel knows no family \"{FAMILY}\"")]
    NoFamily,
    /// The driver is older than the command.
    #[error("the driver that is loaded does not know this command")]
    NoCommand,
    /// The kernel refused.
    #[error("{0}")]
    Refused(Refusal),
    /// The list changed again and again while it was being read.
    #[error("interfaces come and go too fast to be listed")]
    Unsteady,
}

/// An error number, and what the kernel said beside it.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    number: i32,
    words: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = io::Error::from_raw_os_error(self.number).to_string();
        // The standard library appends the number, which tells nobody more.
        let name = name.split(" (os error").next().unwrap_or(&name);
        match &self.words {
            Some(words) => write!(f, "{words} ({name})"),
            None => f.write_str(name),
        }
    }
}

const EPERM: i32 = 1;
const ENOENT: i32 = 2;
const ENODEV: i32 = 19;

impl Error {
    fn refused(code: i32, words: Option<String>) -> Self {
        Self::Refused(Refusal {
            number: code.saturating_abs(),
            words,
        })
    }

    /// Advice.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::NoFamily => Some("load the driver: modprobe muennet name=… in=… out=…"),
            Self::NoCommand => Some("load the driver that came with this program"),
            Self::Refused(refusal) => match refusal.number {
                EPERM => Some(
                    "this needs CAP_NET_ADMIN over the network namespace: run it as root, or with sudo",
                ),
                ENODEV => Some("muennet_cfg list shows the interfaces and children there are"),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Reading a list that changes meanwhile is begun anew, so many times.
const ATTEMPTS: usize = 16;

/// Flags of a request for one answer.
const DO: u16 = NLM_F_REQUEST | NLM_F_ACK;
/// Flags of a request for a list.
const DUMP: u16 = NLM_F_REQUEST | NLM_F_DUMP;

/// A connection to the driver.
#[derive(Debug)]
pub struct Client<K = Socket> {
    kernel: K,
    family: u16,
    commands: Vec<u32>,
    sequence: u32,
}

impl Client {
    /// Finds the driver.
    pub fn connect() -> Result<Self, Error> {
        Self::over(Socket::open()?)
    }
}

impl<K: Kernel> Client<K> {
    /// Finds the driver by a connection to the kernel.
    pub fn over(kernel: K) -> Result<Self, Error> {
        let mut client = Self {
            kernel,
            family: 0,
            commands: Vec::new(),
            sequence: 0,
        };
        client.resolve()?;
        Ok(client)
    }

    fn resolve(&mut self) -> Result<(), Error> {
        let question = GenlCtrl {
            cmd: GenlCtrlCmd::GetFamily,
            nlas: vec![GenlCtrlAttrs::FamilyName(FAMILY.to_owned())],
        };
        let answers = match self.ask(question, DO) {
            Err(Error::Refused(Refusal { number: ENOENT, .. })) => return Err(Error::NoFamily),
            answers => answers?,
        };
        for attribute in answers.into_iter().flat_map(|answer| answer.nlas) {
            match attribute {
                GenlCtrlAttrs::FamilyId(id) => self.family = id,
                GenlCtrlAttrs::Ops(operations) => {
                    self.commands = operations
                        .into_iter()
                        .flatten()
                        .filter_map(|attribute| match attribute {
                            OpAttrs::Id(id) => Some(id),
                            OpAttrs::Flags(_) => None,
                        })
                        .collect();
                }
                _ => {}
            }
        }
        if self.family == 0 {
            return Err(Error::NoFamily);
        }
        Ok(())
    }

    /// Has something done.
    pub fn execute(&mut self, command: Command, attributes: Vec<Attribute>) -> Result<(), Error> {
        self.knows(command)?;
        self.ask(Message::new(command, attributes), DO).map(drop)
    }

    /// Has something listed; each entry is one message's attributes.
    pub fn dump(&mut self, command: Command) -> Result<Vec<Vec<Attribute>>, Error> {
        self.knows(command)?;
        for _ in 0..ATTEMPTS {
            match self.ask(Message::new(command, Vec::new()), DUMP) {
                Err(Error::Unsteady) => {}
                answers => {
                    let entries = answers?.into_iter().map(|answer| answer.attributes);
                    return Ok(entries.collect());
                }
            }
        }
        Err(Error::Unsteady)
    }

    /// A kernel that lacks a command refuses it as it refuses much else; the family's
    /// list of commands tells the difference.
    fn knows(&self, command: Command) -> Result<(), Error> {
        if self.commands.is_empty() || self.commands.contains(&u32::from(command as u8)) {
            return Ok(());
        }
        Err(Error::NoCommand)
    }

    fn ask<F>(&mut self, question: F, flags: u16) -> Result<Vec<F>, Error>
    where
        F: GenlFamily + fmt::Debug,
        GenlMessage<F>: NetlinkSerializable + NetlinkDeserializable,
    {
        self.sequence += 1;
        let mut message = GenlMessage::from_payload(question);
        message.set_resolved_family_id(self.family);
        let mut header = NetlinkHeader::default();
        header.flags = flags;
        header.sequence_number = self.sequence;
        let mut packet = NetlinkMessage::new(header, NetlinkPayload::from(message));
        packet.finalize();
        let mut bytes = vec![0; packet.buffer_len()];
        packet.serialize(&mut bytes);
        self.kernel.send(&bytes)?;

        let mut answers = Answers::new(self.sequence);
        while !answers.complete {
            answers.take(&self.kernel.receive()?)?;
        }
        if answers.interrupted {
            return Err(Error::Unsteady);
        }
        Ok(answers.messages)
    }
}

/// The answer to one request.
struct Answers<F> {
    sequence: u32,
    messages: Vec<F>,
    /// The list changed meanwhile.
    interrupted: bool,
    complete: bool,
}

impl<F> Answers<F>
where
    F: fmt::Debug,
    GenlMessage<F>: NetlinkDeserializable,
{
    fn new(sequence: u32) -> Self {
        Self {
            sequence,
            messages: Vec::new(),
            interrupted: false,
            complete: false,
        }
    }

    /// Takes the messages of one datagram.
    fn take(&mut self, mut datagram: &[u8]) -> Result<(), Error> {
        while !self.complete && !datagram.is_empty() {
            let message = NetlinkMessage::<GenlMessage<F>>::deserialize(datagram)?;
            // Each begins at a multiple of four bytes.
            let length = (message.header.length as usize).next_multiple_of(4);
            datagram = datagram.get(length..).unwrap_or_default();
            if message.header.sequence_number != self.sequence {
                continue;
            }
            self.interrupted |= message.header.flags & NLM_F_DUMP_INTR != 0;
            match message.payload {
                NetlinkPayload::InnerMessage(answer) => {
                    self.messages.push(answer.into_parts().1);
                }
                NetlinkPayload::Error(error) => match error.code {
                    None => self.complete = true,
                    Some(code) => {
                        return Err(Error::refused(code.get(), extack::of_error(&error.header)))
                    }
                },
                NetlinkPayload::Done(done) if done.code < 0 => {
                    let words = extack::of_attributes(&done.extended_ack);
                    return Err(Error::refused(done.code, words));
                }
                NetlinkPayload::Done(_) => self.complete = true,
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests;
