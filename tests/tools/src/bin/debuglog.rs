// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads the log of a subject by Muen's log protocol, as Muen's log server does: elements of
//! 64 bytes, a timestamp and 56 characters; a message ends with LF, or when all 56 are used.

use anyhow::{bail, ensure, Result};
use clap::Parser;
use muennet_core::{
    framing::Raw,
    link::{Received, Receiver},
};
use muennet_host::ivshmem::client::Client;
use std::{io::Write, num::NonZeroU64, path::PathBuf, process::ExitCode, thread, time::Duration};

/// Prints what a subject logs, line by line.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The socket of the subject that reads.
    #[arg(long)]
    ivshmem: PathBuf,
    /// The channel.
    #[arg(long, default_value = "debuglog")]
    channel: String,
}

const PROTOCOL: NonZeroU64 = NonZeroU64::new(0xf007_8909_4b6f_70cf).unwrap();
const TIMESTAMP: usize = 8;
const TEXT: usize = 56;
/// Time between looks: the channel has no event.
const LOOK: Duration = Duration::from_millis(5);

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("debuglog: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let client = Client::connect(&args.ivshmem)?;
    let framing = Raw::new((TIMESTAMP + TEXT) as u16)?;
    let mut receiver = Receiver::new(client.input(&args.channel)?, PROTOCOL, framing)?;
    let connection = client.into_connection();
    let mut out = std::io::stdout().lock();
    writeln!(out, "reading")?;
    let mut last = 0;
    while !connection.has_ended() {
        let mut element = [0; TIMESTAMP + TEXT];
        match receiver.receive(&mut &mut element[..]) {
            Received::Frame(_) => last = message(&element, last, &mut out)?,
            Received::NewEpoch { .. } => last = 0,
            Received::Overrun { lost } => bail!("{lost} messages were overwritten"),
            Received::Rejected(reject) => bail!("no message: {reject:?}"),
            Received::Faulty(fault) => bail!("not Muen's log: {fault}"),
            Received::Empty | Received::Inactive => {
                out.flush()?;
                thread::sleep(LOOK);
            }
        }
    }
    Ok(())
}

/// Prints a message's text; gives its timestamp, which must not be older than the `last`.
fn message(element: &[u8; TIMESTAMP + TEXT], last: u64, out: &mut impl Write) -> Result<u64> {
    let (timestamp, text) = element.split_at(TIMESTAMP);
    let timestamp = u64::from_le_bytes(timestamp.try_into()?);
    ensure!(timestamp >= last, "timestamp {timestamp} follows {last}");
    let end = text.iter().position(|byte| *byte == b'\n');
    let len = end.map_or(TEXT, |end| end + 1);
    let (text, padding) = text.split_at(len);
    ensure!(
        !text.contains(&0) && padding.iter().all(|byte| *byte == 0),
        "the message {:?} ends before its LF, or goes on behind",
        element.escape_ascii().to_string()
    );
    out.write_all(text)?;
    Ok(timestamp)
}
