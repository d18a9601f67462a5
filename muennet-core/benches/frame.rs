// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ethernet frames through a channel, one by one and in batches, by criterion.

#![allow(missing_docs)] // criterion's macros make a function without.

#[expect(unsafe_code, reason = "a channel in private memory")]
mod ring;

use criterion::{criterion_group, criterion_main, BenchmarkId, Criterion, Throughput};
use ring::{Channel, Plain, BATCH};

const LENGTHS: [usize; 3] = [64, 256, 1514];

fn single(c: &mut Criterion) {
    let mut group = c.benchmark_group("frame");
    for len in LENGTHS {
        group.throughput(Throughput::Bytes(len as u64));
        let mut plain = Plain::new(len);
        group.bench_function(BenchmarkId::new("memcpy", len), |b| {
            b.iter(|| plain.single());
        });
        let mut channel = Channel::new(len);
        group.bench_function(BenchmarkId::new("channel", len), |b| {
            b.iter(|| channel.single());
        });
    }
    group.finish();
}

fn batch(c: &mut Criterion) {
    let mut group = c.benchmark_group("batch of 32");
    for len in LENGTHS {
        group.throughput(Throughput::Bytes((len * BATCH) as u64));
        let mut plain = Plain::new(len);
        group.bench_function(BenchmarkId::new("memcpy", len), |b| {
            b.iter(|| plain.batch());
        });
        let mut channel = Channel::new(len);
        group.bench_function(BenchmarkId::new("channel", len), |b| {
            b.iter(|| channel.batch());
        });
    }
    group.finish();
}

criterion_group!(benches, single, batch);
criterion_main!(benches);
