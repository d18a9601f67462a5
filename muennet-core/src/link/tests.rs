// SPDX-License-Identifier: MIT OR Apache-2.0
//! Both halves over one channel.

use super::*;
use crate::channel::{Burst, Peer, Read, Resume};
use crate::framing::{Checksum, Ethernet, Frame, FrameError, Meta, Packet, Reject, Sink};
use crate::notify::Notifier;
use crate::shm::heap::Heap;
use core::{cell::Cell, num::NonZeroU64};

const PROTOCOL: NonZeroU64 = crate::framing::SOLO5_PROTOCOL;
const START: NonZeroU64 = NonZeroU64::new(3).unwrap();
const MTU: u16 = 100;
const ELEMENT: usize = 116;

struct Bell<'a>(&'a Cell<u32>);

impl Notifier for Bell<'_> {
    fn notify(&self) {
        self.0.set(self.0.get() + 1);
    }
}

type Ends<'a> = (
    Heap,
    Sender<Heap, Ethernet, Bell<'a>>,
    Receiver<Heap, Ethernet>,
);

fn ends(rings: &Cell<u32>) -> Ends<'_> {
    let framing = Ethernet::new(MTU).unwrap();
    let heap = Heap::new(64 + 3 * ELEMENT);
    let sender = Sender::new(heap.clone(), PROTOCOL, framing, Bell(rings)).unwrap();
    let receiver = Receiver::new(heap.clone(), PROTOCOL, framing).unwrap();
    (heap, sender, receiver)
}

fn frame_of(len: usize) -> Received {
    Received::Frame(Frame {
        len,
        meta: Meta::default(),
    })
}

fn receive(receiver: &mut Receiver<Heap, Ethernet>) -> (Received, std::vec::Vec<u8>) {
    let mut buffer = [0xee; 200];
    let received = receiver.receive(&mut &mut buffer[..]);
    let len = match received {
        Received::Frame(frame) => frame.len,
        _ => 0,
    };
    assert!(buffer[114..].iter().all(|byte| *byte == 0xee));
    (received, buffer[..len].to_vec())
}

#[test]
fn frames_of_every_length_cross() {
    let rings = Cell::new(0);
    let (_, mut sender, mut receiver) = ends(&rings);
    assert_eq!(
        sender.send(&[&[0; 20]], Meta::default()),
        Err(SendError::Inactive)
    );
    sender.activate(START);
    assert_eq!(rings.get(), 1);
    assert_eq!(
        receive(&mut receiver).0,
        Received::NewEpoch { epoch: START.get() }
    );
    for len in 14..=114usize {
        let frame: std::vec::Vec<u8> = (0..len).map(|i| (i * 7 + len) as u8).collect();
        let (head, tail) = frame.split_at(len / 3);
        sender.send(&[head, tail], Meta::default()).unwrap();
        assert_eq!(receive(&mut receiver), (frame_of(len), frame));
    }
    assert_eq!(rings.get(), 1 + 101);
    assert_eq!(
        sender.send(&[&[0; 115]], Meta::default()),
        Err(SendError::Frame(FrameError::TooLong { len: 115, max: 114 }))
    );
    assert_eq!(
        sender.send(&[&[0; 13]], Meta::default()),
        Err(SendError::Frame(FrameError::TooShort { len: 13, min: 14 }))
    );
    assert_eq!(receive(&mut receiver).0, Received::Empty);
    sender.deactivate();
    sender.deactivate();
    assert_eq!(rings.get(), 1 + 101 + 1);
    assert_eq!(receiver.peer(), Peer::Down);
}

#[test]
fn the_length_lies_in_the_last_two_bytes() {
    let rings = Cell::new(0);
    let (heap, mut sender, _) = ends(&rings);
    sender.activate(START);
    sender.write(&[&[0x55; 20]], Meta::default()).unwrap();
    assert_eq!(heap.peek(64), 0x5555_5555_5555_5555);
    assert_eq!(heap.peek(64 + 16), 0x5555_5555);
    assert_eq!(heap.peek(64 + 112), 20 << 16);
}

