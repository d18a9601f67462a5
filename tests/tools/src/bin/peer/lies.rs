// SPDX-License-Identifier: MIT OR Apache-2.0
//! One lie at a time: each that the protocol's description lists.

use crate::{
    frames::Mode,
    region::{Region, DATA, ELEMENTS, EPOCH, PROTOCOL, SIZE, START, TRANSPORT_AT, WRITTEN},
    Channel,
};
use clap::ValueEnum;
use std::time::{Duration, Instant};

/// The kinds of lies.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Lie {
    /// The header is no channel's.
    Transport,
    /// The elements mean something else.
    Protocol,
    /// Elements of no bytes: who divides by it fails.
    SizeZero,
    /// Elements of one byte, or of the framing's header less one.
    SizeSmall,
    /// One element larger than the region.
    SizeHuge,
    /// No elements: who divides by it fails.
    ElementsZero,
    /// One more than fits.
    ElementsOneMore,
    /// Size times elements overflows to something small.
    ElementsOverflow,
    /// The write count goes back.
    WrittenBackwards,
    /// The write start count is behind the write count.
    StartBehind,
    /// The write count jumps to the largest number.
    WrittenMax,
    /// The write count jumps by far more than the ring holds, again and again.
    WrittenJumps,
    /// A length above everything.
    LengthMax,
    /// A length of one more than an element takes.
    LengthOneMore,
    /// A length below a header.
    LengthShort,
    /// A length of nothing.
    LengthZero,
    /// An IP packet of neither version.
    UnknownProtocol,
    /// A version that contradicts the protocol.
    Version,
    /// An IP header that says more than the length field.
    IpLonger,
    /// An IPv6 packet whose length overflows 16 bits.
    Ipv6Longest,
    /// A length that changes all the time while it is read.
    FlippingLength,
    /// A header that changes all the time while it is read.
    FlippingHeader,
    /// Ten thousand bad elements.
    Flood,
}

impl Lie {
    /// Tells it, and rings.
    pub fn tell(self, region: &mut Region, channel: &Channel) {
        let good = channel.mode.element(channel.mtu);
        let elements = region.elements();
        let size = region.size() as u64;
        let mut header = |lies: &[(usize, u64)]| region.start_with(lies);
        match self {
            Self::Transport => header(&[(TRANSPORT_AT, 0x4873_12b6_b79a_9b6c)]),
            Self::Protocol => header(&[(PROTOCOL, channel.protocol + 1)]),
            Self::SizeZero => header(&[(SIZE, 0)]),
            Self::SizeSmall => header(&[(SIZE, if channel.mode == Mode::Raw { 0 } else { 15 })]),
            Self::SizeHuge => header(&[(SIZE, u64::MAX / 2), (ELEMENTS, 1)]),
            Self::ElementsZero => header(&[(ELEMENTS, 0)]),
            Self::ElementsOneMore => header(&[(ELEMENTS, elements + 1)]),
            Self::ElementsOverflow => {
                header(&[(SIZE, 1 << 32), (ELEMENTS, (1 << 32) + 1)]);
            }
            Self::WrittenBackwards => {
                region.start();
                for _ in 0..elements / 2 {
                    region.send(&good);
                }
                region.ring();
                std::thread::sleep(Duration::from_millis(300));
                region.store(WRITTEN, 1);
            }
            Self::StartBehind => header(&[(WRITTEN, 3), (START, 0)]),
            Self::WrittenMax => header(&[(WRITTEN, u64::MAX), (START, u64::MAX)]),
            Self::WrittenJumps => {
                region.start();
                for jump in 1..200u64 {
                    let count = jump.wrapping_mul(0x0123_4567_89ab_cdef) >> 8;
                    let count = count.max(region.written());
                    region.store(START, count);
                    region.store(WRITTEN, count);
                    region.ring();
                    std::thread::sleep(Duration::from_micros(500));
                }
            }
            Self::FlippingLength => {
                region.start();
                for _ in 0..elements / 2 {
                    region.send(&good);
                }
                region.ring();
                self.flip(region, channel, size);
            }
            Self::FlippingHeader => {
                region.start();
                let until = Instant::now() + Duration::from_secs(1);
                while Instant::now() < until {
                    region.store(SIZE, 0);
                    region.store(ELEMENTS, u64::MAX);
                    region.store(EPOCH, 0);
                    region.start();
                    region.send(&good);
                    region.ring();
                }
            }
            Self::Flood => {
                region.start();
                for round in 0..10_000u64 {
                    region.send(&self.bad(good.clone(), channel.mode));
                    if round % (elements / 4).max(1) == 0 {
                        region.ring();
                        std::thread::sleep(Duration::from_millis(2));
                    }
                }
            }
            _ => {
                region.start();
                region.send(&self.bad(good, channel.mode));
            }
        }
        region.ring();
    }

    /// A good element with the lie in it.
    fn bad(self, mut element: Vec<u8>, mode: Mode) -> Vec<u8> {
        let end = element.len();
        let room = end - 2;
        let (ethernet, ip) = match self {
            Self::LengthMax | Self::Flood => (0xffff, 0xffff),
            Self::LengthOneMore => (room + 1, end - 8 + 1),
            Self::LengthShort => (13, 19),
            _ => (0, 0),
        };
        match (mode, self) {
            (Mode::NetHdr, Self::UnknownProtocol) => element[6] = 99,
            (Mode::NetHdr, Self::Version) => element[6] = 41,
            (Mode::NetHdr, Self::IpLonger) => element[4] = 27,
            (Mode::NetHdr, Self::Ipv6Longest) => {
                element[4..7].copy_from_slice(&[0xff, 0xff, 41]);
                element[8] = 0x60;
                element[12..14].copy_from_slice(&[0xff, 0xff]);
            }
            (Mode::NetHdr, _) => {
                element[4..6].copy_from_slice(&[0xff, 0xff]);
                element[10..12].copy_from_slice(&(ip as u16).to_be_bytes());
            }
            (Mode::EthDev, _) => {
                element[end - 2..].copy_from_slice(&(ethernet as u16).to_le_bytes());
            }
            (Mode::Raw, _) => {}
        }
        element
    }

    /// Changes the lengths of all elements, back and forth.
    fn flip(self, region: &mut Region, channel: &Channel, size: u64) {
        let good = channel.mode.element(channel.mtu);
        let at = match channel.mode {
            Mode::Raw => return,
            Mode::NetHdr => 10,
            Mode::EthDev => good.len() - 2,
        };
        let until = Instant::now() + Duration::from_secs(1);
        let mut round = 0u64;
        while Instant::now() < until {
            for slot in 0..region.elements() {
                let start = DATA + (slot * size) as usize;
                region.put(start + at, &[0xff, 0xff]);
                region.put(start + at, &good[at..at + 2]);
            }
            round += 1;
            if round.is_multiple_of(8) {
                for _ in 0..16 {
                    region.send(&good);
                }
                region.ring();
            }
        }
    }
}
