// SPDX-License-Identifier: MIT OR Apache-2.0
//! A pair of channels joined to an interface of Linux.

use crate::{
    attach::Attachment,
    epoch,
    ivshmem::client::{Connection, Ringer, Vector},
    mapping::{Extent, Input, Output},
    tap::{Tap, TapError},
    wait::{self, Stop},
};
use muennet_core::{
    channel::{GeometryError, Peer},
    framing::{Dynamic, FrameError, Meta, Remedy},
    link::{Link, Received, Receiver, SendError, Sender},
};
use std::{
    fmt, io,
    num::NonZeroU64,
    os::fd::AsFd,
    time::{Duration, Instant},
};
use thiserror::Error;

/// Time between looks at the peer's epoch and at the server while no packet comes.
const WATCH: Duration = Duration::from_millis(100);
/// The carrier changes no faster, whatever the peer does.
const CALM: Duration = Duration::from_millis(50);
/// Frames in one direction before the other has its turn.
const BATCH: usize = 64;
/// Bytes of the longest frame of any framing.
const LONGEST: usize = 1 << 16;

/// Packets and bytes since the start.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// Frames from the channel to the interface.
    pub received: u64,
    /// Frames from the interface to the channel.
    pub sent: u64,
    /// Frames that the peer overwrote before they were read.
    pub lost: u64,
    /// Elements that held no acceptable frame.
    pub rejected: u64,
    /// Frames that Linux did not take: the interface is down.
    pub refused: u64,
    /// Frames of the interface that do not fit the channel's framing.
    pub unsendable: u64,
    /// Starts of the peer.
    pub epochs: u64,
    /// Elements that the peer wrote before the bridge came up; none of them is received.
    pub skipped: u64,
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} frames received, {} sent, {} lost, {} rejected, {} refused by Linux, \
             {} not to be sent, {} starts of the peer, {} skipped",
            self.received,
            self.sent,
            self.lost,
            self.rejected,
            self.refused,
            self.unsendable,
            self.epochs,
            self.skipped
        )
    }
}

/// Why a bridge does not go on.
#[derive(Debug, Error)]
pub enum BridgeError {
    /// A channel is too small.
    #[error("channel to {direction}: {cause}")]
    Channel {
        /// "read" or "write".
        direction: &'static str,
        /// Why.
        cause: GeometryError,
    },
    /// The interface failed.
    #[error(transparent)]
    Tap(#[from] TapError),
    /// A channel's file is shorter than it was.
    #[error(
        "the file of the channel to {direction} was cut short while in use; give it its length \
         again and start the bridge anew"
    )]
    Cut {
        /// "read" or "write".
        direction: &'static str,
    },
    /// The system does not wait.
    #[error("cannot wait")]
    Wait(#[from] io::Error),
}

/// Reason why a bridge ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It was asked to.
    Stopped,
    /// The server of the channels ended; they are nobody's now.
    Unserved,
}

/// Settings of a bridge.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Framing of packets in elements.
    pub framing: Dynamic,
    /// Protocols of the channel to read and of the channel to write.
    pub protocols: (NonZeroU64, NonZeroU64),
    /// Metadata of the packets that are sent.
    pub meta: Meta,
    /// Time between looks at a channel without event.
    pub poll: Duration,
    /// At the end the epoch stays in the channel, so that the peer can read the last frames.
    pub keep_epoch: bool,
}