#[test]
fn frames_that_are_still_there_can_be_had_again() {
    let rings = Cell::new(0);
    let (heap, mut sender, mut receiver) = ends(&rings);
    receiver.rewind(1);
    assert_eq!(receive(&mut receiver).0, Received::Inactive);
    sender.activate(PROTOCOL);
    receiver.peer();
    receiver.rewind(u64::MAX);
    assert_eq!(
        receive(&mut receiver).0,
        Received::NewEpoch {
            epoch: PROTOCOL.get()
        }
    );
    for len in 20..25 {
        sender.write(&[&[7; 114][..len]], Meta::default()).unwrap();
    }
    // Of three elements the oldest may be under the writer's hands.
    receiver.rewind(u64::MAX);
    for len in [23, 24] {
        assert_eq!(receive(&mut receiver).0, frame_of(len));
    }
    assert_eq!(receive(&mut receiver).0, Received::Empty);
    receiver.rewind(1);
    assert_eq!(receive(&mut receiver).0, frame_of(24));
    receiver.rewind(0);
    assert_eq!(receive(&mut receiver).0, Received::Empty);
    // A count that runs backwards moves nothing.
    heap.poke(56, 2);
    receiver.rewind(1);
    assert!(matches!(receive(&mut receiver).0, Received::Faulty(_)));
    assert_eq!(receiver.header().written, 2);
    assert_eq!(receiver.header().write_start, 5);
}

#[test]
fn a_lying_length_costs_one_frame() {
    let rings = Cell::new(0);
    let (heap, mut sender, mut receiver) = ends(&rings);
    sender.activate(START);
    assert_eq!(
        receive(&mut receiver).0,
        Received::NewEpoch { epoch: START.get() }
    );
    sender.send(&[&[1; 20]], Meta::default()).unwrap();
    heap.poke(64 + 112, 0xffff << 16);
    assert_eq!(
        receive(&mut receiver).0,
        Received::Rejected(Reject::TooLong {
            found: 0xffff,
            max: 114
        })
    );
    sender.send(&[&[2; 20]], Meta::default()).unwrap();
    assert_eq!(receive(&mut receiver), (frame_of(20), std::vec![2; 20]));
    for _ in 0..2 {
        sender.send(&[&[3; 20]], Meta::default()).unwrap();
    }
    heap.poke(64 + 112, 13 << 16);
    assert!(matches!(receive(&mut receiver).0, Received::Frame(_)));
    assert_eq!(
        receive(&mut receiver).0,
        Received::Rejected(Reject::TooShort { found: 13, min: 14 })
    );
}

#[test]
fn no_room_costs_one_frame() {
    let rings = Cell::new(0);
    let (_, mut sender, mut receiver) = ends(&rings);
    sender.activate(START);
    assert_eq!(
        receive(&mut receiver).0,
        Received::NewEpoch { epoch: START.get() }
    );
    sender.send(&[&[1; 20]], Meta::default()).unwrap();
    sender.send(&[&[2; 19]], Meta::default()).unwrap();
    let mut small = [0; 19];
    assert_eq!(
        receiver.receive(&mut &mut small[..]),
        Received::Rejected(Reject::NoRoom { len: 20 })
    );
    assert_eq!(receiver.receive(&mut &mut small[..]), frame_of(19));
    assert_eq!(small, [2; 19]);
}

