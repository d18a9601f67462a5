// SPDX-License-Identifier: MIT OR Apache-2.0
//! One channel, followed.

use crate::mapping::Input;
use muennet_core::{
    channel::{GeometryError, Header, Peer},
    config::Mode,
    framing::{Dynamic, Meta},
    link::{Received, Receiver},
    shm::Memory,
};
use std::{num::NonZeroU64, time::SystemTime};

/// Elements that one look takes at most.
const BATCH: usize = 4096;
/// Bytes of the longest frame of any framing.
const LONGEST: usize = 1 << 16;
/// Stands for the protocol of a channel that has none yet.
const NONE_YET: NonZeroU64 = NonZeroU64::MAX;

/// Counters since the observer started.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Frames.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Frames that were overwritten before they were looked at.
    pub lost: u64,
    /// Elements that held no acceptable frame.
    pub rejected: u64,
    /// Starts of the writer.
    pub epochs: u64,
}

/// The newest frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Last {
    /// Its bytes.
    pub frame: Vec<u8>,
    /// Its mark.
    pub mark: u32,
    /// When it was looked at.
    pub when: SystemTime,
}

/// Follows a channel, whatever protocol its writer announces.
#[derive(Debug)]
pub struct Watch {
    memory: Input,
    mode: Mode,
    receiver: Receiver<Input, Dynamic>,
    protocol: NonZeroU64,
    peer: Peer,
    seen: Seen,
    /// Frames lost since the last one that was handed on.
    lost_before: u64,
    last: Last,
    buffer: Vec<u8>,
}

impl Watch {
    /// Follows the channel in `memory` from now on; of the frames that it still
    /// holds, the newest `history` are looked at as well.
    ///
    /// # Errors
    ///
    /// [`GeometryError`] when the memory is too small for a channel of this mode.
    pub fn new(memory: Input, mode: Mode, history: u64) -> Result<Self, GeometryError> {
        let receiver = Receiver::replaying(memory.clone(), NONE_YET, framing(mode))?;
        let mut watch = Self {
            memory,
            mode,
            receiver,
            protocol: NONE_YET,
            peer: Peer::Down,
            seen: Seen::default(),
            lost_before: 0,
            last: Last {
                frame: Vec::new(),
                mark: 0,
                when: SystemTime::UNIX_EPOCH,
            },
            buffer: vec![0; LONGEST],
        };
        watch.adopt()?;
        watch.peer = watch.receiver.peer();
        watch.receiver.rewind(history);
        Ok(watch)
    }

    /// Takes the protocol that the header announces.
    fn adopt(&mut self) -> Result<(), GeometryError> {
        let announced = NonZeroU64::new(self.receiver.header().protocol);
        if let Some(protocol) = announced.filter(|protocol| *protocol != self.protocol) {
            let memory = self.memory.clone();
            // Its epoch began while this looked.
            self.receiver = Receiver::replaying(memory, protocol, framing(self.mode))?;
            self.protocol = protocol;
        }
        Ok(())
    }

    /// Takes what is new, a bounded number of frames; `take` gets each, its mark,
    /// and how many were lost before it. True if there may be more.
    ///
    /// # Errors
    ///
    /// The errors of `take`.
    pub fn look<E>(
        &mut self,
        mut take: impl FnMut(&[u8], Meta, u64) -> Result<(), E>,
    ) -> Result<bool, E> {
        // The memory was large enough before.
        let _ = self.adopt();
        let mut newest = None;
        let mut more = true;
        for _ in 0..BATCH {
            match self.receiver.receive(&mut &mut self.buffer[..]) {
                Received::Frame(frame) => {
                    self.seen.frames += 1;
                    self.seen.bytes += frame.len as u64;
                    newest = Some(frame);
                    let lost = std::mem::take(&mut self.lost_before);
                    take(&self.buffer[..frame.len], frame.meta, lost)?;
                }
                Received::Overrun { lost } => {
                    self.seen.lost = self.seen.lost.saturating_add(lost);
                    self.lost_before = self.lost_before.saturating_add(lost);
                }
                Received::Rejected(_) => self.seen.rejected += 1,
                Received::NewEpoch { .. } => self.seen.epochs += 1,
                Received::Empty | Received::Inactive | Received::Faulty(_) => {
                    more = false;
                    break;
                }
            }
        }
        if let Some(frame) = newest {
            self.last.frame.clear();
            self.last.frame.extend_from_slice(&self.buffer[..frame.len]);
            self.last.mark = frame.meta.mark;
            self.last.when = SystemTime::now();
        }
        self.peer = self.receiver.peer();
        Ok(more)
    }

    /// Framing of packets in the elements.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Bytes of the channel's memory.
    pub fn region(&self) -> usize {
        self.memory.len()
    }

