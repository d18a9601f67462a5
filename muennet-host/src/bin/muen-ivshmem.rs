// SPDX-License-Identifier: MIT OR Apache-2.0
//! Plays the separation kernel for QEMU: serves a policy's subjects.

use anyhow::{Context, Result};
use clap::Parser;
use muennet_core::sinfo::MemoryKind;
use muennet_host::{
    ivshmem::server::Server,
    layout::Layout,
    log::Log,
    policy::Policy,
    printable::{one_line, printable},
};
use std::{
    io::{self, ErrorKind, Write},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::ExitCode,
};

/// Lines about subjects that come and go which the log holds until somebody reads them.
const ROOM: usize = 1000;

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
            // A closed stream is no reason for another status.
            let error = printable(format!("{error:#}"));
            let _ = writeln!(io::stderr(), "muen-ivshmem: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let file = args.policy.display();
    let text = std::fs::read_to_string(&args.policy).with_context(|| format!("{file}"))?;
    let policy = Policy::parse(&text).with_context(|| format!("{file}"))?;
    let channels: Vec<_> = describe(
        &policy,
        &Layout::new(&policy).with_context(|| format!("{file}"))?,
    )
    .iter()
    .map(one_line)
    .collect();
    let Some(folder) = args.dir.as_ref().filter(|_| !args.check) else {
        let text = channels.join("\n") + "\n";
        return match io::stdout().write_all(text.as_bytes()) {
            // Whoever read it has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            written => Ok(written?),
        };
    };

    let (stop, stopper) = UnixStream::pair()?;
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::low_level::pipe::register(signal, stopper.try_clone()?)?;
    }
    let mut server = Server::new(policy, folder).with_context(|| format!("{file}"))?;
    if args.observe {
        server.observe(folder)?;
    }
    let vectors = server.policy().most_vectors().max(1);
    let subjects = server.policy().subjects.iter().enumerate();
    let subjects = subjects.map(|(number, name)| {
        format!(
            "subject {name}, peer {number}: -chardev socket,path={},id=ivshmem \
             -device ivshmem-doorbell,chardev=ivshmem,vectors={vectors}",
            server.socket(number).display(),
        )
    });
    let lines: Vec<_> = channels.into_iter().chain(subjects).collect();
    let log = Log::new(io::stdout(), ROOM + lines.len());
    lines.iter().for_each(|line| log.say(&one_line(line)));
    server.run(&stop, |event| log.say(&one_line(event)))
}

/// The region and what lies in it, a line each.
fn describe(policy: &Policy, layout: &Layout) -> Vec<String> {
    let mut lines = vec![format!(
        "region of {} bytes, subject information of version {}",
        layout.size,
        policy.sinfo_version.number()
    )];
    for (channel, offset) in policy.channels.iter().zip(&layout.offsets) {
        lines.push(format!(
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
        ));
    }
    lines
}
