// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random connects, transfers and disconnects over channels that lose frames: one
//! end or the other does not look for a while, so that its peer overwrites what it
//! has not read. Every byte that arrives must be the right one, and memory stay as
//! it is. A seed tells all that happens; time is as simulated as the loss.
//!
//! ```sh
//! cargo run --release -p muennet-components --bin soak -- --seconds 7200
//! ```

use anyhow::{bail, ensure, Context, Result};
use clap::Parser;
use fastrand::Rng;
use muennet_components::{Node, PROTOCOL};
use muennet_core::framing::{Ethernet, Framing, NetHdr};
use muennet_host::in_process::links;
use muennet_servers::echo;
use smoltcp::{
    iface::SocketHandle,
    socket::tcp,
    time::{Duration, Instant},
    wire::{IpAddress, IpCidr},
};
use smoltcp_device::Selected;

#[derive(Parser)]
#[command(version)]
struct Args {
    /// Seconds to run.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Seed of the losses.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Connections at a time.
const CONNECTIONS: usize = 6;
/// Sockets of the server: some are still leaving when the next client comes.
const SERVERS: usize = 12;
/// Bytes of each buffer of a connection.
const BUFFER: usize = 16 * 1024;
/// Elements of a channel: fewer than the connections may have under way.
const ELEMENTS: usize = 24;
/// A connection has at most so many bytes.
const BYTES: u32 = 256 * 1024;
/// Simulated time of a round.
const ROUND: Duration = Duration::from_millis(1);
/// A connection that gets nowhere for so long is stuck.
const PATIENCE: Duration = Duration::from_secs(600);
/// KiB that memory may grow by after the first second.
const GROWTH: u64 = 2048;

/// One connection of the client.
struct Transfer {
    handle: SocketHandle,
    /// Seed of its bytes.
    key: u32,
    bytes: usize,
    sent: usize,
    received: usize,
    /// It breaks off after so many bytes received.
    abort_at: Option<usize>,
    progress: Instant,
}

#[derive(Default)]
struct Totals {
    connections: u64,
    aborted: u64,
    refused: u64,
    bytes: u64,
}

fn expected(key: u32, at: usize) -> u8 {
    let mixed = (at as u32 ^ key).wrapping_mul(0x9e37_79b9);
    (mixed >> 24) as u8 ^ (mixed >> 11) as u8
}

/// KiB of memory that are in use.
fn memory() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next());
    kib.and_then(|kib| kib.parse().ok())
        .context("the system does not say how much memory is in use")
}

/// One round of a connection; true when it is over.
fn step(
    transfer: &mut Transfer,
    socket: &mut tcp::Socket<'_>,
    now: Instant,
    totals: &mut Totals,
) -> Result<bool> {
    let before = (transfer.sent, transfer.received);
    if socket.can_send() && transfer.sent < transfer.bytes {
        let (key, from) = (transfer.key, transfer.sent);
        let left = transfer.bytes - from;
        transfer.sent += socket.send(|room| {
            let len = room.len().min(left);
            for (byte, at) in room[..len].iter_mut().zip(from..) {
                *byte = expected(key, at);
            }
            (len, len)
        })?;
        if transfer.sent == transfer.bytes {
            socket.close();
        }
    }
    while socket.can_recv() {
        let (key, from) = (transfer.key, transfer.received);
        let (len, wrong) = socket.recv(|bytes| {
            let mut right = bytes.iter().zip(from..);
            let wrong = right.position(|(byte, at)| *byte != expected(key, at));
            (bytes.len(), (bytes.len(), wrong))
        })?;
        ensure!(
            wrong.is_none(),
            "wrong byte at {}",
            from + wrong.unwrap_or(0)
        );
        transfer.received += len;
    }
    ensure!(
        transfer.received <= transfer.sent,
        "{} bytes came back of {}",
        transfer.received,
        transfer.sent
    );
    totals.bytes += (transfer.received - before.1) as u64;
    if before != (transfer.sent, transfer.received) {
        transfer.progress = now;
    }
    if transfer.abort_at.is_some_and(|at| transfer.received >= at) {
        socket.abort();
        totals.aborted += 1;
        return Ok(true);
    }
    if matches!(socket.state(), tcp::State::Closed | tcp::State::TimeWait) {
        // All server sockets were taken, or it was a whole one.
        if transfer.received < transfer.bytes {
            ensure!(
                transfer.received == 0,
                "broken off after {}",
                transfer.received
            );
            totals.refused += 1;
        }
        return Ok(true);
    }
    if now - transfer.progress > PATIENCE {
        bail!(
            "stuck in {} at {} bytes sent and {} received of {}, {} and {} in the buffers",
            socket.state(),
            transfer.sent,
            transfer.received,
            transfer.bytes,
            socket.send_queue(),
            socket.recv_queue()
        );
    }
    Ok(false)
}