#[test]
fn batches_and_bursts_carry_what_single_frames_do() {
    let rings = Cell::new(0);
    let (_, mut sender, mut receiver) = ends(&rings);
    let frames: [[u8; 30]; 3] = core::array::from_fn(|i| [i as u8; 30]);
    let halves = frames.each_ref().map(|frame| {
        let (head, tail) = frame.split_at(7);
        [head, tail]
    });
    let packets = halves.each_ref().map(|parts| Packet::new(parts));
    assert_eq!(
        sender.write_batch(&packets),
        Err(BatchError {
            index: 0,
            error: SendError::Inactive
        })
    );
    sender.activate(START);
    let mut arrivals = [[0u8; 200]; 4].map(Buffer).map(Arrival::new);
    assert_eq!(
        receiver.receive_burst(&mut arrivals),
        Read::NewEpoch { epoch: 3 }
    );
    sender.write_batch(&packets).unwrap();
    assert_eq!(rings.get(), 1);
    assert_eq!(
        receiver.receive_burst(&mut arrivals),
        Read::Taken(Burst { taken: 3, lost: 0 })
    );
    for (arrival, frame) in arrivals.iter().zip(&frames) {
        let Some(Ok(Frame { len: 30, .. })) = arrival.result else {
            panic!("{:?}", arrival.result)
        };
        assert_eq!(arrival.sink.0[..30], frame[..]);
    }
    assert_eq!(arrivals[3].result, None);
    assert_eq!(receiver.receive_burst(&mut arrivals), Read::Empty);
    assert!(arrivals.iter().all(|arrival| arrival.result.is_none()));

    let bad = [packets[0], Packet::new(&[&[0; 13]]), packets[1]];
    let error = SendError::Frame(FrameError::TooShort { len: 13, min: 14 });
    assert_eq!(
        sender.write_batch(&bad),
        Err(BatchError { index: 1, error })
    );
    assert_eq!(receiver.receive_burst(&mut arrivals), Read::Empty);
}

struct Buffer([u8; 200]);

impl Sink for Buffer {
    fn place(&mut self, len: usize) -> Option<&mut [u8]> {
        self.0.get_mut(..len)
    }
}

#[test]
fn what_is_lost_in_a_burst_has_no_result() {
    let rings = Cell::new(0);
    let (heap, mut sender, mut receiver) = ends(&rings);
    sender.activate(START);
    assert!(matches!(
        receive(&mut receiver).0,
        Received::NewEpoch { .. }
    ));
    for value in 0..3 {
        sender.write(&[&[value; 20]], Meta::default()).unwrap();
    }
    // Element 3 is being written, where element 0 lies.
    heap.poke(48, 4);
    heap.poke(64 + ELEMENT + 112 - 4, 0xffff << 48);
    let mut arrivals = [[0u8; 200]; 3].map(Buffer).map(Arrival::new);
    assert_eq!(
        receiver.receive_burst(&mut arrivals),
        Read::Taken(Burst { taken: 3, lost: 1 })
    );
    assert_eq!(arrivals[0].result, None);
    assert!(matches!(
        arrivals[1].result,
        Some(Err(Reject::TooLong { found: 0xffff, .. }))
    ));
    assert!(matches!(arrivals[2].result, Some(Ok(_))));
}

#[test]
fn a_checksum_may_lie_at_an_odd_place() {
    let rings = Cell::new(0);
    let (_, mut sender, mut receiver) = ends(&rings);
    sender.activate(START);
    receive(&mut receiver);
    let frame: [u8; 40] = core::array::from_fn(|at| at as u8);
    for start in 14..20 {
        for offset in 0..=(frame.len() - start - 2) {
            let words = frame[start..].chunks(2).map(|word| match *word {
                [high, low] => u32::from(u16::from_be_bytes([high, low])),
                [high] => u32::from(high) << 8,
                _ => 0,
            });
            // Below 2^21: two folds leave 16 bits.
            let sum: u32 = words.sum();
            let sum = (sum & 0xffff) + (sum >> 16);
            let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
            let mut expected = frame;
            let field = start + offset;
            expected[field..field + 2].copy_from_slice(&sum.to_be_bytes());
            let parts = [&frame[..17], &frame[17..]];
            let checksum = Checksum { start, offset };
            sender
                .write_packet(&Packet::new(&parts).with_checksum(checksum))
                .unwrap();
            assert_eq!(receive(&mut receiver).1, expected, "{start} {offset}");
        }
    }
}

