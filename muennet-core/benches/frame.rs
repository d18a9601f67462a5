// SPDX-License-Identifier: MIT OR Apache-2.0
//! One Ethernet frame written and read, beside two memcpy of the same length
//! through a ring of the same size.

#![allow(missing_docs)] // criterion's macros make a function without.

use criterion::{criterion_group, criterion_main, BenchmarkId, Criterion, Throughput};
use muennet_core::framing::{Ethernet, Frame, Framing, Meta};
use muennet_core::link::{Received, Receiver, Sender};
use muennet_core::shm::{Memory, MemoryMut};
use std::{hint::black_box, num::NonZeroU64, ptr::NonNull, sync::Arc};

const RING: usize = 4 << 20;
const PROTOCOL: NonZeroU64 = NonZeroU64::new(0x7ade_5c54_9b08_e814).unwrap();
const LENGTHS: [usize; 3] = [64, 256, 1514];

/// Heap memory that both ends share.
#[derive(Clone)]
struct Ring(Arc<Words>);

struct Words(std::cell::UnsafeCell<Vec<u64>>);

// SAFETY: only the channel types access the words, by volatile and atomic access.
unsafe impl Sync for Words {}
// SAFETY: as above; the vector itself is never touched again.
unsafe impl Send for Words {}

impl Ring {
    fn new() -> Self {
        Self(Arc::new(Words(vec![0; RING / 8].into())))
    }
}

// SAFETY: the vector is never resized and lives as long as any clone.
unsafe impl Memory for Ring {
    fn base(&self) -> NonNull<u8> {
        // SAFETY: no other reference to the vector exists.
        NonNull::new(unsafe { (*self.0 .0.get()).as_mut_ptr() }.cast()).unwrap()
    }

    fn len(&self) -> usize {
        RING
    }
}

// SAFETY: behind an `UnsafeCell`; the one writer is the sender.
unsafe impl MemoryMut for Ring {}

fn baseline(frame: &[u8], ring: &mut [u8], slot: &mut usize, out: &mut [u8]) {
    let element = Ethernet::new(1500).unwrap().element_size();
    let at = *slot * element;
    *slot = if *slot + 2 > RING / element {
        0
    } else {
        *slot + 1
    };
    ring[at..at + frame.len()].copy_from_slice(black_box(frame));
    out[..frame.len()].copy_from_slice(black_box(&ring[at..at + frame.len()]));
    black_box(out);
}

fn frame(c: &mut Criterion) {
    let framing = Ethernet::new(1500).unwrap();
    let mut group = c.benchmark_group("frame");
    for len in LENGTHS {
        group.throughput(Throughput::Bytes(len as u64));
        let data = vec![0xa5; len];
        let mut out = vec![0; 2048];

        let mut ring = vec![0; RING];
        let mut slot = 0;
        group.bench_function(BenchmarkId::new("memcpy", len), |b| {
            b.iter(|| baseline(&data, &mut ring, &mut slot, &mut out));
        });

        let ring = Ring::new();
        let mut sender = Sender::new(ring.clone(), PROTOCOL, framing, ()).unwrap();
        let mut receiver = Receiver::new(ring, PROTOCOL, framing).unwrap();
        sender.activate(PROTOCOL);
        assert_eq!(
            receiver.receive(&mut &mut out[..]),
            Received::NewEpoch {
                epoch: PROTOCOL.get()
            }
        );
        group.bench_function(BenchmarkId::new("channel", len), |b| {
            b.iter(|| {
                sender.send(black_box(&[&data]), Meta::default()).unwrap();
                let received = receiver.receive(&mut &mut out[..]);
                assert!(
                    matches!(received, Received::Frame(Frame { len: found, .. }) if found == len)
                );
                black_box(&out);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, frame);
criterion_main!(benches);