fn run(name: &str, framing: Selected, args: &Args, seconds: f64) -> Result<()> {
    let mut rng = Rng::with_seed(args.seed);
    let len = 64 + ELEMENTS * framing.element_size();
    let (a, b) = links(len, PROTOCOL, framing, ((), ()))?;
    let mut now = Instant::ZERO;
    let net = |host| {
        [
            IpCidr::new(IpAddress::v4(10, 0, 0, host), 24),
            IpCidr::new(IpAddress::v6(0xfd00, 0, 0, 0, 0, 0, 0, host.into()), 64),
        ]
    };
    let (mut server, mut client) = (
        Node::new(a, &net(2), rng.u64(..)),
        Node::new(b, &net(1), rng.u64(..)),
    );
    let servers: Vec<_> = (0..SERVERS).map(|_| server.tcp(BUFFER)).collect();
    let mut free: Vec<_> = (0..CONNECTIONS).map(|_| client.tcp(BUFFER)).collect();
    let mut transfers: Vec<Transfer> = Vec::with_capacity(CONNECTIONS);
    let mut totals = Totals::default();
    let mut port = 0u16;
    // Rounds for which an end does not look.
    let (mut server_deaf, mut client_deaf) = (0u32, 0u32);
    let start = std::time::Instant::now();
    let mut first = None;

    while start.elapsed().as_secs_f64() < seconds {
        now += ROUND;
        for deaf in [&mut server_deaf, &mut client_deaf] {
            if *deaf > 0 {
                *deaf -= 1;
            } else if rng.u8(..) < 4 {
                *deaf = rng.u32(1..40);
            }
        }
        if server_deaf == 0 {
            server.poll(now);
            server.echo(&servers);
            server.poll(now);
        }
        if client_deaf == 0 {
            client.poll(now);
        }
        if rng.u8(..) < 8 {
            if let Some(handle) = free.pop() {
                port = (port + 1) % 16_384;
                let bytes = rng.u32(1..=BYTES) as usize;
                let six = rng.bool();
                let socket: &mut tcp::Socket<'_> = client.sockets.get_mut(handle);
                let context = client.interface.context();
                let [four, other] = net(2);
                let to = if six { other } else { four }.address();
                socket.connect(context, (to, echo::PORT), 49_152 + port)?;
                transfers.push(Transfer {
                    handle,
                    key: rng.u32(..),
                    bytes,
                    sent: 0,
                    received: 0,
                    abort_at: (rng.u8(..) < 40).then(|| rng.usize(0..bytes)),
                    progress: now,
                });
                totals.connections += 1;
            }
        }
        let mut index = 0;
        while index < transfers.len() {
            let transfer = &mut transfers[index];
            let socket = client.sockets.get_mut(transfer.handle);
            let over = step(transfer, socket, now, &mut totals).with_context(|| {
                let states: Vec<_> = servers
                    .iter()
                    .map(|handle| server.sockets.get::<tcp::Socket<'_>>(*handle).state())
                    .collect();
                format!(
                    "{name}, seed {}, at {now}, the server's sockets in {states:?}",
                    args.seed
                )
            })?;
            if over {
                socket.abort();
                free.push(transfers.swap_remove(index).handle);
            } else {
                index += 1;
            }
        }
        if first.is_none() && start.elapsed().as_secs() >= 1 {
            first = Some(memory()?);
        }
    }
    let (first, last) = (first.context("give it more than a second")?, memory()?);
    let (a, b) = (server.device.counters(), client.device.counters());
    ensure!(
        a.lost + b.lost > 0,
        "nothing was lost: the test tests nothing"
    );
    ensure!(totals.bytes > 0, "nothing arrived");
    println!(
        "soak: {name}: {} connections, {} broken off, {} refused, {} bytes right; {} frames sent, \
         {} lost; memory {first} to {last} KiB",
        totals.connections,
        totals.aborted,
        totals.refused,
        totals.bytes,
        a.sent + b.sent,
        a.lost + b.lost
    );
    ensure!(
        last <= first + GROWTH,
        "memory grew from {first} to {last} KiB"
    );
    Ok(())
}

fn main() -> Result<()> {
    let args = Args::parse();
    let half = args.seconds as f64 / 2.0;
    run("Ethernet", Ethernet::new(1500)?.into(), &args, half)?;
    run("IP", NetHdr::new(1500)?.into(), &args, half)
}
