// SPDX-License-Identifier: MIT OR Apache-2.0
//! One process of a measurement.

use crate::{
    bulk::{self, transfer, Transfer},
    ended::Ended,
    place::{stay_on, Taps},
    queue,
    round_trip::{by_hand, frame, line, Side},
};
use anyhow::{Context, Result};
use clap::ValueEnum;
use muennet_core::{
    framing::Ethernet,
    link::{Link, Receiver, Sender},
};
use muennet_host::{
    attach::{read_file, write_file},
    mapping::{Input, Output},
};
use smoltcp::phy::{Medium, TunTapInterface};
use smoltcp_device::Device;
use std::{
    num::NonZeroU64,
    path::PathBuf,
    sync::{
        atomic::{AtomicBool, Ordering},
        Barrier,
    },
    time::Duration,
};

const PROTOCOL: NonZeroU64 = muennet_core::framing::SOLO5_PROTOCOL;
const MTU: u16 = 1500;
/// Frames of a queue in one thread: more than a window, few enough for its cache.
const IN_CACHE: usize = 256;
/// Frames of a queue between threads: as many as a channel holds.
const AS_CHANNEL: usize = 2766;

/// The measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// TCP in one thread over a queue.
    Alone,
    /// TCP between two threads over a queue.
    Queue,
    /// TCP over a pair of channels.
    Channel,
    /// TCP over a pair of TAPs.
    Tap,
    /// A cache line, there and back.
    Line,
    /// A frame by hand, there and back.
    ByHand,
    /// A frame, there and back.
    Frame,
}

impl What {
    /// The side whose time counts: who receives, and who asks.
    pub fn measures(self) -> usize {
        match self {
            Self::Alone | Self::Queue | Self::Channel | Self::Tap => 1,
            Self::Line | Self::ByHand | Self::Frame => 0,
        }
    }
}

/// One of the two sides.
#[derive(Debug, clap::Args)]
pub struct Half {
    /// The measurement.
    pub what: What,
    /// 0 begins, 1 follows; each on the core of its number.
    pub side: usize,
    /// Bytes to send, or trips.
    pub amount: u64,
    /// Folder of the channel files.
    pub folder: PathBuf,
}

impl Half {
    /// Measures, and prints how many nanoseconds it took. The side that does not
    /// measure stays there until its input ends, since its end would be heard.
    pub fn run(&self) -> Result<()> {
        stay_on(self.side)?;
        let mut ended = Ended::by_input();
        let mut link;
        let mut device: Device<Input, Output, Ethernet, ()>;
        let took = match self.what {
            What::Alone => self.alone()?,
            What::Queue => self.queue()?,
            What::Channel => {
                device = Device::new(self.link()?);
                device.activate(muennet_host::epoch::random());
                transfer(
                    &mut device,
                    self.sends(),
                    self.amount,
                    &mut ended,
                    Device::flush,
                )?
            }
            What::Tap => {
                let name = Taps::NAMES.get(self.side).context("side 0 or 1")?;
                let mut tap = TunTapInterface::new(name, Medium::Ethernet)?;
                transfer(&mut tap, self.sends(), self.amount, &mut ended, |_| {})?
            }
            What::Line => line(&self.folder.join("line"), self.asks(), self.amount)?,
            What::ByHand => {
                let (there, back) = (self.folder.join("there"), self.folder.join("back"));
                by_hand(&there, &back, self.asks(), self.amount)?
            }
            What::Frame => {
                link = self.link()?;
                frame(&mut link, self.asks(), self.amount)?
            }
        };
        println!("{}", took.as_nanos());
        if self.measures() != self.side {
            ended.wait();
        }
        Ok(())
    }

    fn measures(&self) -> usize {
        self.what.measures()
    }

    fn sends(&self) -> bulk::Side {
        match self.side {
            0 => bulk::Side::Sends,
            _ => bulk::Side::Receives,
        }
    }

    fn asks(&self) -> Side {
        match self.side {
            0 => Side::Asks,
            _ => Side::Answers,
        }
    }

    fn link(&self) -> Result<Link<Input, Output, Ethernet, ()>> {
        let (there, back) = (self.folder.join("there"), self.folder.join("back"));
        let (input, output) = match self.side {
            0 => (back, there),
            _ => (there, back),
        };
        let framing = Ethernet::new(MTU)?;
        Ok(Link {
            // The other half may have begun: its first frames count.
            rx: Receiver::replaying(read_file(&input)?, PROTOCOL, framing)?,
            tx: Sender::new(write_file(&output)?, PROTOCOL, framing, ())?,
        })
    }

    /// Both sides in this thread, in turns.
    fn alone(&self) -> Result<Duration> {
        let (mut one, mut other) = queue::pair(IN_CACHE);
        let mut sends = Transfer::new(&mut one, bulk::Side::Sends, self.amount)?;
        let mut receives = Transfer::new(&mut other, bulk::Side::Receives, self.amount)?;
        loop {
            sends.step(&mut one, |_| {})?;
            if let Some(took) = receives.step(&mut other, |_| {})? {
                return Ok(took);
            }
        }
    }

    /// Both sides in this process, each in a thread on a core.
    fn queue(&self) -> Result<Duration> {
        let (mut one, mut other) = queue::pair(AS_CHANNEL);
        let ended = AtomicBool::new(false);
        let ready = Barrier::new(2);
        std::thread::scope(|scope| {
            let sends = scope.spawn(|| {
                stay_on(0)?;
                ready.wait();
                let mut ended = Ended::By(&ended);
                transfer(&mut one, bulk::Side::Sends, self.amount, &mut ended, |_| {})
            });
            ready.wait();
            let took = transfer(
                &mut other,
                bulk::Side::Receives,
                self.amount,
                &mut Ended::By(&ended),
                |_| {},
            );
            ended.store(true, Ordering::Relaxed);
            let sent = sends
                .join()
                .map_err(|_| anyhow::anyhow!("the sender failed"))?;
            sent.and(took)
        })
    }
}
