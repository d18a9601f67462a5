// SPDX-License-Identifier: MIT OR Apache-2.0
//! Segments beside a reference that makes each of them from its meaning: every field from the
//! large packet's values, every checksum from all bytes and addresses.

use super::{Cut, CutError, Transport};
use crate::{
    framing::{Dynamic, FrameError, Framing, Meta, Mode},
    link::{Received, Receiver, SendError, Sender, Sent},
    shm::{heap::Heap, Part},
};
use core::num::NonZeroU64;
use proptest::prelude::*;
use std::{vec, vec::Vec};

/// A packet to be cut, by its fields.
#[derive(Debug, Clone)]
struct Large {
    ethernet: bool,
    tags: usize,
    version: u8,
    /// Options of IPv4 in words, or extension headers of IPv6 in units of eight bytes.
    more: usize,
    id: u16,
    protocol: Transport,
    options: usize,
    sequence: u32,
    flags: u8,
    payload: Vec<u8>,
    size: usize,
    fixed_id: bool,
    seed: u8,
}

impl Large {
    fn link(&self) -> Vec<u8> {
        if !self.ethernet {
            return Vec::new();
        }
        let mut bytes: Vec<u8> = (0..12).map(|at| self.seed.wrapping_add(at)).collect();
        for tag in 0..self.tags {
            bytes.extend([0x81, 0, 0, tag as u8 + 1]);
        }
        bytes.extend(if self.version == 4 {
            [0x08, 0]
        } else {
            [0x86, 0xdd]
        });
        bytes
    }

    fn addresses(&self) -> Vec<u8> {
        let len = if self.version == 4 { 8 } else { 32 };
        (0..len)
            .map(|at: u8| self.seed.wrapping_mul(at).wrapping_add(77))
            .collect()
    }

    fn number(&self) -> u8 {
        match self.protocol {
            Transport::Tcp => 6,
            Transport::Udp => 17,
        }
    }

    /// The IP header before `len` bytes, with a right checksum.
    fn network(&self, len: usize, id: u16) -> Vec<u8> {
        if self.version == 4 {
            let header = 20 + 4 * self.more;
            let mut bytes = vec![0x40 | (header / 4) as u8, 0x2e];
            bytes.extend(((header + len) as u16).to_be_bytes());
            bytes.extend(id.to_be_bytes());
            bytes.extend([0x40, 0, 61, self.number(), 0, 0]);
            bytes.extend(self.addresses());
            bytes.extend((0..4 * self.more).map(|_| 1));
            let sum = !sum(&bytes);
            bytes[10..12].copy_from_slice(&sum.to_be_bytes());
            bytes
        } else {
            let mut bytes = vec![0x62, 0xe1, 0x23, 0x45];
            bytes.extend(((8 * self.more + len) as u16).to_be_bytes());
            bytes.extend([if self.more > 0 { 60 } else { self.number() }, 61]);
            bytes.extend(self.addresses());
            if self.more > 0 {
                // Destination options with padding.
                let padding = 8 * self.more - 4;
                bytes.extend([self.number(), self.more as u8 - 1, 1, padding as u8]);
                bytes.extend((0..padding).map(|_| 0));
            }
            bytes
        }
    }

    fn pseudo(&self, len: usize) -> Vec<u8> {
        let mut bytes = self.addresses();
        bytes.extend((len as u32).to_be_bytes());
        bytes.extend([0, 0, 0, self.number()]);
        bytes
    }

    /// The transport's header before `payload`, whose checksum field is 0.
    fn transport(&self, offset: usize, flags: u8, payload: usize) -> Vec<u8> {
        let mut bytes = vec![0x12, 0x34, 0x56, 0x78];
        match self.protocol {
            Transport::Tcp => {
                bytes.extend(self.sequence.wrapping_add(offset as u32).to_be_bytes());
                bytes.extend([
                    9,
                    8,
                    7,
                    6,
                    0x50 + 0x10 * self.options as u8,
                    flags,
                    0xfa,
                    0xce,
                ]);
                bytes.extend([0, 0, 3, 1]);
                bytes.extend((0..4 * self.options).map(|at| self.seed ^ at as u8));
            }
            Transport::Udp => {
                bytes.extend(((8 + payload) as u16).to_be_bytes());
                bytes.extend([0, 0]);
            }
        }
        bytes
    }

    fn checksum_at(&self) -> usize {
        match self.protocol {
            Transport::Tcp => 16,
            Transport::Udp => 6,
        }
    }

