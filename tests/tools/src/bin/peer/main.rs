// SPDX-License-Identifier: MIT OR Apache-2.0
//! A peer for tests: a subject that writes into a channel what no honest peer
//! would, and then what an honest one does.
//!
//! - [`region`]: the channel's memory, byte for byte;
//! - [`frames`]: good frames of each mode, and how they lie in elements;
//! - [`lies`]: one lie at a time;
//! - [`mutate`]: any number of random ones;
//! - [`original`]: a reader as the original's, which answers pings;
//! - [`storm`]: epochs, faults and bells, thousands a second.

mod frames;
mod lies;
mod mutate;
mod original;
#[expect(unsafe_code, reason = "it writes to a channel whatever it likes")]
mod region;
mod storm;

use anyhow::Result;
use clap::{Parser, Subcommand};
use frames::Mode;
use region::Region;
use std::{path::PathBuf, process::ExitCode, thread, time::Duration};

/// A peer for tests.
#[derive(Parser)]
struct Args {
    /// The subject's socket, of muen-ivshmem.
    #[arg(long)]
    ivshmem: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Set the path MTU of a mark.
    PathMtu {
        /// The memory.
        memory: String,
        mark: u32,
        mtu: u32,
    },
    /// Start anew and send good frames.
    Honest {
        #[command(flatten)]
        channel: Channel,
        #[arg(long, default_value_t = 10)]
        frames: u64,
    },
    /// Start anew again and again, and send good frames with marks in between.
    ComeAndGo {
        #[command(flatten)]
        channel: Channel,
        /// Say so after this many times.
        #[arg(long)]
        times: u64,
        /// A mark to send with (mode net-hdr).
        #[arg(long)]
        mark: Vec<u32>,
    },
    /// Tell one lie, and leave it there.
    Lie {
        #[command(flatten)]
        channel: Channel,
        #[arg(long)]
        lie: lies::Lie,
    },
    /// Tell random lies.
    Mutate {
        #[command(flatten)]
        channel: Channel,
        #[arg(long)]
        count: u64,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Answer pings in `net_hdr` mode, woken by events alone, the first of which is spent
    /// on noticing that the peer is up.
    Original {
        #[command(flatten)]
        channel: Channel,
        /// The channel that it reads.
        #[arg(long)]
        input: String,
    },
    /// Begin epochs, spoil headers or ring, as fast as is asked for; then start anew and stay.
    Storm {
        #[command(flatten)]
        channel: Channel,
        /// The kind of the storm.
        #[arg(long)]
        of: Vec<storm::Gust>,
        /// Number in all.
        #[arg(long)]
        count: u64,
        /// Number a second.
        #[arg(long, default_value_t = 3000)]
        rate: u32,
    },
}

/// A channel that this subject writes.
#[derive(clap::Args)]
pub struct Channel {
    /// Its name.
    channel: String,
    /// Properties that the reader expects.
    #[arg(long)]
    mode: Mode,
    /// The reader's MTU.
    #[arg(long, default_value_t = 1500)]
    mtu: usize,
    /// The protocol of the header.
    #[arg(long, default_value_t = 2)]
    protocol: u64,
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peer: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<()> {
    let client = connect(&args.ivshmem)?;
    match args.command {
        Command::PathMtu { memory, mark, mtu } => {
            let region = Region::memory(&client, &memory)?;
            region.store32(4 * (mark as usize - 1), mtu);
            return Ok(());
        }
        Command::Honest { channel, frames } => {
            let mut region = Region::channel(&client, &channel)?;
            region.start();
            for _ in 0..frames {
                region.send(&channel.mode.element(channel.mtu));
            }
            region.ring();
        }
        Command::ComeAndGo {
            channel,
            times,
            mark,
        } => {
            let mut region = Region::channel(&client, &channel)?;
            println!("told");
            come_and_go(&mut region, &channel, times, &mark);
        }
        Command::Lie { channel, lie } => {
            let mut region = Region::channel(&client, &channel)?;
            lie.tell(&mut region, &channel);
        }
        Command::Mutate {
            channel,
            count,
            seed,
        } => {
            let mut region = Region::channel(&client, &channel)?;
            mutate::run(&mut region, &channel, count, seed);
        }
        Command::Original { channel, input } => {
            let mut region = Region::channel(&client, &channel)?;
            original::run(&client, &input, channel.protocol, &mut region)?;
        }
        Command::Storm {
            channel,
            of,
            count,
            rate,
        } => {
            let mut region = Region::channel(&client, &channel)?;
            region.start();
            region.ring();
            println!("told");
            storm::blow(&mut region, &of, count, rate);
            println!("blew {count} times");
        }
    }
    // With the writer's end its epoch would go: what was written is to stay.
    println!("told");
    loop {
        thread::park();
    }
}

/// A writer that does not live long.
fn come_and_go(region: &mut Region, channel: &Channel, times: u64, marks: &[u32]) -> ! {
    const BURSTS: usize = 5;
    const PAUSE: Duration = Duration::from_millis(5);
    let elements: Vec<_> = marks
        .iter()
        .map(|mark| channel.mode.marked(channel.mtu, *mark))
        .collect();
    for life in 1.. {
        region.start();
        for _ in 0..BURSTS {
            for element in &elements {
                region.send(element);
            }
            region.ring();
            thread::sleep(PAUSE);
        }
        region.stop();
        region.ring();
        thread::sleep(PAUSE);
        if life == times {
            println!("came {times} times");
        }
    }
    unreachable!("lives are not counted to the end");
}

/// Connects; while the server takes leave of the one before, it refuses the next.
fn connect(socket: &std::path::Path) -> Result<muennet_host::ivshmem::client::Client> {
    let mut tries = 0;
    loop {
        match muennet_host::ivshmem::client::Client::connect(socket) {
            Err(_) if tries < 500 => {
                tries += 1;
                thread::sleep(Duration::from_millis(2));
            }
            result => return Ok(result?),
        }
    }
}