/// A pair of channels and the interface they are joined to.
#[derive(Debug)]
pub struct Bridge<'a> {
    tap: &'a Tap,
    link: Link<Input, Output, Dynamic, Option<Ringer>>,
    vector: Option<Vector>,
    connection: Option<Connection>,
    /// The channels to read and to write, by these words.
    extents: [(&'static str, Extent); 2],
    settings: Settings,
    counters: &'a mut Counters,
    buffer: Vec<u8>,
    peer: Peer,
    /// A frame that is too long was told of, since the peer came up.
    told: bool,
    changed: Option<Instant>,
}

impl<'a> Bridge<'a> {
    /// Joins `attachment` to `tap`; nothing passes before [`run`](Self::run).
    ///
    /// # Errors
    ///
    /// [`BridgeError::Channel`] when no element of the framing fits.
    pub fn new(
        tap: &'a Tap,
        attachment: Attachment,
        settings: Settings,
        counters: &'a mut Counters,
    ) -> Result<Self, BridgeError> {
        let Attachment {
            input,
            output,
            ringer,
            vector,
            connection,
        } = attachment;
        let (reading, writing) = settings.protocols;
        let fail = |direction| move |cause| BridgeError::Channel { direction, cause };
        let extents = [("read", input.extent()), ("write", output.extent())];
        let rx = Receiver::new(input, reading, settings.framing).map_err(fail("read"))?;
        let tx = Sender::new(output, writing, settings.framing, ringer).map_err(fail("write"))?;
        Ok(Self {
            tap,
            link: Link { rx, tx },
            vector,
            connection,
            extents,
            settings,
            counters,
            buffer: vec![0; LONGEST],
            peer: Peer::Down,
            told: false,
            changed: None,
        })
    }

    /// Passes frames until `stop` is set or the server ends; `tell` hears of the
    /// link. The carrier follows the peer and is off afterwards.
    ///
    /// # Errors
    ///
    /// [`BridgeError`] when the interface is gone or the system does not wait.
    pub fn run(&mut self, stop: &Stop, tell: impl FnMut(&str)) -> Result<End, BridgeError> {
        self.link.activate(epoch::random());
        let end = self.pass(stop, tell);
        if self.settings.keep_epoch {
            self.link.tx.detach();
        } else {
            self.link.deactivate();
        }
        let skipped = self.counters.skipped;
        self.counters.skipped = skipped.saturating_add(self.link.rx.skipped());
        let off = self.tap.set_carrier(false);
        let end = end?;
        off?;
        Ok(end)
    }

    fn pass(&mut self, stop: &Stop, mut tell: impl FnMut(&str)) -> Result<End, BridgeError> {
        let mut watched = Instant::now();
        while !stop.is_set() {
            self.follow(&mut tell)?;
            let received = self.receive()?;
            let sent = self.send(&mut tell)?;
            if watched.elapsed() >= WATCH {
                watched = Instant::now();
                if self.connection.as_ref().is_some_and(Connection::has_ended) {
                    return Ok(End::Unserved);
                }
                if let Some((direction, _)) = self.extents.iter().find(|it| it.1.is_cut()) {
                    return Err(BridgeError::Cut { direction });
                }
            }
            if received == BATCH || sent == BATCH || self.link.rx.has_pending() {
                continue;
            }
            match &self.vector {
                Some(vector) => {
                    wait::until(&[vector.as_fd(), self.tap.as_fd(), stop.as_fd()], WATCH)?;
                    vector.clear();
                }
                None => wait::until(
                    &[self.tap.as_fd(), stop.as_fd()],
                    WATCH.min(self.settings.poll),
                )?,
            }
        }
        Ok(End::Stopped)
    }

    /// Lets the carrier follow the peer.
    fn follow(&mut self, tell: &mut impl FnMut(&str)) -> Result<(), BridgeError> {
        let now = self.link.peer();
        let hasty = self.changed.is_some_and(|then| then.elapsed() < CALM);
        if now == self.peer || hasty {
            return Ok(());
        }
        let (is_up, was_up) = (
            matches!(now, Peer::Up { .. }),
            matches!(self.peer, Peer::Up { .. }),
        );
        match now {
            Peer::Up { .. } if was_up => tell("the peer started anew"),
            Peer::Up { .. } => tell("carrier on"),
            Peer::Down => tell("carrier off, the peer is not there"),
            Peer::Faulty(fault) => {
                tell(&format!(
                    "carrier off, the peer's channel is unusable: {fault}"
                ));
            }
        }
        // From one epoch to the next the carrier goes off and on, so that Linux asks
        // anew for addresses and neighbours.
        if was_up {
            self.tap.set_carrier(false)?;
        }
        if is_up {
            self.told = false;
            self.tap.set_carrier(true)?;
        }
        self.peer = now;
        self.changed = Some(Instant::now());
        Ok(())
    }

    /// From the channel to the interface; says how many elements were looked at.
    fn receive(&mut self) -> Result<usize, BridgeError> {
        for count in 0..BATCH {
            match self.link.receive(&mut &mut self.buffer[..]) {
                Received::Frame(frame) => {
                    if self.tap.write(&self.buffer[..frame.len])? {
                        self.counters.received += 1;
                    } else {
                        self.counters.refused += 1;
                    }
                }
                Received::NewEpoch { .. } => self.counters.epochs += 1,
                Received::Overrun { lost } => {
                    self.counters.lost = self.counters.lost.saturating_add(lost);
                }
                Received::Rejected(_) => self.counters.rejected += 1,
                Received::Empty | Received::Inactive | Received::Faulty(_) => return Ok(count),
            }
        }
        Ok(BATCH)
    }

    /// From the interface to the channel, with one ring for all; says how many
    /// frames there were.
    fn send(&mut self, tell: &mut impl FnMut(&str)) -> Result<usize, BridgeError> {
        let mut count = 0;
        while count < BATCH {
            let Some(len) = self.tap.read(&mut self.buffer)? else {
                break;
            };
            count += 1;
            match self
                .link
                .tx
                .write(&[&self.buffer[..len]], self.settings.meta)
            {
                Ok(()) => self.counters.sent += 1,
                Err(error) => {
                    self.counters.unsendable += 1;
                    if let SendError::Frame(FrameError::TooLong { len, .. }) = error {
                        if !std::mem::replace(&mut self.told, true) {
                            let remedy = Remedy::of(&self.settings.framing, len);
                            tell(&format!("not sent: {error}; {remedy}"));
                        }
                    }
                }
            }
        }
        if count > 0 {
            self.link.tx.notify();
        }
        Ok(count)
    }
}