    /// The packet as Linux has it, and how to cut it.
    fn packet(&self) -> (Vec<u8>, Cut) {
        let mut transport = self.transport(0, self.flags, self.payload.len());
        let len = transport.len() + self.payload.len();
        let at = self.checksum_at();
        let partial = sum(&self.pseudo(len)).to_be_bytes();
        transport[at..at + 2].copy_from_slice(&partial);
        let mut bytes = self.link();
        let network = bytes.len();
        bytes.extend(self.network(len, self.id));
        let cut = Cut {
            network,
            transport: bytes.len(),
            protocol: self.protocol,
            size: self.size,
            fixed_id: self.fixed_id,
        };
        bytes.extend(transport);
        bytes.extend(&self.payload);
        (bytes, cut)
    }

    /// The frames that are to leave.
    fn frames(&self) -> Vec<Vec<u8>> {
        let count = self.payload.chunks(self.size).count();
        let chunks = self.payload.chunks(self.size).enumerate();
        chunks
            .map(|(index, payload)| {
                let mut flags = self.flags;
                if index + 1 < count {
                    flags &= !0x09;
                }
                if index > 0 {
                    flags &= !0x80;
                }
                let mut transport = self.transport(index * self.size, flags, payload.len());
                let len = transport.len() + payload.len();
                let all = [&self.pseudo(len)[..], &transport, payload].concat();
                let checksum = match !sum(&all) {
                    0 => 0xffff,
                    checksum => checksum,
                };
                let at = self.checksum_at();
                transport[at..at + 2].copy_from_slice(&checksum.to_be_bytes());
                let id = match self.fixed_id {
                    true => self.id,
                    false => self.id.wrapping_add(index as u16),
                };
                [
                    &self.link()[..],
                    &self.network(len, id),
                    &transport,
                    payload,
                ]
                .concat()
            })
            .collect()
    }
}

/// The sum of RFC 1071, the last odd byte filled up with 0.
fn sum(bytes: &[u8]) -> u16 {
    let mut sum = 0_u64;
    for pair in bytes.chunks(2) {
        sum += u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0));
    }
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    sum as u16
}

prop_compose! {
    fn large()(
        ethernet: bool, tags in 0_usize..3, four: bool, more in 0_usize..6, id: u16,
        tcp: bool, options in 0_usize..11, sequence: u32, flags: u8,
        payload in prop::collection::vec(any::<u8>(), 1..5000),
        size in 1_usize..1500, fixed_id: bool, seed: u8,
    ) -> Large {
        Large {
            ethernet, tags, version: if four { 4 } else { 6 }, more, id,
            protocol: if tcp { Transport::Tcp } else { Transport::Udp },
            options, sequence, flags,
            // At most so many segments as the channel has elements.
            size: size.max(payload.len() / 60 + 1), payload, fixed_id, seed,
        }
    }
}

const MARK: u32 = 0xbead;

