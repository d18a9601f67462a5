// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sends frames of all lengths to a peer that sends every frame back, and compares each.

use anyhow::{bail, ensure, Context, Result};
use clap::Parser;
use muennet_core::{
    channel::Peer,
    framing::{Ethernet, Meta},
    link::{Link, Received, Receiver, Sender},
};
use muennet_host::{attach::ChannelArgs, epoch};
use std::{
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

/// Sends frames to a peer that sends them back.
#[derive(Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    channels: ChannelArgs,
    /// Frames to send.
    #[arg(long, default_value_t = 100_000)]
    count: u64,
}

/// Frames on their way at any time: far fewer than a channel holds.
const WINDOW: u64 = 256;
/// Bytes of the shortest and of the longest frame.
const SHORTEST: u64 = 14;
const LONGEST: u64 = 1514;
/// Without a frame for this time the peer does not echo.
const TIMEOUT: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echoed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let attachment = args.channels.attach()?;
    let framing = Ethernet::new(1500)?;
    let (reading, writing) = (args.channels.reader_protocol, args.channels.writer_protocol);
    let mut link = Link {
        rx: Receiver::new(attachment.input, reading, framing).context("channel to read")?,
        tx: Sender::new(attachment.output, writing, framing, attachment.ringer)
            .context("channel to write")?,
    };
    link.activate(epoch::random());
    let mut buffer = [0; LONGEST as usize];
    let (mut sent, mut back) = (0, 0);
    let mut last = Instant::now();
    while back < args.count {
        let is_up = matches!(link.peer(), Peer::Up { .. });
        let before = (sent, back);
        while is_up && sent < args.count && sent < back + WINDOW {
            link.tx.write(&[&frame(sent)], Meta::default())?;
            sent += 1;
        }
        if sent > before.0 {
            link.tx.notify();
        }
        loop {
            match link.receive(&mut &mut buffer[..]) {
                Received::Frame(found) => {
                    ensure!(
                        buffer[..found.len] == frame(back)[..],
                        "frame {back} came back as {} other bytes",
                        found.len
                    );
                    back += 1;
                }
                Received::NewEpoch { .. } => {}
                Received::Empty | Received::Inactive => break,
                other => bail!("instead of frame {back}: {other:?}"),
            }
        }
        if (sent, back) != before {
            last = Instant::now();
        } else {
            ensure!(
                last.elapsed() < TIMEOUT,
                "of {sent} frames {back} came back, and no more"
            );
            thread::sleep(args.channels.poll());
        }
    }
    println!("{back} frames of {SHORTEST} to {LONGEST} bytes came back, each as it was sent");
    Ok(())
}

/// The frame of a number: its length and all of its bytes say which it is.
fn frame(number: u64) -> Vec<u8> {
    let len = SHORTEST + number.wrapping_mul(0x9e37_79b9) % (LONGEST - SHORTEST + 1);
    (0..len)
        .map(|at| (number.wrapping_mul(31) ^ at.wrapping_mul(7) ^ (number >> 8)) as u8)
        .collect()
}
