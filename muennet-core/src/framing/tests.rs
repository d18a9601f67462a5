// SPDX-License-Identifier: MIT OR Apache-2.0
//! Packets that each mode takes, and those that it refuses.

use super::{
    Dynamic, Ethernet, Frame, FrameError, Framing, Meta, MtuError, NetHdr, Packet, Raw, Reject,
    Remedy, LONGEST,
};
use crate::channel::{Read, Reader, Writer};
use crate::config::Mode;
use crate::shm::heap::Heap;
use core::num::NonZeroU64;
use std::{vec, vec::Vec};

const PROTOCOL: NonZeroU64 = NonZeroU64::MIN;

/// Lays `packet` into an element by `framing`, unless it is refused; then `lie`
/// changes the element's bytes, and it is taken out by the same framing.
fn through<F: Framing>(
    framing: &F,
    packet: &Packet<'_>,
    room: usize,
    lie: impl FnOnce(&Heap),
) -> Result<Result<(Frame, Vec<u8>), Reject>, FrameError> {
    element_of(framing.element_size(), framing, packet, room, lie)
}

/// As [`through`], with elements of `size` bytes.
fn element_of<F: Framing>(
    size: usize,
    framing: &F,
    packet: &Packet<'_>,
    room: usize,
    lie: impl FnOnce(&Heap),
) -> Result<Result<(Frame, Vec<u8>), Reject>, FrameError> {
    let head = framing.admit(packet)?;
    let heap = Heap::new(64 + size);
    let mut writer = Writer::new(heap.clone(), PROTOCOL, size).unwrap();
    let mut reader = Reader::new(heap.clone(), PROTOCOL, framing.min_element()).unwrap();
    writer.activate(PROTOCOL);
    assert!(matches!(reader.read(|_| ()), Read::NewEpoch { .. }));
    writer.write(|slot| framing.encode(slot, head, packet));
    lie(&heap);
    let mut buffer = vec![0xee; room];
    let read = reader.read(|element| framing.decode(element, &mut &mut buffer[..]));
    let Read::Taken(result) = read else {
        panic!("{read:?}")
    };
    Ok(result.map(|frame| (frame, buffer[..frame.len].to_vec())))
}

fn ipv4(len: u16) -> Vec<u8> {
    let mut packet = vec![0; len.max(20).into()];
    packet[0] = 0x45;
    packet[2..4].copy_from_slice(&len.to_be_bytes());
    packet
}

fn ipv6(payload: u16) -> Vec<u8> {
    let mut packet = vec![0; 40 + usize::from(payload)];
    packet[0] = 0x60;
    packet[4..6].copy_from_slice(&payload.to_be_bytes());
    packet
}

const NO_LIE: fn(&Heap) = |_| ();

#[test]
fn raw_pads_and_gives_the_whole_element() {
    let framing = Raw::new(10).unwrap();
    let (frame, bytes) = through(&framing, &Packet::new(&[b"abc"]), 10, NO_LIE)
        .unwrap()
        .unwrap();
    assert_eq!(frame.len, 10);
    assert_eq!(bytes, b"abc\0\0\0\0\0\0\0");
    assert_eq!(
        through(&framing, &Packet::new(&[&[0; 11]]), 10, NO_LIE),
        Err(FrameError::TooLong { len: 11, max: 10 })
    );
    assert_eq!(
        through(&framing, &Packet::new(&[b"", b""]), 10, NO_LIE),
        Err(FrameError::TooShort { len: 0, min: 1 })
    );
    assert_eq!(
        through(&framing, &Packet::new(&[b"abc"]), 9, NO_LIE),
        Ok(Err(Reject::NoRoom { len: 10 }))
    );
    // Elements of a peer with a larger MTU are taken, up to the longest frame there is.
    for size in [11, LONGEST] {
        let taken = element_of(size, &framing, &Packet::new(&[b"abc"]), LONGEST, NO_LIE);
        assert_eq!(taken.unwrap().unwrap().0.len, size);
    }
    assert_eq!(
        element_of(
            LONGEST + 1,
            &framing,
            &Packet::new(&[b"abc"]),
            LONGEST,
            NO_LIE
        ),
        Ok(Err(Reject::TooLong {
            found: LONGEST + 1,
            max: LONGEST
        }))
    );
}

/// Two payloads in the one slot of a channel, and its bytes behind the second's.
#[test]
fn raw_clears_what_a_longer_payload_left_in_the_slot() {
    let framing = Raw::new(64).unwrap();
    let heap = Heap::new(64 + 64);
    let mut writer = Writer::new(heap.clone(), PROTOCOL, 64).unwrap();
    let mut reader = Reader::new(heap, PROTOCOL, framing.min_element()).unwrap();
    assert_eq!(writer.geometry().elements(), 1);
    writer.activate(PROTOCOL);
    assert!(matches!(reader.read(|_| ()), Read::NewEpoch { .. }));
    for payload in [&[0xaa; 64][..], &[0xbb; 3]] {
        let parts = [payload];
        let packet = Packet::new(&parts);
        framing.admit(&packet).unwrap();
        writer.write(|slot| framing.encode(slot, (), &packet));
        let mut buffer = [0xee; 64];
        let read = reader.read(|element| framing.decode(element, &mut &mut buffer[..]));
        assert!(matches!(read, Read::Taken(Ok(Frame { len: 64, .. }))));
        assert_eq!(&buffer[..payload.len()], payload);
        assert!(buffer[payload.len()..].iter().all(|byte| *byte == 0));
    }
}

