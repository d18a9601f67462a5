// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random lies, the same for the same seed.

use crate::{
    region::{Region, DATA, ELEMENTS, EPOCH, PROTOCOL, SIZE, START, TRANSPORT_AT, WRITTEN},
    Channel,
};
use std::{thread, time::Duration};

/// Numbers that look random (xorshift64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// A number as bugs like them.
    fn odd(&mut self, near: u64) -> u64 {
        match self.below(8) {
            0 => 0,
            1 => 1,
            2 => u64::MAX,
            3 => near.wrapping_add(1),
            4 => near.wrapping_sub(1),
            5 => 1 << self.below(64),
            6 => near.wrapping_mul(self.below(5)),
            _ => self.next(),
        }
    }
}

/// Tells `count` lies.
pub fn run(region: &mut Region, channel: &Channel, count: u64, seed: u64) {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let good = channel.mode.element(channel.mtu);
    region.start();
    for done in 0..count {
        match random.below(16) {
            // A sound start, so that what follows is looked at.
            0 | 1 => region.start(),
            2 => {
                let fields = [TRANSPORT_AT, PROTOCOL, SIZE, ELEMENTS, START, WRITTEN];
                let at = fields[random.below(6) as usize];
                let near = if at == SIZE {
                    region.size() as u64
                } else {
                    region.elements()
                };
                region.start_with(&[(at, random.odd(near))]);
            }
            3 => {
                let fields = [EPOCH, SIZE, ELEMENTS, PROTOCOL, TRANSPORT_AT];
                let at = fields[random.below(5) as usize];
                region.store(at, random.odd(region.size() as u64));
            }
            4 | 5 => {
                let near = region.written();
                region.store(START, random.odd(near));
                region.store(WRITTEN, random.odd(near));
            }
            6..=8 => {
                // A good element with a few bytes changed, where the lengths lie most often.
                let mut element = good.clone();
                for _ in 0..=random.below(4) {
                    let at = match random.below(4) {
                        0 => element.len() - 1 - random.below(2) as usize,
                        1 => random.below(16) as usize,
                        _ => random.below(element.len() as u64) as usize,
                    };
                    element[at] = random.next() as u8;
                }
                region.send(&element);
            }
            9 | 10 => region.send(&good),
            11 => {
                // Into the data, whatever is there.
                let at = DATA + random.below((region.len() - DATA - 8) as u64) as usize;
                region.put(at, &random.next().to_ne_bytes());
            }
            12 => {
                let mut element = good.clone();
                element
                    .iter_mut()
                    .for_each(|byte| *byte = random.next() as u8);
                region.send(&element);
            }
            _ => {
                for _ in 0..random.below(region.elements() * 2) {
                    region.send(&good[..good.len().min(64)]);
                }
            }
        }
        if done.is_multiple_of(8) {
            region.ring();
            thread::sleep(Duration::from_micros(100));
        }
    }
}