#[test]
fn a_checksum_is_filled_in_wherever_the_parts_end() {
    // An IPv4 header of RFC 1071's kind, worked out by hand many times over:
    // its checksum is b861.
    let header = [
        0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0x00, 0x00, 0xc0, 0xa8, 0x00,
        0x01, 0xc0, 0xa8, 0x00, 0xc7,
    ];
    let mut frame = [0x5a; 14 + 20];
    frame[14..].copy_from_slice(&header);
    let mut expected = frame;
    expected[24..26].copy_from_slice(&[0xb8, 0x61]);
    let checksum = Checksum {
        start: 14,
        offset: 10,
    };
    let rings = Cell::new(0);
    let (_, mut sender, mut receiver) = ends(&rings);
    sender.activate(START);
    receive(&mut receiver);
    for first in 0..=frame.len() {
        for second in first..=frame.len() {
            let parts = [&frame[..first], &frame[first..second], &frame[second..]];
            sender
                .write_packet(&Packet::new(&parts).with_checksum(checksum))
                .unwrap();
            assert_eq!(receive(&mut receiver).1, expected);
        }
    }
    for (start, offset) in [(33, 0), (14, 20), (35, 0), (usize::MAX, 2)] {
        let parts = [&frame[..]];
        let packet = Packet::new(&parts).with_checksum(Checksum { start, offset });
        let len = frame.len();
        let error = FrameError::Checksum { start, offset, len };
        assert_eq!(sender.write_packet(&packet), Err(SendError::Frame(error)));
    }
}

/// Frames until there is none, by their lengths.
fn all(receiver: &mut Receiver<Heap, Ethernet>) -> std::vec::Vec<usize> {
    let mut lengths = std::vec::Vec::new();
    loop {
        match receive(receiver).0 {
            Received::Frame(frame) => lengths.push(frame.len),
            Received::NewEpoch { .. } => {}
            Received::Empty | Received::Inactive => return lengths,
            other => panic!("{other:?}"),
        }
    }
}

fn write(sender: &mut Sender<Heap, Ethernet, Bell<'_>>, lengths: core::ops::Range<usize>) {
    for len in lengths {
        sender.write(&[&[9; 114][..len]], Meta::default()).unwrap();
    }
}

#[test]
fn frames_from_before_coming_up_are_passed_over() {
    let rings = Cell::new(0);
    let (heap, mut sender, _) = ends(&rings);
    sender.activate(START);
    write(&mut sender, 20..25);
    let framing = Ethernet::new(MTU).unwrap();
    let mut receiver = Receiver::new(heap, PROTOCOL, framing).unwrap();
    assert_eq!(receiver.skipped(), 5);
    assert_eq!(
        receive(&mut receiver).0,
        Received::NewEpoch { epoch: START.get() }
    );
    assert_eq!(receive(&mut receiver).0, Received::Empty);
    write(&mut sender, 30..32);
    assert_eq!(all(&mut receiver), [30, 31]);
    // Down and up, while the peer sends.
    write(&mut sender, 40..43);
    receiver.open();
    assert_eq!(receiver.skipped(), 5 + 3);
    write(&mut sender, 50..51);
    assert_eq!(all(&mut receiver), [50]);
}

#[test]
fn an_epoch_that_begins_while_we_are_up_is_received_from_its_first_frame() {
    let rings = Cell::new(0);
    let (_, mut sender, mut receiver) = ends(&rings);
    // First seen with frames in it.
    sender.activate(START);
    write(&mut sender, 20..22);
    assert_eq!(all(&mut receiver), [20, 21]);
    // Another one begins between two looks; what was left of the first is gone.
    write(&mut sender, 25..27);
    receiver.open();
    sender.activate(PROTOCOL);
    write(&mut sender, 30..32);
    assert_eq!(all(&mut receiver), [30, 31]);
    // Came up between two epochs.
    sender.deactivate();
    receiver.open();
    sender.activate(START);
    write(&mut sender, 40..43);
    assert_eq!(all(&mut receiver), [40, 41, 42]);
}