/// A peer whose elements are smaller than our MTU, and whose lengths are not.
#[test]
fn an_ip_packet_ends_where_its_element_does() {
    let framing = NetHdr::new(100).unwrap();
    for (claimed, expected) in [
        (50, Ok(50)),
        (51, Err(Reject::TooLong { found: 51, max: 50 })),
    ] {
        let packet = ipv4(50);
        let lie = |heap: &Heap| {
            heap.poke(64, 100 << 32 | 4 << 48);
            let prefix = [0x45, 0, 0, claimed, 0, 0, 0, 0];
            heap.poke(72, u64::from_le_bytes(prefix));
        };
        let taken = element_of(58, &framing, &Packet::new(&[&packet]), 200, lie);
        assert_eq!(taken.unwrap().map(|(frame, _)| frame.len), expected);
    }
}

#[test]
fn frames_longer_than_our_own_mtu_are_received() {
    let packet = ipv4(1500);
    for mode in [Mode::Raw, Mode::NetHdr, Mode::Ethernet] {
        let (ours, theirs) = (
            Dynamic::new(mode, 60).unwrap(),
            Dynamic::new(mode, 1500).unwrap(),
        );
        let parts: [&[u8]; 1] = [&packet];
        let sent = Packet::new(&parts);
        let head = theirs.admit(&sent).unwrap();
        let size = theirs.element_size();
        let heap = Heap::new(64 + size);
        let mut writer = Writer::new(heap.clone(), PROTOCOL, size).unwrap();
        let mut reader = Reader::new(heap, PROTOCOL, ours.min_element()).unwrap();
        writer.activate(PROTOCOL);
        assert!(matches!(reader.read(|_| ()), Read::NewEpoch { .. }));
        writer.write(|slot| theirs.encode(slot, head, &sent));
        let mut buffer = vec![0xee; 1500];
        let read = reader.read(|element| ours.decode(element, &mut &mut buffer[..]));
        let Read::Taken(Ok(frame)) = read else {
            panic!("{mode:?}: {read:?}")
        };
        assert_eq!((frame.len, &buffer), (1500, &packet));
    }
}

#[test]
fn ip_packets_of_both_versions_keep_length_and_mark() {
    let framing = NetHdr::new(100).unwrap();
    let meta = Meta { mark: 0xdead_beef };
    for packet in [ipv4(20), ipv4(21), ipv4(100), ipv6(0), ipv6(60)] {
        for cut in [0, 1, 2, 20] {
            let (head, tail) = packet.split_at(cut);
            let parts = [head, tail];
            let through = through(
                &framing,
                &Packet::new(&parts).with_meta(meta),
                packet.len(),
                NO_LIE,
            );
            let len = packet.len();
            assert_eq!(through, Ok(Ok((Frame { len, meta }, packet.clone()))));
        }
    }
}

#[test]
fn what_is_no_ip_packet_is_not_sent() {
    let framing = NetHdr::new(100).unwrap();
    let refused = |bytes: &[u8]| through(&framing, &Packet::new(&[bytes]), 200, NO_LIE);
    assert_eq!(refused(b""), Err(FrameError::TooShort { len: 0, min: 20 }));
    assert_eq!(
        refused(b"\x45"),
        Err(FrameError::TooShort { len: 1, min: 20 })
    );
    assert_eq!(
        refused(&ipv4(20)[..19]),
        Err(FrameError::TooShort { len: 19, min: 20 })
    );
    assert_eq!(
        refused(&ipv6(0)[..39]),
        Err(FrameError::TooShort { len: 39, min: 40 })
    );
    assert_eq!(refused(&[0x55; 50]), Err(FrameError::NotIp { version: 5 }));
    assert_eq!(
        refused(&ipv4(101)),
        Err(FrameError::TooLong { len: 101, max: 100 })
    );
}

