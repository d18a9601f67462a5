// SPDX-License-Identifier: MIT OR Apache-2.0
//! Plays the separation kernel for QEMU: serves a policy's subjects.

use anyhow::{Context, Result};
use clap::Parser;
use muennet_core::sinfo::MemoryKind;
use muennet_host::{ivshmem::server::Server, layout::Layout, policy::Policy};
use std::{os::unix::net::UnixStream, path::PathBuf, process::ExitCode};

/// Plays the Muen separation kernel for QEMU: lays out the channels of a policy in
/// shared memory and serves every subject on a socket of its own.
#[derive(Parser)]
#[command(
    version,
    after_help = "Example:\n  muen-ivshmem --policy one-wire.toml --dir /run/muen"
)]
struct Args {
    /// The policy: subjects and channels, in TOML.
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,

    /// Where the subjects' sockets are made.
    #[arg(long, value_name = "FOLDER", required_unless_present = "check")]
    dir: Option<PathBuf>,

    /// Let muennet-host inspect look at the channels, by the socket "observe" there.
    #[arg(long)]
    observe: bool,

    /// Check the policy, print the layout and leave.
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("muen-ivshmem: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let file = args.policy.display();
    let text = std::fs::read_to_string(&args.policy).with_context(|| format!("{file}"))?;
    let policy = Policy::parse(&text).with_context(|| format!("{file}"))?;
    print_channels(
        &policy,
        &Layout::new(&policy).with_context(|| format!("{file}"))?,
    );
    let Some(folder) = args.dir.as_ref().filter(|_| !args.check) else {
        return Ok(());
    };

    let (stop, stopper) = UnixStream::pair()?;
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::low_level::pipe::register(signal, stopper.try_clone()?)?;
    }
    let mut server = Server::new(policy, folder).with_context(|| format!("{file}"))?;
    if args.observe {
        server.observe(folder)?;
    }
    for (number, name) in server.policy().subjects.iter().enumerate() {
        println!(
            "subject {name}, peer {number}: -chardev socket,path={},id=ivshmem \
             -device ivshmem-doorbell,chardev=ivshmem,vectors={}",
            server.socket(number).display(),
            server.policy().most_vectors().max(1)
        );
    }
    server.run(&stop, |event| println!("{event}"))
}

fn print_channels(policy: &Policy, layout: &Layout) {
    println!("region of {} bytes", layout.size);
    for (channel, offset) in policy.channels.iter().zip(&layout.offsets) {
        println!(
            "{} {}: {} bytes at {offset:#x}, {} -> {}{}",
            match channel.kind {
                MemoryKind::Channel => "channel",
                _ => "memory",
            },
            channel.name,
            channel.size,
            policy.subjects[channel.writer],
            policy.subjects[channel.reader],
            if channel.event { ", event" } else { "" }
        );
    }
}
