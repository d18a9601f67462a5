// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sends a file without a copy, by sendfile or MSG_ZEROCOPY, while another thread writes other
//! bytes into it: the pages change while the network device copies them.
#![expect(
    unsafe_code,
    reason = "no safe crate sends with MSG_ZEROCOPY from changing memory"
)]

use anyhow::{ensure, Context, Result};
use clap::{Parser, ValueEnum};
use rustix::fs::sendfile;
use std::{
    fs::{self, File, OpenOptions},
    io,
    net::{SocketAddr, TcpStream, UdpSocket},
    os::{
        fd::{AsRawFd, BorrowedFd},
        unix::fs::FileExt,
    },
    path::PathBuf,
    process::ExitCode,
    ptr,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

/// Bytes of the file.
const SIZE: usize = 1 << 20;
/// Bytes of a datagram.
const DATAGRAM: usize = 1400;

/// The ways to send the file.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Way {
    /// Over TCP, by sendfile.
    Sendfile,
    /// Over TCP, with MSG_ZEROCOPY.
    Zerocopy,
    /// Over UDP, with MSG_ZEROCOPY, in datagrams of 1400 bytes.
    Datagrams,
}

/// Sends a file while it changes, and prints the number of bytes.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Where a program listens.
    address: SocketAddr,
    /// The way to send it.
    #[arg(long, value_enum, default_value = "sendfile")]
    by: Way,
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
    let why = || format!("cannot connect to {}", args.address);
    if args.by == Way::Datagrams {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        socket.connect(args.address).with_context(why)?;
        return Pages::of(file)?.send(&socket, args.times, DATAGRAM);
    }
    let stream = TcpStream::connect(args.address).with_context(why)?;
    if args.by == Way::Zerocopy {
        return Pages::of(file)?.send(&stream, args.times, SIZE);
    }
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

/// The file's pages. This program looks at none of their bytes.
struct Pages(*mut libc::c_void);

impl Pages {
    fn of(file: &File) -> Result<Self> {
        let (file, shared) = (file.as_raw_fd(), libc::MAP_SHARED);
        // SAFETY: a new mapping of an open file, wherever the kernel puts it.
        let at = unsafe { libc::mmap(ptr::null_mut(), SIZE, libc::PROT_READ, shared, file, 0) };
        ensure!(
            at != libc::MAP_FAILED,
            "cannot map the file: {}",
            io::Error::last_os_error()
        );
        Ok(Self(at))
    }

    /// Sends the pages so many times, in pieces of at most `piece` bytes.
    fn send(&self, socket: &impl AsRawFd, times: u64, piece: usize) -> Result<u64> {
        let socket = socket.as_raw_fd();
        let on = 1;
        let (level, option) = (libc::SOL_SOCKET, libc::SO_ZEROCOPY);
        let value: *const libc::c_int = &on;
        // CAST: the size of an int.
        let length = size_of_val(&on) as libc::socklen_t;
        // SAFETY: the option takes an int.
        let set = unsafe { libc::setsockopt(socket, level, option, value.cast(), length) };
        ensure!(set == 0, "SO_ZEROCOPY: {}", io::Error::last_os_error());
        let mut sent = 0;
        for _ in 0..times {
            let mut at = 0;
            while at < SIZE {
                let length = piece.min(SIZE - at);
                // SAFETY: within the mapping, which lives as long as `self`; the kernel reads
                // it, at whatever time, and does not mind that it changes.
                let count = unsafe {
                    let from = self.0.cast::<u8>().add(at).cast();
                    libc::send(socket, from, length, libc::MSG_ZEROCOPY)
                };
                match usize::try_from(count) {
                    Ok(count) => at += count,
                    Err(_) => {
                        let error = io::Error::last_os_error();
                        // Too many pieces of which the end was not heard of.
                        ensure!(error.raw_os_error() == Some(libc::ENOBUFS), "{error}");
                        wait_for_news(socket)?;
                    }
                }
                hear(socket);
            }
            // CAST: a small constant.
            sent += at as u64;
        }
        Ok(sent)
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: mapped by `of`; nothing else points there.
        unsafe { libc::munmap(self.0, SIZE) };
    }
}

/// Takes what the kernel tells of pieces that it is done with.
fn hear(socket: libc::c_int) {
    let mut byte = 0_u8;
    let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
    // SAFETY: room for one byte.
    while unsafe { libc::recv(socket, ptr::addr_of_mut!(byte).cast(), 1, flags) } >= 0 {}
}

/// Waits until the kernel tells of such pieces.
fn wait_for_news(socket: libc::c_int) -> Result<()> {
    // SAFETY: open as long as its owner, which the caller has.
    let socket = unsafe { BorrowedFd::borrow_raw(socket) };
    let flags = rustix::event::PollFlags::ERR;
    rustix::event::poll(&mut [rustix::event::PollFd::new(&socket, flags)], None)?;
    Ok(())
}