    /// A copy of the header as it is now, unchecked.
    pub fn header(&self) -> Header {
        self.receiver.header()
    }

    /// The state of the peer as of the last look.
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// Counters since the observer started.
    pub fn seen(&self) -> Seen {
        self.seen
    }

    /// The newest frame, if there was one.
    pub fn last(&self) -> Option<&Last> {
        (self.seen.frames > 0).then_some(&self.last)
    }
}

/// The framing of `mode` for frames as long as it can have them: the writer chooses.
fn framing(mode: Mode) -> Dynamic {
    let longest = u16::MAX;
    Dynamic::new(mode, longest)
        .or_else(|error| Dynamic::new(mode, error.max))
        .expect("the largest MTU of a framing is within its range")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::Output;
    use muennet_core::{framing::Ethernet, link::Sender};
    use std::io::{Seek, SeekFrom, Write};

    const SIZE: usize = 64 + 8 * 1516;

    fn channel() -> (std::fs::File, Sender<Output, Ethernet, ()>, NonZeroU64) {
        let file = tempfile::tempfile().unwrap();
        file.set_len(SIZE as u64).unwrap();
        let protocol = NonZeroU64::new(0x12).unwrap();
        let memory = Output::new(&file, 0, SIZE).unwrap();
        let sender = Sender::new(memory, protocol, Ethernet::new(1500).unwrap(), ()).unwrap();
        (file, sender, protocol)
    }

    fn watch(file: &std::fs::File, history: u64) -> Watch {
        let memory = Input::new(file, 0, SIZE).unwrap();
        Watch::new(memory, Mode::Ethernet, history).unwrap()
    }

    fn lengths(watch: &mut Watch) -> Vec<(usize, u64)> {
        let mut lengths = Vec::new();
        let look = watch.look(|frame, _, lost| {
            lengths.push((frame.len(), lost));
            Ok::<_, ()>(())
        });
        assert_eq!(look, Ok(false));
        lengths
    }

    #[test]
    fn frames_are_seen_whatever_the_protocol() {
        let (file, mut sender, epoch) = channel();
        let mut early = watch(&file, 0);
        assert_eq!(early.peer(), Peer::Down);
        sender.activate(epoch);
        for len in 60..65 {
            sender
                .write(&[&[1; 64][..len.min(64)]], Meta::default())
                .unwrap();
        }
        let all: Vec<_> = (60..65).map(|len| (len, 0)).collect();
        assert_eq!(lengths(&mut early), all);
        assert!(matches!(early.peer(), Peer::Up { .. }));
        assert_eq!(early.last().unwrap().frame.len(), 64);
        // One that comes late sees what it asks for.
        assert_eq!(lengths(&mut watch(&file, 0)), []);
        assert_eq!(lengths(&mut watch(&file, 2)), [(63, 0), (64, 0)]);
        assert_eq!(lengths(&mut watch(&file, u64::MAX)), all);
        // Of another protocol the next time.
        let (_, seen) = (sender.deactivate(), early.seen());
        assert_eq!((seen.frames, seen.epochs), (5, 1));
        let memory = Output::new(&file, 0, SIZE).unwrap();
        let other = NonZeroU64::new(0x34).unwrap();
        let mut sender = Sender::new(memory, other, Ethernet::new(1500).unwrap(), ()).unwrap();
        sender.activate(epoch);
        sender.write(&[&[1; 77]], Meta::default()).unwrap();
        assert_eq!(lengths(&mut early), [(77, 0)]);
        // More than the channel holds: what is not seen is told of.
        for _ in 0..20 {
            sender.write(&[&[1; 78]], Meta::default()).unwrap();
        }
        let seen = lengths(&mut early);
        let told: u64 = seen.iter().map(|(_, lost)| lost).sum();
        assert_eq!(told, early.seen().lost);
        assert_eq!(seen.len() as u64 + told, 20);
        assert!(told >= 12);
    }

    #[test]
    fn lies_are_seen_as_such() {
        let (mut file, mut sender, epoch) = channel();
        sender.activate(epoch);
        sender.write(&[&[1; 60]], Meta::default()).unwrap();
        let mut watch = watch(&file, 0);
        let mut noise = 0x2545_f491_4f6c_dd1d_u64;
        for _ in 0..20_000 {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            file.seek(SeekFrom::Start((noise >> 32) % 8 * 8)).unwrap();
            let value = if noise.is_multiple_of(3) {
                noise >> 58
            } else {
                noise
            };
            file.write_all(&value.to_le_bytes()).unwrap();
            let _ = watch.look(|frame, _, _| {
                assert!(frame.len() < SIZE);
                Ok::<_, ()>(())
            });
        }
    }
}
