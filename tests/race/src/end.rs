// SPDX-License-Identifier: MIT OR Apache-2.0
//! This side: a reader and a sender that must hold.

use crate::{
    memory::Mapped,
    peer::{packet, PROTOCOL},
    random::Random,
    Race,
};
use muennet_core::{
    channel::{Burst, Peer, Read},
    config::Mode,
    framing::{Dynamic, Frame, Meta},
    link::{Arrival, Received, Receiver, Sender},
};
use std::num::NonZeroU64;

/// Bytes of the buffers for frames: of exactly these lengths, for AddressSanitizer to see.
const ROOMS: [usize; 6] = [1, 19, 20, 61, 316, 8192];
/// Frames of a burst.
const BURST: usize = 8;

/// Counts of a reader.
#[derive(Debug, Default)]
pub struct Tally {
    /// Calls.
    pub looks: u64,
    /// Frames that were delivered.
    pub frames: u64,
    /// Elements refused, and faults of the peer.
    pub refused: u64,
}

/// Receives until the race is over.
pub fn reader(race: &Race, memory: Mapped, mode: Mode, framing: Dynamic) -> Tally {
    let mut receiver = Receiver::new(memory, PROTOCOL, framing).expect("room");
    let mut random = Random::new(0x5eed);
    let mut rooms = ROOMS.map(|room| vec![0u8; room].into_boxed_slice());
    let mut burst = [(); BURST].map(|()| vec![0u8; 316].into_boxed_slice());
    let mut tally = Tally::default();
    while !race.is_over() {
        tally.looks += 1;
        match random.below(8) {
            0 => match receiver.peer() {
                Peer::Up { epoch } => assert_ne!(epoch, 0),
                Peer::Faulty(fault) => said(fault, &mut tally),
                Peer::Down => {}
            },
            1 => {
                receiver.has_pending();
                if random.below(64) == 0 {
                    receiver.drain();
                }
            }
            2..=4 => {
                let room = &mut rooms[random.below(ROOMS.len())];
                match receiver.receive(&mut &mut room[..]) {
                    Received::Frame(frame) => delivered(frame, room, mode, &mut tally),
                    Received::Rejected(reject) => said(reject, &mut tally),
                    Received::Faulty(fault) => said(fault, &mut tally),
                    Received::Overrun { lost } => assert_ne!(lost, 0),
                    _ => {}
                }
            }
            _ => {
                let sinks = burst.each_mut().map(|room| &mut room[..]);
                let mut arrivals = sinks.map(Arrival::new);
                let read = receiver.receive_burst(&mut arrivals);
                let results = arrivals.map(|arrival| arrival.result);
                match read {
                    Read::Taken(Burst { taken, lost }) => {
                        assert!(lost < taken && taken <= BURST);
                        let count = results.iter().flatten().count();
                        assert_eq!(count, taken - lost);
                    }
                    Read::Faulty(fault) => said(fault, &mut tally),
                    _ => assert!(results.iter().flatten().next().is_none()),
                }
                for (result, room) in results.into_iter().zip(&burst) {
                    match result {
                        Some(Ok(frame)) => delivered(frame, room, mode, &mut tally),
                        Some(Err(reject)) => said(reject, &mut tally),
                        None => {}
                    }
                }
            }
        }
    }
    tally
}

/// A frame that was delivered keeps to its buffer and to its own length.
fn delivered(frame: Frame, room: &[u8], mode: Mode, tally: &mut Tally) {
    tally.frames += 1;
    assert!((1..=room.len()).contains(&frame.len), "{frame:?}");
    let bytes = &room[..frame.len];
    match mode {
        Mode::Raw => {}
        Mode::Ethernet => assert!(bytes.len() >= 14),
        Mode::NetHdr => {
            let word = |at: usize| usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
            let len = match bytes[0] >> 4 {
                4 => word(2),
                6 => 40 + word(4),
                version => panic!("a packet of version {version}"),
            };
            assert_eq!(len, bytes.len(), "the length was fetched twice");
        }
    }
}

/// A refusal says something.
fn said(what: impl std::fmt::Display, tally: &mut Tally) {
    tally.refused += 1;
    if tally.refused.is_power_of_two() {
        assert!(!what.to_string().is_empty());
    }
}

/// Sends until the race is over; gives how many frames.
pub fn sender(race: &Race, memory: Mapped, framing: Dynamic) -> u64 {
    let mut sender = Sender::new(memory, PROTOCOL, framing, ()).expect("room");
    let mut random = Random::new(0xf00d);
    let mut sent = 0;
    while !race.is_over() {
        let epoch = NonZeroU64::new(random.next()).unwrap_or(PROTOCOL);
        sender.activate(epoch);
        for _ in 0..1000 {
            let packet = packet(20 + random.below(280));
            let parts = packet.split_at(random.below(20));
            let meta = Meta { mark: 1 };
            // What lies in the channel is nothing to a writer.
            sender.send(&[parts.0, parts.1], meta).expect("a frame");
            sent += 1;
        }
    }
    sent
}
