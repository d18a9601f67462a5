// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sends random netlink requests to the driver, made from the specifications of its generic
//! netlink family and of its link kind. Prints the seed, the kernel's answers by errno, and
//! how many requests of each operation were accepted.

mod generate;
mod sockets;
mod specification;

use anyhow::{Context, Result};
use clap::Parser;
use fastrand::Rng;
use generate::{Generator, Subjects};
use netlink_sys::protocols::{NETLINK_GENERIC, NETLINK_ROUTE};
use sockets::Sockets;
use specification::Specification;
use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    process::ExitCode,
};

/// Requests after which the children are deleted.
const ROUND: u64 = 400;

/// Sends random netlink requests to the driver.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Number of requests, of both families together.
    #[arg(long, default_value_t = 2000)]
    messages: u64,
    /// Start of the random numbers: the same seed sends the same requests.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The interface that may have children.
    #[arg(long)]
    parent: String,
    /// Children that exist already; others have names that begin with f.
    #[arg(long)]
    child: Vec<String>,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("netlink: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Requests of one family.
struct Stream<'a> {
    specification: &'a Specification,
    generator: Generator<'a>,
    sockets: Sockets,
    accepted: Vec<u64>,
}

fn run(args: &Args) -> Result<()> {
    println!("seed {}", args.seed);
    let index = format!("/sys/class/net/{}/ifindex", args.parent);
    let index = fs::read_to_string(&index).with_context(|| index.clone())?;
    let mut children: Vec<_> = (0..3).map(|number| format!("f{number}")).collect();
    children.extend(args.child.iter().cloned());
    let subjects = Subjects {
        family: sockets::family("muennet")?,
        parent: (args.parent.clone(), index.trim().parse()?),
        children,
    };
    let mut random = Rng::with_seed(args.seed);
    let specifications = [
        (
            Specification::parse(specification::GENERIC)?,
            NETLINK_GENERIC,
        ),
        (Specification::parse(specification::LINKS)?, NETLINK_ROUTE),
    ];
    let mut streams = Vec::new();
    for (specification, protocol) in &specifications {
        streams.push(Stream {
            specification,
            generator: Generator::new(specification, &subjects, random.u64(..)),
            sockets: Sockets::new(*protocol, &mut random)?,
            accepted: vec![0; specification.operations.len()],
        });
    }
    let mut errnos = BTreeMap::<i32, u64>::new();
    let (mut sent, mut sequence) = (0, 0);
    while sent < args.messages {
        let which = random.usize(0..streams.len());
        let stream = &mut streams[which];
        let mut datagram = Vec::new();
        let mut expected = HashMap::new();
        let mut is_dump = false;
        // Several requests may come in one datagram.
        let count = if random.u32(0..8) == 0 {
            random.u64(2..5)
        } else {
            1
        };
        for _ in 0..count {
            sequence += 1;
            let request = stream.generator.request(sequence);
            datagram.resize(datagram.len().next_multiple_of(4), 0);
            datagram.extend(request.bytes);
            expected.extend(request.expected);
            is_dump |= request.is_dump;
        }
        sent += count;
        for answer in stream.sockets.send(&datagram, is_dump, &mut random)? {
            *errnos.entry(answer.errno).or_default() += 1;
            if let (0, Some(place)) = (answer.errno, expected.get(&answer.sequence)) {
                stream.accepted[*place] += 1;
            }
        }
        if sent % ROUND < count {
            delete_children(&subjects)?;
        }
    }
    for stream in &streams {
        for (operation, count) in stream.specification.operations.iter().zip(&stream.accepted) {
            println!("accepted {} {count}", operation.name);
        }
    }
    for (errno, count) in errnos {
        let why = io::Error::from_raw_os_error(errno);
        println!("answers {count}: {why}");
    }
    println!("sent {sent}");
    Ok(())
}

/// Deletes the children that have names of the kernel's choice, so that they do not become
/// more and more. Those of other names come and go by themselves.
fn delete_children(subjects: &Subjects) -> Result<()> {
    let mut socket = netlink_sys::Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    for entry in fs::read_dir("/sys/class/net")? {
        let folder = entry?.path();
        let read = |file: &str| -> Option<u32> {
            let text = fs::read_to_string(folder.join(file)).ok()?;
            text.trim().parse().ok()
        };
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let (Some(index), Some(link)) = (read("ifindex"), read("iflink")) else {
            continue;
        };
        if link != subjects.parent.1 || index == link || subjects.children.contains(&name.into()) {
            continue;
        }
        // struct nlmsghdr and struct ifinfomsg of RTM_DELLINK.
        let mut bytes = vec![0; 32];
        bytes[..8].copy_from_slice(&[32, 0, 0, 0, 17, 0, 1, 0]);
        bytes[20..24].copy_from_slice(&index.to_ne_bytes());
        socket.send_to(&bytes, &netlink_sys::SocketAddr::new(0, 0), 0)?;
    }
    Ok(())
}
