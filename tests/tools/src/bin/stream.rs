// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sends a stream over TCP and receives one at the same time, for a given time, and
//! compares every byte with what it must be. Each end sends what its seed makes.

use anyhow::{bail, ensure, Context, Result};
use clap::{Parser, Subcommand};
use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

/// Streams over TCP both ways, every byte of which is compared.
#[derive(Parser)]
#[command(version)]
struct Args {
    #[command(subcommand)]
    role: Role,
    /// Seconds to send.
    #[arg(long, global = true, default_value_t = 10)]
    seconds: u64,
}

#[derive(Subcommand)]
enum Role {
    /// Wait for one connection.
    Serve { address: SocketAddr },
    /// Connect.
    Ask { address: SocketAddr },
}

/// Bytes that the two ends send.
const SERVER: u64 = 0x9e37_79b9_7f4a_7c15;
const CLIENT: u64 = 0xbf58_476d_1ce4_e5b9;
/// Nothing sent or received for so long means that the connection is dead.
const PATIENCE: Duration = Duration::from_secs(200);
/// Bytes for a call of the system: whole words of the stream.
const CHUNK: usize = 32 * 1024;

/// The bytes that a seed makes (xorshift64), a word at a time.
struct Words(u64);

impl Words {
    fn fill(&mut self, buffer: &mut [u8]) {
        for word in buffer.chunks_exact_mut(8) {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            word.copy_from_slice(&self.0.to_le_bytes());
        }
    }
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok((sent, received)) => {
            println!("{sent} bytes sent, {received} bytes received and right");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("stream: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(u64, u64)> {
    let (socket, mine, other) = match args.role {
        Role::Serve { address } => {
            let listener = TcpListener::bind(address).context("cannot listen")?;
            (listener.accept()?.0, SERVER, CLIENT)
        }
        Role::Ask { address } => (TcpStream::connect(address)?, CLIENT, SERVER),
    };
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    let sending = socket.try_clone()?;
    let time = Duration::from_secs(args.seconds);
    let sender = thread::spawn(move || send(sending, Words(mine), time));
    let received = receive(socket, Words(other))?;
    match sender.join() {
        Ok(sent) => Ok((sent?, received)),
        Err(_) => bail!("the sending thread failed"),
    }
}

fn send(mut socket: TcpStream, mut words: Words, time: Duration) -> Result<u64> {
    let (start, mut sent) = (Instant::now(), 0);
    let mut chunk = vec![0; CHUNK];
    while start.elapsed() < time {
        words.fill(&mut chunk);
        socket.write_all(&chunk).context("cannot send")?;
        sent += chunk.len() as u64;
    }
    socket.shutdown(Shutdown::Write)?;
    Ok(sent)
}

/// Receives to the end; how many bytes.
fn receive(mut socket: TcpStream, mut words: Words) -> Result<u64> {
    let mut received = 0;
    let (mut chunk, mut expected) = (vec![0; CHUNK], vec![0; CHUNK]);
    loop {
        let mut len = 0;
        while len < CHUNK {
            match socket
                .read(&mut chunk[len..])
                .context("nothing more comes")?
            {
                0 => break,
                more => len += more,
            }
        }
        words.fill(&mut expected);
        let wrong = chunk[..len].iter().zip(&expected).position(|(a, b)| a != b);
        if let Some(at) = wrong {
            bail!("the byte at {} is wrong", received + at as u64);
        }
        received += len as u64;
        if len < CHUNK {
            ensure!(len == 0, "the stream ends within a piece");
            return Ok(received);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A connection of this machine with itself.
    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let a = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (a, listener.accept().unwrap().0)
    }

    #[test]
    fn what_was_sent_is_right() {
        let (a, b) = pair();
        let sender = thread::spawn(|| send(a, Words(CLIENT), Duration::from_millis(20)));
        let received = receive(b, Words(CLIENT)).unwrap();
        assert_eq!(sender.join().unwrap().unwrap(), received);
        assert!(received > 0);
    }

    #[test]
    fn a_wrong_byte_is_found_where_it_is() {
        let (mut a, b) = pair();
        let mut chunk = vec![0; CHUNK];
        Words(CLIENT).fill(&mut chunk);
        chunk[12_345] ^= 1;
        a.write_all(&chunk).unwrap();
        let error = receive(b, Words(CLIENT)).unwrap_err();
        assert_eq!(error.to_string(), "the byte at 12345 is wrong");
    }

    #[test]
    fn a_stream_that_breaks_off_is_an_error() {
        let (mut a, b) = pair();
        let mut chunk = vec![0; CHUNK];
        Words(CLIENT).fill(&mut chunk);
        a.write_all(&chunk[..100]).unwrap();
        drop(a);
        assert!(receive(b, Words(CLIENT)).is_err());
    }
}
