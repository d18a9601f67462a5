// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random frames for a bridge: from the channel's side, elements with any bytes and any length
//! word; from the interface's side, frames of any length and content. The same seed sends the
//! same frames.
#![expect(unsafe_code, reason = "no safe crate sends frames to an interface")]

use anyhow::{ensure, Result};
use clap::{Parser, Subcommand};
use fastrand::Rng;
use muennet_core::{
    framing::{Meta, Raw},
    link::Sender,
};
use muennet_host::{attach::protocol, epoch, ivshmem::client::Client};
use std::{
    ffi::CString,
    io::{self, BufRead},
    num::NonZeroU64,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    path::PathBuf,
    process::ExitCode,
    thread,
    time::Duration,
};

/// Bytes of a frame in an element, and of its length word behind.
const FRAME: usize = 1514;
const ELEMENT: usize = FRAME + 2;
/// Elements between two events, and the pause after them: the reader loses few.
const BURST: u64 = 64;
const PAUSE: Duration = Duration::from_micros(300);

/// Sends random frames.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Number of frames.
    #[arg(long)]
    count: u64,
    /// Start of the random numbers.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(subcommand)]
    to: To,
}

#[derive(Subcommand)]
enum To {
    /// Write elements to a channel, then say "told"; for each line of the standard input send
    /// one good frame.
    Channel {
        /// The subject's socket, of muen-ivshmem.
        #[arg(long)]
        ivshmem: PathBuf,
        /// The channel.
        #[arg(long)]
        channel: String,
        /// Its protocol, hexadecimal.
        #[arg(long, default_value = "7ade5c549b08e814", value_parser = protocol)]
        protocol: NonZeroU64,
    },
    /// Send frames on an interface.
    Interface {
        /// Its name.
        name: String,
    },
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("frames: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let mut random = Rng::with_seed(args.seed);
    match &args.to {
        To::Channel {
            ivshmem,
            channel,
            protocol,
        } => to_channel(args.count, &mut random, ivshmem, channel, *protocol),
        To::Interface { name } => to_interface(args.count, &mut random, name),
    }
}

/// Bytes that begin like a frame, more or less often.
fn content(random: &mut Rng, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    random.fill(&mut bytes);
    let ethertype =
        [0x0800_u16, 0x86dd, 0x0806, 0x8100, 0x88a8, 0x0003, 0xffff][random.usize(0..7)];
    if length >= 14 && random.u32(0..4) > 0 {
        // Locally administered addresses, or everybody's.
        bytes[0] = [0x02, 0xff, 0x33][random.usize(0..3)];
        bytes[6] = 0x02;
        bytes[12..14].copy_from_slice(&ethertype.to_be_bytes());
    }
    if length > 14 && random.bool() {
        bytes[14] = [0x45, 0x4f, 0x60, 0x41][random.usize(0..4)];
    }
    bytes
}

/// A broadcast frame of IEEE's ethertype for local experiments.
fn good() -> Vec<u8> {
    let mut element = vec![0x5a; ELEMENT];
    element[..14].copy_from_slice(&[
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 0x88, 0xb5,
    ]);
    element[FRAME..].copy_from_slice(&60_u16.to_le_bytes());
    element
}

fn to_channel(
    count: u64,
    random: &mut Rng,
    ivshmem: &std::path::Path,
    channel: &str,
    protocol: NonZeroU64,
) -> Result<()> {
    let client = Client::connect(ivshmem)?;
    let framing = Raw::new(ELEMENT.try_into()?)?;
    let (output, notifier) = (client.output(channel)?, client.notifier(channel)?);
    let mut sender = Sender::new(output, protocol, framing, notifier)?;
    sender.activate(epoch::random());
    for number in 0..count {
        let mut element = content(random, ELEMENT);
        let length: u16 = match random.u32(0..8) {
            0 => random.u16(..),
            1 => random.u16(0..14),
            2 => [13, 14, 1513, 1514, 1515, u16::MAX][random.usize(0..6)],
            _ => random.u16(14..=1514),
        };
        element[FRAME..].copy_from_slice(&length.to_le_bytes());
        sender.write(&[&element], Meta::default())?;
        if number % BURST == BURST - 1 {
            sender.notify();
            thread::sleep(PAUSE);
        }
    }
    sender.notify();
    println!("told");
    for line in io::stdin().lock().lines() {
        line?;
        sender.send(&[&good()], Meta::default())?;
    }
    Ok(())
}

fn to_interface(count: u64, random: &mut Rng, name: &str) -> Result<()> {
    let text = CString::new(name)?;
    // SAFETY: a NUL-terminated text.
    let index = unsafe { libc::if_nametoindex(text.as_ptr()) };
    ensure!(index > 0, "there is no interface {name}");
    // SAFETY: a new descriptor, or -1.
    let socket = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
    ensure!(
        socket >= 0,
        "no packet socket: {}",
        io::Error::last_os_error()
    );
    // SAFETY: opened above, and owned by nobody else.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    // SAFETY: of integers, for which zeros are fine.
    let mut to: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    // CAST: small constants.
    to.sll_family = libc::AF_PACKET as u16;
    to.sll_ifindex = index.try_into()?;
    let size = size_of_val(&to) as libc::socklen_t;
    let mut sent = 0_u64;
    for number in 0..count {
        let length = [14, 15, 59, 60, 1514, 1515, 1518, random.usize(14..1600)][random.usize(0..8)];
        let bytes = content(random, length);
        let at: *const libc::sockaddr_ll = &to;
        // SAFETY: as many bytes as are said, and an address of its size.
        let taken = unsafe {
            let (from, fd) = (bytes.as_ptr().cast(), socket.as_raw_fd());
            libc::sendto(fd, from, bytes.len(), 0, at.cast(), size)
        };
        // Linux refuses those that are longer than the interface's.
        sent += u64::from(taken >= 0);
        if number % BURST == BURST - 1 {
            thread::sleep(PAUSE);
        }
    }
    ensure!(sent > 0, "{name} took none");
    println!("sent {sent} of {count}");
    Ok(())
}
