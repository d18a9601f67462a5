// SPDX-License-Identifier: MIT OR Apache-2.0
//! Asks the driver, by generic netlink, and waits for its answer.

use crate::{
    extack,
    message::{Attribute, Command, Message, FAMILY},
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
use netlink_sys::{protocols::NETLINK_GENERIC, Socket, SocketAddr};
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

/// A connection to the driver.
#[derive(Debug)]
pub struct Client {
    socket: Socket,
    family: u16,
    commands: Vec<u32>,
    sequence: u32,
}

impl Client {
    /// Finds the driver.
    pub fn connect() -> Result<Self, Error> {
        let mut socket = Socket::new(NETLINK_GENERIC)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        socket.set_ext_ack(true)?;
        socket.set_cap_ack(true)?;
        let mut client = Self {
            socket,
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
        let answers = match self.ask(question, NLM_F_ACK) {
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
        self.ask(Message::new(command, attributes), NLM_F_ACK)
            .map(drop)
    }

    /// Has something listed; each entry is one message's attributes.
    pub fn dump(&mut self, command: Command) -> Result<Vec<Vec<Attribute>>, Error> {
        self.knows(command)?;
        for _ in 0..ATTEMPTS {
            match self.ask(Message::new(command, Vec::new()), NLM_F_DUMP) {
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
        header.flags = NLM_F_REQUEST | flags;
        header.sequence_number = self.sequence;
        let mut packet = NetlinkMessage::new(header, NetlinkPayload::from(message));
        packet.finalize();
        let mut bytes = vec![0; packet.buffer_len()];
        packet.serialize(&mut bytes);
        self.socket.send(&bytes, 0)?;

        let mut answers = Answers::new(self.sequence);
        while !answers.complete {
            let (datagram, sender) = self.socket.recv_from_full()?;
            // Other processes may write to this socket too.
            if sender.port_number() == 0 {
                answers.take(&datagram)?;
            }
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
mod tests {
    use super::*;

    /// A netlink message with a body of whole words.
    fn packet(kind: u16, flags: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
        let mut bytes = (16 + body.len() as u32).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend(sequence.to_ne_bytes());
        bytes.extend([0; 4]);
        bytes.extend(body);
        bytes
    }

    const ERROR: u16 = 2;
    const DONE: u16 = 3;
    const MULTI: u16 = 2;

    fn mark(child: u8, mark: u8) -> Vec<u8> {
        #[rustfmt::skip]
        let body = [
            7, 1, 0, 0,
            6, 0, 2, 0,  child, 0, 0, 0,
            8, 0, 3, 0,  mark, 0, 0, 0,
        ];
        body.to_vec()
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn a_list_comes_in_many_messages_and_ends_with_done() {
        let mut answers = Answers::<Message>::new(5);
        let mut datagram = packet(0x20, MULTI, 5, &mark(b'a', 1));
        datagram.extend(packet(0x20, MULTI, 5, &mark(b'b', 2)));
        answers.take(&datagram).unwrap();
        assert!(!answers.complete);
        // Of another question.
        answers
            .take(&packet(0x20, MULTI, 4, &mark(b'x', 9)))
            .unwrap();
        answers.take(&packet(DONE, MULTI, 5, &[0; 4])).unwrap();
        assert!(answers.complete && !answers.interrupted);
        let second = &answers.messages[1].attributes;
        assert_eq!(answers.messages.len(), 2);
        assert_eq!(
            *second,
            [Attribute::ChildDev("b".into()), Attribute::Mark(2)]
        );
    }

    #[test]
    fn a_list_that_changed_meanwhile_is_known() {
        let mut answers = Answers::<Message>::new(1);
        answers
            .take(&packet(DONE, MULTI | NLM_F_DUMP_INTR, 1, &[0; 4]))
            .unwrap();
        assert!(answers.complete && answers.interrupted);
    }

    #[test]
    fn a_refusal_carries_number_and_words() {
        let mut body = (-EPERM).to_ne_bytes().to_vec();
        body.extend([0; 16]);
        body.extend([8, 0, 1, 0, b'n', b'o', b'!', 0]);
        let mut answers = Answers::<Message>::new(1);
        let error = answers.take(&packet(ERROR, 0x300, 1, &body)).unwrap_err();
        assert_eq!(error.to_string(), "no! (Operation not permitted)");
        assert!(error.advice().unwrap().contains("CAP_NET_ADMIN"));

        let mut done = (-ENODEV).to_ne_bytes().to_vec();
        done.extend([8, 0, 1, 0, b'n', b'o', b'!', 0]);
        let mut answers = Answers::<Message>::new(1);
        let error = answers.take(&packet(DONE, MULTI, 1, &done)).unwrap_err();
        assert_eq!(error.to_string(), "no! (No such device)");
    }

    #[test]
    fn an_acknowledgement_completes() {
        let mut answers = Answers::<Message>::new(1);
        let mut body = vec![0; 4];
        body.extend([0; 16]);
        answers.take(&packet(ERROR, 0x100, 1, &body)).unwrap();
        assert!(answers.complete);
    }

    #[test]
    fn a_torn_answer_is_an_error() {
        let mut answers = Answers::<Message>::new(1);
        assert!(answers.take(&[1, 2, 3]).is_err());
        let mut torn = packet(0x20, MULTI, 1, &mark(b'a', 1));
        torn.truncate(20);
        assert!(answers.take(&torn).is_err());
    }
}
