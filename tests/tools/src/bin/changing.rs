// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sends a file over TCP without a copy, by sendfile, while another thread writes other bytes
//! into it: the pages change while the network device copies them.

use anyhow::{ensure, Context, Result};
use clap::Parser;
use rustix::fs::sendfile;
use std::{
    fs::{self, File, OpenOptions},
    net::{SocketAddr, TcpStream},
    os::unix::fs::FileExt,
    path::PathBuf,
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

/// Bytes of the file.
const SIZE: usize = 1 << 20;

/// Sends a file by sendfile while it changes, and prints the number of bytes.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Where a program listens.
    address: SocketAddr,
    /// Number of times that the file is sent.
    #[arg(long, default_value_t = 8)]
    times: u64,
    /// The file, which is made, and removed at the end.
    #[arg(long, default_value = "/tmp/changing")]
    file: PathBuf,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(sent) => {
            println!("{sent}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("changing: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<u64> {
    let path = &args.file;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .with_context(|| path.display().to_string())?;
    file.write_all_at(&[0; SIZE], 0)?;
    let over = AtomicBool::new(false);
    let sent = thread::scope(|scope| {
        let writer = scope.spawn(|| change(&file, &over));
        let sent = send(args, &file);
        over.store(true, Ordering::Relaxed);
        let written = writer.join().ok().context("the writer failed")?;
        ensure!(written? > 0, "nothing was changed meanwhile");
        sent
    });
    fs::remove_file(path)?;
    sent
}

/// Writes the file anew, with other bytes each time; gives how often.
fn change(file: &File, over: &AtomicBool) -> Result<u64> {
    let mut times = 0_u64;
    while !over.load(Ordering::Relaxed) {
        times += 1;
        let [byte, ..] = times.to_le_bytes();
        file.write_all_at(&[byte; SIZE], 0)?;
    }
    Ok(times)
}

fn send(args: &Args, file: &File) -> Result<u64> {
    let stream = TcpStream::connect(args.address)
        .with_context(|| format!("cannot connect to {}", args.address))?;
    let mut sent = 0;
    for _ in 0..args.times {
        let mut at = 0;
        // CAST: a small constant.
        while at < SIZE as u64 {
            let left = SIZE - at as usize;
            ensure!(
                sendfile(&stream, file, Some(&mut at), left)? > 0,
                "the file ended"
            );
        }
        sent += at;
    }
    Ok(sent)
}
