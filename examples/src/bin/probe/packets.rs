// SPDX-License-Identifier: MIT OR Apache-2.0
//! Packets as an interface has them, by AF_PACKET.

use anyhow::{ensure, Context, Result};
use clap::Subcommand;
use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, Socket, Type};
use std::{
    io::{Read, Write},
    time::Duration,
};

/// Which way.
#[derive(Subcommand)]
pub enum Direction {
    /// Send one packet, of bytes that its length alone decides.
    Send {
        /// The interface.
        interface: String,
        /// Its length.
        #[arg(long, required_unless_present = "hex")]
        bytes: Option<usize>,
        /// The packet instead, as hexadecimal digits.
        #[arg(long, conflicts_with = "bytes")]
        hex: Option<String>,
    },
    /// Receive packets, and say how many of their bytes are as `send` makes them.
    Receive {
        /// The interface.
        interface: String,
        /// Number of packets.
        #[arg(long)]
        count: usize,
    },
}

/// No packet for so long means that none comes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Does it, and says what came of it.
pub fn run(direction: Direction) -> Result<String> {
    match direction {
        Direction::Send {
            interface,
            bytes,
            hex,
        } => {
            let packet = match hex {
                Some(hex) => parse(&hex)?,
                None => made(bytes.unwrap_or_default()),
            };
            open(&interface)?.write_all(&packet)?;
            Ok(format!("{} bytes sent", packet.len()))
        }
        Direction::Receive { interface, count } => {
            let mut socket = open(&interface)?;
            socket.set_read_timeout(Some(PATIENCE))?;
            println!("waiting");
            let mut buffer = vec![0; 1 << 16];
            for _ in 0..count {
                let len = socket.read(&mut buffer).context("no packet")?;
                println!("{}", described(&buffer[..len]));
            }
            Ok("done".to_owned())
        }
    }
}

/// A packet that tells its length: no byte of it is 0.
fn made(len: usize) -> Vec<u8> {
    (0..len).map(|at| 1 + (at * 7 % 255) as u8).collect()
}

fn described(packet: &[u8]) -> String {
    let same = packet
        .iter()
        .zip(made(packet.len()))
        .take_while(|(byte, made)| **byte == *made)
        .count();
    let rest = if packet[same..].iter().all(|byte| *byte == 0) {
        "zeros"
    } else {
        "others"
    };
    format!("{} bytes, {same} as sent, then {rest}", packet.len())
}

fn parse(hex: &str) -> Result<Vec<u8>> {
    ensure!(
        hex.len().is_multiple_of(2) && hex.bytes().all(|digit| digit.is_ascii_hexdigit()),
        "not pairs of hexadecimal digits"
    );
    (0..hex.len())
        .step_by(2)
        .map(|at| Ok(u8::from_str_radix(&hex[at..at + 2], 16)?))
        .collect()
}

/// A socket with the packets of one interface.
#[expect(unsafe_code, reason = "socket2 makes no address of packet(7)")]
fn open(interface: &str) -> Result<Socket> {
    let index = rustix::net::netdevice::name_to_index(
        Socket::new(Domain::UNIX, Type::DGRAM, None)?,
        interface,
    )
    .with_context(|| format!("there is no interface {interface}"))?;
    let all = (libc::ETH_P_ALL as u16).to_be();
    let socket = Socket::new(
        Domain::PACKET,
        Type::RAW,
        Some(Protocol::from(i32::from(all))),
    )?;
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: the storage has room for an address of any family, and any bytes
    // make one; it is filled in as packet(7) says.
    let address = unsafe {
        let link = storage.view_as::<libc::sockaddr_ll>();
        link.sll_family = libc::AF_PACKET as u16;
        link.sll_protocol = all;
        link.sll_ifindex = index as i32;
        SockAddr::new(storage, size_of::<libc::sockaddr_ll>() as libc::socklen_t)
    };
    socket.bind(&address)?;
    Ok(socket)
}