#[test]
fn a_lying_ip_header_costs_one_packet() {
    let framing = NetHdr::new(100).unwrap();
    let taken = |lie: fn(&Heap)| {
        let packet = ipv4(40);
        through(&framing, &Packet::new(&[&packet]), 100, lie).unwrap()
    };
    assert!(taken(NO_LIE).is_ok());
    // The element's first word: mark, length (40), protocol (4), qos.
    assert_eq!(
        taken(|heap| heap.poke(64, 40 << 32 | 5 << 48)),
        Err(Reject::UnknownProtocol { found: 5 })
    );
    assert_eq!(
        taken(|heap| heap.poke(64, 40 << 32 | 41 << 48)),
        Err(Reject::Version {
            found: 4,
            expected: 6
        })
    );
    assert_eq!(
        taken(|heap| heap.poke(64, 39 << 32 | 4 << 48)),
        Err(Reject::LengthMismatch { ip: 40, field: 39 })
    );
    // The IP header's first word: version, TOS, total length.
    assert_eq!(
        taken(|heap| heap.poke(72, u64::from_le_bytes([0x45, 0, 0, 19, 0, 0, 0, 0]))),
        Err(Reject::TooShort { found: 19, min: 20 })
    );
    assert_eq!(
        taken(|heap| {
            heap.poke(64, 0xffff << 32 | 4 << 48);
            heap.poke(72, u64::from_le_bytes([0x45, 0, 0xff, 0xff, 0, 0, 0, 0]));
        }),
        Err(Reject::TooLong {
            found: 0xffff,
            max: 100
        })
    );
    let packet = ipv4(40);
    assert_eq!(
        through(&framing, &Packet::new(&[&packet]), 39, NO_LIE),
        Ok(Err(Reject::NoRoom { len: 40 }))
    );
}

#[test]
fn a_tag_has_room_beside_the_mtu() {
    let plain = Ethernet::new(1500).unwrap();
    let tagged = Ethernet::with_vlan(1500).unwrap();
    assert_eq!((plain.element_size(), plain.max_frame()), (1516, 1514));
    assert_eq!((tagged.element_size(), tagged.max_frame()), (1520, 1518));
    assert_eq!(tagged.max_untagged(), 1514);
    let frame = [0x81; 1518];
    let parts: [&[u8]; 1] = [&frame];
    let packet = Packet::new(&parts);
    let (len, max) = (1518, 1514);
    assert_eq!(plain.admit(&packet), Err(FrameError::TooLong { len, max }));
    let (taken, bytes) = through(&tagged, &packet, 1518, NO_LIE).unwrap().unwrap();
    assert_eq!((taken.len, &bytes[..]), (1518, &frame[..]));
    let max = Ethernet::MAX_VLAN_MTU;
    assert!(Ethernet::with_vlan(max).is_ok());
    let mtu = max + 1;
    assert_eq!(Ethernet::with_vlan(mtu), Err(MtuError { mtu, max }));
    for (framing, len, remedy) in [
        (Dynamic::Ethernet(plain), 1515, Remedy::Vlan),
        (Dynamic::Ethernet(plain), 1518, Remedy::Vlan),
        (Dynamic::Ethernet(plain), 1519, Remedy::Mtu { least: 1505 }),
        (Dynamic::Ethernet(tagged), 1519, Remedy::Mtu { least: 1505 }),
        (
            Dynamic::new(Mode::NetHdr, 60).unwrap(),
            61,
            Remedy::Mtu { least: 61 },
        ),
    ] {
        assert_eq!(Remedy::of(&framing, len), remedy, "{framing:?} {len}");
    }
}

#[test]
fn the_mode_chosen_at_run_time_is_the_mode() {
    let packet = ipv4(60);
    for (mode, size, min, max) in [
        (Mode::Raw, 60, 1, 60),
        (Mode::NetHdr, 68, 28, 60),
        (Mode::Ethernet, 76, 16, 74),
    ] {
        let framing = Dynamic::new(mode, 60).unwrap();
        assert_eq!(framing.element_size(), size);
        assert_eq!(framing.max_frame(), max);
        assert_eq!(framing.min_element(), min);
        let parts: [&[u8]; 1] = [&packet];
        let (frame, bytes) = through(&framing, &Packet::new(&parts), 100, NO_LIE)
            .unwrap()
            .unwrap();
        assert_eq!((frame.len, &bytes), (60, &packet));
        assert!(through(&framing, &Packet::new(&[&[0x45; 80]]), 100, NO_LIE).is_err());
        assert_eq!(
            Dynamic::new(mode, 0),
            Err(MtuError {
                mtu: 0,
                max: match mode {
                    Mode::Ethernet => Ethernet::MAX_MTU,
                    _ => u16::MAX,
                }
            })
        );
    }
}

#[test]
fn the_head_of_another_mode_leaves_the_element_alone() {
    let raw = Dynamic::new(Mode::Raw, 60).unwrap();
    let ethernet = Dynamic::new(Mode::Ethernet, 60).unwrap();
    let packet = ipv4(60);
    let parts: [&[u8]; 1] = [&packet];
    let packet = Packet::new(&parts);
    let head = raw.admit(&packet).unwrap();
    let heap = Heap::new(64 + 76);
    let mut writer = Writer::new(heap.clone(), PROTOCOL, 76).unwrap();
    writer.activate(PROTOCOL);
    writer.write(|slot| ethernet.encode(slot, head, &packet));
    assert!((64..136).step_by(8).all(|at| heap.peek(at) == 0));
}