/// Sends by segments over a channel of `elements`, and receives.
fn cross(
    mode: Mode,
    mtu: u16,
    elements: usize,
    head: &[u8],
    parts: &[&[u8]],
    cut: &Cut,
) -> (Result<Sent, SendError>, Vec<Vec<u8>>) {
    let framing = Dynamic::new(mode, mtu).unwrap();
    let memory = Heap::new(64 + elements * framing.element_size());
    let protocol = NonZeroU64::MIN;
    let mut receiver = Receiver::new(memory.clone(), protocol, framing).unwrap();
    let mut sender = Sender::new(memory, protocol, framing, ()).unwrap();
    sender.activate(NonZeroU64::MIN);
    let parts = Part::of_slices(parts);
    let sent = sender.write_segments::<8>(head, parts, cut, Meta { mark: MARK });
    let mut frames = Vec::new();
    let mut buffer = vec![0; 65536];
    loop {
        match receiver.receive(&mut &mut buffer[..]) {
            Received::Frame(frame) => {
                if mode == Mode::NetHdr {
                    assert_eq!(frame.meta.mark, MARK);
                }
                frames.push(buffer[..frame.len].to_vec());
            }
            Received::NewEpoch { .. } => {}
            _ => return (sent, frames),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn segments_are_what_the_reference_makes(
        large in large(),
        borders in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let (packet, cut) = large.packet();
        let expected = large.frames();
        let headers = packet.len() - large.payload.len();
        let mut borders: Vec<_> =
            borders.iter().map(|at| headers + at.index(large.payload.len())).collect();
        borders.sort_unstable();
        let (mut parts, mut from) = (Vec::new(), 0);
        for border in borders {
            parts.push(&packet[from..border]);
            from = border;
        }
        parts.push(&packet[from..]);
        let mode = if large.ethernet { Mode::Ethernet } else { Mode::NetHdr };
        let (sent, frames) = cross(mode, 2000, 64, parts[0], &parts, &cut);
        let bytes = expected.iter().map(Vec::len).sum();
        prop_assert_eq!(sent, Ok(Sent { frames: expected.len(), bytes }));
        prop_assert_eq!(frames, expected);
    }

    /// Any bytes and any request: an error, or as many frames as are told of.
    #[test]
    fn nonsense_is_refused_or_sent(
        packet in prop::collection::vec(any::<u8>(), 0..400),
        first in prop::sample::select(vec![0x45_u8, 0x4f, 0x60, 0]),
        network in 0_usize..60, transport in 0_usize..250, tcp: bool, size in 0_usize..300,
    ) {
        let mut packet = packet;
        if let Some(at) = packet.get_mut(network) {
            *at = first;
        }
        let protocol = if tcp { Transport::Tcp } else { Transport::Udp };
        let cut = Cut { network, transport, protocol, size, fixed_id: false };
        let (sent, frames) = cross(Mode::Ethernet, 600, 512, &packet, &[&packet], &cut);
        match sent {
            Ok(sent) => {
                prop_assert_eq!(frames.len(), sent.frames);
                prop_assert_eq!(frames.iter().map(Vec::len).sum::<usize>(), sent.bytes);
            }
            Err(_) => prop_assert!(frames.is_empty()),
        }
    }
}

fn tcp(payload: usize, size: usize) -> Large {
    Large {
        ethernet: true,
        tags: 0,
        version: 4,
        more: 0,
        id: 7,
        protocol: Transport::Tcp,
        options: 3,
        sequence: 1,
        flags: 0x99,
        payload: vec![0x5a; payload],
        size,
        fixed_id: false,
        seed: 3,
    }
}

#[test]
fn segments_longer_than_an_element_are_refused_as_a_whole() {
    for (mtu, fits) in [(1499, false), (1500, true)] {
        let large = tcp(4000, 1448);
        let (packet, cut) = large.packet();
        let (sent, frames) = cross(Mode::Ethernet, mtu, 8, &packet, &[&packet], &cut);
        let max = usize::from(mtu) + 14;
        let too_long = SendError::Frame(FrameError::TooLong { len: 1514, max });
        assert_eq!(sent.err(), (!fits).then_some(too_long));
        assert_eq!(frames.len(), if fits { 3 } else { 0 });
    }
}

#[test]
fn more_parts_than_there_is_room_for_are_refused() {
    let large = tcp(4000, 1448);
    let (packet, cut) = large.packet();
    for (count, fits) in [(6, true), (7, false)] {
        let mut parts = vec![&packet[..]];
        parts.resize(count, &[]);
        let (sent, _) = cross(Mode::Ethernet, 1500, 8, &packet, &parts, &cut);
        let refused = SendError::Cut(CutError::Parts { parts: 7, max: 6 });
        assert_eq!(sent.err(), (!fits).then_some(refused));
    }
}

#[test]
fn more_segments_than_elements_lose_the_first() {
    let large = tcp(1000, 100);
    let (packet, cut) = large.packet();
    let framing_elements = 4;
    let (sent, frames) = cross(
        Mode::Ethernet,
        200,
        framing_elements,
        &packet,
        &[&packet],
        &cut,
    );
    assert_eq!(sent.map(|sent| sent.frames), Ok(10));
    let expected = large.frames();
    for frame in &frames {
        assert!(expected[6..].contains(frame), "an older or a torn frame");
    }
}

#[test]
fn an_inactive_sender_refuses() {
    let framing = Dynamic::new(Mode::Ethernet, 1500).unwrap();
    let memory = Heap::new(20000);
    let mut sender = Sender::new(memory, NonZeroU64::MIN, framing, ()).unwrap();
    let (packet, cut) = tcp(4000, 1448).packet();
    let parts = [&packet[..]];
    let sent = sender.write_segments::<8>(&packet, Part::of_slices(&parts), &cut, Meta::default());
    assert_eq!(sent, Err(SendError::Inactive));
}
