// SPDX-License-Identifier: MIT OR Apache-2.0
//! Several sockets to the kernel at once, some with little room and some that listen to
//! news; they are closed with answers unread and lists half told.

use anyhow::{Context, Result};
use fastrand::Rng;
use netlink_packet_core::{
    NetlinkHeader, NetlinkMessage, NetlinkPayload, NLM_F_ACK, NLM_F_REQUEST,
};
use netlink_packet_generic::{
    ctrl::{nlas::GenlCtrlAttrs, GenlCtrl, GenlCtrlCmd},
    GenlMessage,
};
use netlink_sys::{protocols::NETLINK_GENERIC, Socket, SocketAddr};

/// Sockets open at once.
const OPEN: usize = 4;
/// The group of news about links.
const LINKS: u32 = 1;

/// Headers of the kernel's answers.
const ERROR: u16 = 2;
const DONE: u16 = 3;

/// An answer: the sequence number of its request, and an errno or 0.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub sequence: u32,
    pub errno: i32,
}

/// The sockets.
#[derive(Debug)]
pub struct Sockets {
    protocol: isize,
    open: Vec<Socket>,
}

impl Sockets {
    pub fn new(protocol: isize, random: &mut Rng) -> Result<Self> {
        let open = (0..OPEN).map(|_| connect(protocol, random));
        Ok(Self {
            protocol,
            open: open.collect::<Result<_>>()?,
        })
    }

    /// Sends a datagram on one of the sockets; gives the answers that are read.
    pub fn send(&mut self, bytes: &[u8], is_dump: bool, random: &mut Rng) -> Result<Vec<Answer>> {
        let place = random.usize(0..OPEN);
        let socket = &self.open[place];
        // What the kernel does not even take is one more answer.
        let _ = socket.send(bytes, 0);
        let mut answers = Vec::new();
        // A list is cut off more often than it is read.
        match random.u32(0..if is_dump { 4 } else { 40 }) {
            0 => self.open[place] = connect(self.protocol, random)?,
            1 => {
                let mut little = Vec::with_capacity(random.usize(1..64));
                let _ = socket.recv(&mut little, 0);
            }
            2 => {}
            _ => {
                let mut datagram = Vec::with_capacity(64 << 10);
                while socket.recv(&mut datagram, 0).is_ok_and(|length| length > 0) {
                    answers.extend(parse(&datagram));
                    datagram.clear();
                }
            }
        }
        Ok(answers)
    }
}

fn connect(protocol: isize, random: &mut Rng) -> Result<Socket> {
    let mut socket = Socket::new(protocol).context("no netlink")?;
    socket.bind_auto()?;
    socket.set_non_blocking(true)?;
    socket.connect(&SocketAddr::new(0, 0))?;
    socket.set_ext_ack(random.bool())?;
    socket.set_cap_ack(random.bool())?;
    socket.set_netlink_get_strict_chk(random.bool())?;
    if random.u32(0..4) == 0 {
        socket.set_rx_buf_sz(1_u32)?;
    }
    if protocol != NETLINK_GENERIC && random.u32(0..4) == 0 {
        socket.add_membership(LINKS)?;
    }
    Ok(socket)
}

/// The errors, acknowledgements and ends of lists in a datagram.
fn parse(mut datagram: &[u8]) -> Vec<Answer> {
    let mut answers = Vec::new();
    while let Some((header, rest)) = datagram.split_first_chunk::<16>() {
        let word = |at: usize| u32::from_ne_bytes([0, 1, 2, 3].map(|byte| header[at + byte]));
        let kind = u16::from_ne_bytes([header[4], header[5]]);
        if let (ERROR | DONE, Some(code)) = (kind, rest.first_chunk()) {
            answers.push(Answer {
                sequence: word(8),
                errno: i32::from_ne_bytes(*code).saturating_abs(),
            });
        }
        let length = (word(0) as usize).next_multiple_of(4).max(16);
        datagram = datagram.get(length..).unwrap_or_default();
    }
    answers
}

/// The number of the driver's generic netlink family.
pub fn family(name: &str) -> Result<u16> {
    let mut message = GenlMessage::from_payload(GenlCtrl {
        cmd: GenlCtrlCmd::GetFamily,
        nlas: vec![GenlCtrlAttrs::FamilyName(name.to_owned())],
    });
    message.finalize();
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_ACK;
    let mut packet = NetlinkMessage::new(header, NetlinkPayload::from(message));
    packet.finalize();
    let mut bytes = vec![0; packet.buffer_len()];
    packet.serialize(&mut bytes);
    let mut socket = Socket::new(NETLINK_GENERIC)?;
    socket.bind_auto()?;
    socket.send_to(&bytes, &SocketAddr::new(0, 0), 0)?;
    let (datagram, _) = socket.recv_from_full()?;
    let answer = NetlinkMessage::<GenlMessage<GenlCtrl>>::deserialize(&datagram)?;
    let NetlinkPayload::InnerMessage(answer) = answer.payload else {
        anyhow::bail!("the kernel knows no family \"{name}\"");
    };
    let id = answer
        .payload
        .nlas
        .iter()
        .find_map(|attribute| match attribute {
            GenlCtrlAttrs::FamilyId(id) => Some(*id),
            _ => None,
        });
    id.with_context(|| format!("the family \"{name}\" has no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_found_and_torn_ones_end_the_search() {
        let mut datagram = Vec::new();
        for (kind, sequence, code) in [(ERROR, 5_u32, -22_i32), (0x10, 6, 1), (DONE, 7, 0)] {
            datagram.extend(20_u32.to_ne_bytes());
            datagram.extend(kind.to_ne_bytes());
            datagram.extend([0, 0]);
            datagram.extend(sequence.to_ne_bytes());
            datagram.extend([0; 4]);
            datagram.extend(code.to_ne_bytes());
        }
        let answer = |sequence, errno| Answer { sequence, errno };
        assert_eq!(parse(&datagram), [answer(5, 22), answer(7, 0)]);
        assert_eq!(parse(&datagram[..50]), [answer(5, 22)]);
    }
}
