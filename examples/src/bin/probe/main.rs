// SPDX-License-Identifier: MIT OR Apache-2.0
//! Asks an echo server and compares what comes back.

mod packets;

use anyhow::{bail, ensure, Context, Result};
use clap::{Parser, Subcommand};
use sha2::{Digest, Sha256};
use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream, UdpSocket},
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

/// Asks an echo server and compares what comes back.
#[derive(Parser)]
#[command(version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Send bytes over TCP and compare checksums.
    Tcp {
        /// The server.
        server: SocketAddr,
        /// Bytes to send.
        #[arg(long, default_value_t = 10 << 20)]
        bytes: usize,
    },
    /// Send a datagram of every size over UDP and compare each.
    Udp {
        /// The server.
        server: SocketAddr,
        /// The largest size in bytes.
        #[arg(long, default_value_t = 1472)]
        to: usize,
    },
    /// Send or receive an interface's packets as they are (AF_PACKET).
    Packets {
        #[command(subcommand)]
        direction: packets::Direction,
    },
}

/// No answer for so long means that there is none.
const PATIENCE: Duration = Duration::from_secs(30);
/// Datagrams may get lost; each is sent at most so often.
const TRIES: usize = 10;

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Tcp { server, bytes } => tcp(server, bytes),
        Command::Udp { server, to } => udp(server, to),
        Command::Packets { direction } => packets::run(direction),
    };
    match result {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("probe: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Bytes that do not repeat soon (xorshift64).
struct Stream(u64);

impl Stream {
    fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            chunk.copy_from_slice(&self.0.to_le_bytes()[..chunk.len()]);
        }
    }
}

fn tcp(server: SocketAddr, bytes: usize) -> Result<String> {
    let start = Instant::now();
    let mut socket = TcpStream::connect_timeout(&server, PATIENCE).context("cannot connect")?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    let mut sending = socket.try_clone()?;
    let sender = thread::spawn(move || -> Result<_> {
        let (mut stream, mut hash) = (Stream(0x9e37_79b9_7f4a_7c15), Sha256::new());
        let mut buffer = [0; 16 * 1024];
        let mut left = bytes;
        while left > 0 {
            let len = left.min(buffer.len());
            stream.fill(&mut buffer[..len]);
            hash.update(&buffer[..len]);
            sending.write_all(&buffer[..len]).context("cannot send")?;
            left -= len;
        }
        sending.shutdown(Shutdown::Write)?;
        Ok(hash.finalize())
    });
    let (mut hash, mut count) = (Sha256::new(), 0);
    let mut buffer = [0; 16 * 1024];
    loop {
        match socket.read(&mut buffer).context("no answer")? {
            0 => break,
            len => {
                hash.update(&buffer[..len]);
                count += len;
            }
        }
    }
    let sent = match sender.join() {
        Ok(sent) => sent?,
        Err(_) => bail!("the sending thread failed"),
    };
    let received = hash.finalize();
    ensure!(count == bytes, "sent {bytes} bytes and got {count} back");
    ensure!(
        sent == received,
        "the checksums differ: {sent:x} sent, {received:x} received"
    );
    let seconds = start.elapsed().as_secs_f64();
    let rate = 2.0 * bytes as f64 / seconds / 1e6;
    Ok(format!(
        "tcp: {bytes} bytes there and back in {seconds:.2} s ({rate:.1} MB/s), sha256 {sent:x}"
    ))
}

fn udp(server: SocketAddr, to: usize) -> Result<String> {
    let any = if server.is_ipv4() {
        "0.0.0.0:0"
    } else {
        "[::]:0"
    };
    let socket = UdpSocket::bind(any)?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(PATIENCE / TRIES as u32))?;
    let mut resent = 0;
    let mut stream = Stream(0x2545_f491_4f6c_dd1d);
    for size in 1..=to {
        let mut datagram = vec![0; size];
        stream.fill(&mut datagram);
        resent += ask(&socket, &datagram).with_context(|| format!("datagram of {size} bytes"))?;
    }
    Ok(format!(
        "udp: {to} datagrams of 1 to {to} bytes compared, {resent} sent again"
    ))
}

/// Sends a datagram until it comes back; says how often it was sent again.
fn ask(socket: &UdpSocket, datagram: &[u8]) -> Result<usize> {
    let mut answer = vec![0; 65536];
    for again in 0..TRIES {
        socket.send(datagram)?;
        match socket.recv(&mut answer) {
            Ok(len) => {
                ensure!(answer[..len] == *datagram, "{len} other bytes came back");
                return Ok(again);
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error.into()),
        }
    }
    bail!("no answer")
}