#[test]
fn coming_up_over_an_unsound_header_skips_nothing_later() {
    let rings = Cell::new(0);
    let (heap, mut sender, mut receiver) = ends(&rings);
    sender.activate(START);
    write(&mut sender, 20..22);
    heap.poke(24, 0);
    receiver.open();
    assert!(matches!(receiver.peer(), Peer::Faulty(_)));
    assert_eq!(receiver.skipped(), 0);
    assert!(!receiver.came_up());
    sender.activate(PROTOCOL);
    write(&mut sender, 30..32);
    assert_eq!(all(&mut receiver), [30, 31]);
    assert!(receiver.came_up());
}

#[test]
fn a_peer_that_comes_up_is_rung_once() {
    let (ours, theirs) = (Cell::new(0), Cell::new(0));
    let (heap, mut peer, rx) = ends(&theirs);
    let (_, tx, _) = ends(&ours);
    let mut link = super::Link { rx, tx };
    let look = |link: &mut super::Link<_, _, _, _>| {
        for _ in 0..3 {
            link.peer();
            link.receive(&mut &mut [0; 200][..]);
        }
        ours.take()
    };
    // Not while we have nothing to say.
    peer.activate(START);
    assert_eq!(look(&mut link), 0);
    // The peer is there already: our start rings, and that alone.
    link.activate(START);
    assert_eq!(look(&mut link), 1);
    // It starts anew, seen by whichever look comes first.
    peer.activate(PROTOCOL);
    assert_eq!(look(&mut link), 1);
    peer.deactivate();
    assert_eq!(look(&mut link), 0);
    peer.activate(START);
    write(&mut peer, 20..21);
    link.receive(&mut &mut [0; 200][..]);
    assert_eq!(ours.take(), 1);
    assert_eq!(look(&mut link), 0);
    // Not for one that cannot be understood.
    heap.poke(8, 77);
    heap.poke(24, 0);
    assert_eq!(look(&mut link), 0);
    link.deactivate();
    assert_eq!(ours.take(), 1);
    peer.activate(PROTOCOL);
    assert_eq!(look(&mut link), 0);
}

#[test]
fn both_halves_say_what_they_are() {
    let rings = Cell::new(0);
    let (_, mut sender, mut receiver) = ends(&rings);
    assert_eq!((sender.epoch(), sender.elements()), (None, 3));
    assert_eq!((receiver.elements(), receiver.geometry()), (None, None));
    assert_eq!(receiver.capacity(), 3);
    assert!(!receiver.has_pending());
    sender.activate(START);
    assert_eq!(sender.epoch(), Some(START));
    assert!(receiver.has_pending());
    assert_eq!(all(&mut receiver), []);
    assert!(!receiver.has_pending());
    assert_eq!(receiver.elements(), Some(3));
    assert_eq!(receiver.geometry(), Some(sender.geometry()));
    write(&mut sender, 20..22);
    assert!(receiver.has_pending());
    receiver.drain();
    assert!(!receiver.has_pending());
    assert_eq!(all(&mut receiver), []);
}

#[test]
fn a_sender_that_is_detached_leaves_its_frames_and_rings_once() {
    let rings = Cell::new(0);
    let (_, mut sender, mut receiver) = ends(&rings);
    sender.activate(START);
    assert_eq!(all(&mut receiver), []);
    write(&mut sender, 20..22);
    let before = rings.get();
    sender.detach();
    sender.detach();
    assert_eq!(rings.get(), before + 1);
    assert!(!sender.is_active());
    assert_eq!(
        sender.send(&[&[0; 20]], Meta::default()),
        Err(SendError::Inactive)
    );
    assert_eq!(all(&mut receiver), [20, 21]);
}

#[test]
fn after_an_overrun_a_receiver_goes_on_where_it_was_told() {
    let rings = Cell::new(0);
    for (resume, expected) in [(Resume::Oldest, &[22, 23, 24][..]), (Resume::Newest, &[])] {
        let (_, mut sender, receiver) = ends(&rings);
        let mut receiver = receiver.with_resume(resume);
        sender.activate(START);
        assert_eq!(all(&mut receiver), []);
        write(&mut sender, 20..25);
        assert!(matches!(receive(&mut receiver).0, Received::Overrun { .. }));
        assert_eq!(all(&mut receiver), expected, "{resume:?}");
    }
}
