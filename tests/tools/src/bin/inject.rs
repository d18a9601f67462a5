// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sends frames to a machine, as many as it is told on its standard input: by a
//! channel, all at once under one event, or to the socket of a QEMU network device.

use anyhow::{Context, Result};
use clap::Parser;
use muennet_core::{
    framing::{Ethernet, Meta},
    link::Sender,
};
use muennet_host::{attach::protocol, epoch, ivshmem::client::Client};
use std::{
    io::{BufRead, Write},
    num::NonZeroU64,
    os::unix::net::UnixDatagram,
    path::PathBuf,
    process::ExitCode,
};

/// Reads lines of two numbers, frames and bytes, and sends so many frames of that length.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Be a subject of muen-ivshmem, by its socket.
    #[arg(long, requires = "channel", required_unless_present = "datagram")]
    ivshmem: Option<PathBuf>,
    /// The channel to write.
    #[arg(long)]
    channel: Option<String>,
    /// Its protocol, hexadecimal.
    #[arg(long, default_value = "7ade5c549b08e814", value_parser = protocol)]
    protocol: NonZeroU64,
    /// Send to this socket of a QEMU network device instead.
    #[arg(long)]
    datagram: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("inject: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A broadcast frame of a protocol that nobody listens to: it costs the receiver no
/// more than receiving it (IEEE's ethertype for local experiments).
fn frame(len: usize) -> Vec<u8> {
    let mut frame = vec![0x5a; len];
    frame[..14].copy_from_slice(&[
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 0x88, 0xb5,
    ]);
    frame
}

/// Sends a frame so many times.
type Send = Box<dyn FnMut(usize, &[u8]) -> Result<()>>;

fn run(args: &Args) -> Result<()> {
    let mut send: Send = match &args.datagram {
        Some(path) => {
            let socket = UnixDatagram::unbound()?;
            socket
                .connect(path)
                .with_context(|| path.display().to_string())?;
            Box::new(move |count, frame| {
                (0..count).try_for_each(|_| socket.send(frame).map(drop))?;
                Ok(())
            })
        }
        None => {
            let socket = args.ivshmem.as_deref().context("give --ivshmem")?;
            let channel = args.channel.as_deref().context("give --channel")?;
            let client = Client::connect(socket)?;
            let mut sender = Sender::new(
                client.output(channel)?,
                args.protocol,
                Ethernet::new(1500)?,
                client.notifier(channel)?,
            )?;
            sender.activate(epoch::random());
            Box::new(move |count, frame| {
                let _subject = &client;
                for _ in 0..count {
                    sender.write(&[frame], Meta::default())?;
                }
                sender.notify();
                Ok(())
            })
        }
    };
    println!("ready");
    std::io::stdout().flush()?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (count, len) = line.split_once(' ').context("<frames> <bytes>")?;
        send(count.parse()?, &frame(len.parse()?))?;
    }
    Ok(())
}
