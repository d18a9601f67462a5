// SPDX-License-Identifier: MIT OR Apache-2.0
//! The other side: one thread that keeps to the protocol, and one that does not.

use crate::{
    memory::{Mapped, SIZE},
    random::Random,
    Race,
};
use muennet_core::{
    framing::{Dynamic, Framing, Meta},
    link::Sender,
};
use std::{num::NonZeroU64, sync::atomic::Ordering, thread, time::Duration};

/// The protocol of all ends.
pub const PROTOCOL: NonZeroU64 = NonZeroU64::new(7).unwrap();
/// Frames of an epoch.
const FRAMES: usize = 500;
/// Hostile writes at a stretch.
const STRETCH: u64 = 4000;
/// Fields of the header, by words.
const EPOCH: usize = 1;
const ELEMENT_SIZE: usize = 3;
const ELEMENTS: usize = 4;
const WRITE_START: usize = 6;
const WRITTEN: usize = 7;
/// Where elements begin.
const DATA: usize = 64;

/// A sound IPv4 packet of `len` bytes, which is a sound frame of any mode.
pub fn packet(len: usize) -> Vec<u8> {
    let mut packet = vec![0x5a; len.max(20)];
    packet[0] = 0x45;
    let length = (packet.len() as u16).to_be_bytes();
    packet[2..4].copy_from_slice(&length);
    packet
}

/// Writes sound frames, epoch after epoch.
pub fn honest(race: &Race, memory: Mapped, framing: Dynamic) {
    let mut sender = Sender::new(memory, PROTOCOL, framing, ()).expect("room");
    let mut random = Random::new(0x1234_5678_9abc);
    while !race.is_over() {
        sender.activate(NonZeroU64::new(random.next()).unwrap_or(PROTOCOL));
        for _ in 0..FRAMES {
            let packet = packet(20 + random.below(280));
            let mark = random.next() as u32;
            sender.write(&[&packet], Meta { mark }).expect("a frame");
        }
        if random.below(4) == 0 {
            sender.deactivate();
        }
    }
}

/// Writes whatever it likes to all of `memories`, in stretches with pauses between them, so
/// that some frames arrive whole.
pub fn hostile(race: &Race, memories: [Mapped; 2], framing: Dynamic) {
    let mut random = Random::new(0x0bad_cafe_f00d);
    while !race.is_over() {
        let length = 1 + random.next() % STRETCH;
        let flips = random.below(4) == 0;
        for _ in 0..length {
            if flips {
                flip(&mut random, &memories[0], framing.element_size());
            } else {
                let memory = &memories[random.below(2)];
                attack(&mut random, memory, framing.element_size());
            }
        }
        race.hostile_writes.fetch_add(length, Ordering::Relaxed);
        if random.below(8) == 0 {
            thread::sleep(Duration::from_micros(200));
        }
    }
}

/// Turns the length of a packet into another that is sound: who fetches it twice gets two.
fn flip(random: &mut Random, memory: &Mapped, element: usize) {
    let start = DATA + random.below((SIZE - DATA) / element) * element;
    memory.store_byte(start + 8 + 3, random.of(&[20, 28]));
}

/// One write, or a few that belong together.
fn attack(random: &mut Random, memory: &Mapped, element: usize) {
    let strange = |random: &mut Random| {
        let near = random.below(64) as u64;
        let numbers = [
            0,
            near,
            element as u64,
            near.wrapping_neg(),
            (SIZE - DATA) as u64,
            1 << 63,
            random.next(),
        ];
        random.of(&numbers)
    };
    match random.below(16) {
        0 => {
            let field = random.below(DATA / 8);
            memory.store(field, strange(random));
        }
        1 => memory.store(EPOCH, strange(random)),
        // Sizes that fit, or nearly.
        2 => {
            memory.store(ELEMENT_SIZE, 1 + random.below(2 * element) as u64);
            memory.store(ELEMENTS, random.below(64) as u64);
        }
        // Counters that move on, back, or apart.
        3..=5 => {
            let step = random.of(&[1, 2, 26, 27, 1000, u64::MAX, u64::MAX - 26]);
            for count in [WRITE_START, WRITTEN] {
                memory.store(count, memory.load(count).wrapping_add(step));
            }
        }
        6 => {
            let ahead = random.below(40) as u64;
            memory.store(WRITE_START, memory.load(WRITTEN).wrapping_add(ahead));
        }
        // Lengths: at the end of an element, in its header, and in that of its packet.
        7..=11 => {
            let start = DATA + random.below(SIZE / element) * element;
            let places = [0, 4, 5, 6, 8, 10, 11, 12, 13, element - 2, element - 1];
            let at = start + random.of(&places);
            let any = random.next() as u8;
            let value = random.of(&[0, 1, 4, 20, 41, 0x45, 0x60, 0xff, any]);
            memory.store_byte(at, value);
        }
        _ => memory.store(random.below(SIZE / 8), random.next()),
    }
}
