// SPDX-License-Identifier: MIT OR Apache-2.0
//! Loom models: every order of writer and reader that the memory model admits.
//!
//! | fence taken away | model that notices |
//! |----------------------|-----------------|
//! | `StartThenElement` | `one_element`, `wrap`, `batches` |
//! | `ElementThenWritten` | `one_element`, `batches` |
//! | `WrittenThenCopy` | `one_element`, `batches` |
//! | `ResumeThenCopy` | `one_element` |
//! | `RewindThenCopy` | `rewind` |
//! | `CopyThenStart` | `one_element`, `wrap`, `batches` |
//! | `EpochGoneThenHeader` | `restart` |
//! | `HeaderThenNewEpoch` | `start` |
//! | `EpochThenHeader` | `start` |
//! | `StartThenEpoch` | `restart` |
//! | `HeaderThenEpoch` | `reshape` |
//!
//! All accesses are relaxed, so the fences are all there is to weaken.

use super::{Element, Read, Reader, Writer};
use crate::shm::word::{without, Region};
use crate::shm::Site;
use core::num::NonZeroU64;
use std::{
    panic::{catch_unwind, AssertUnwindSafe},
    vec::Vec,
};

const PROTOCOL: NonZeroU64 = NonZeroU64::new(7).unwrap();
const SIZE: usize = 16;

fn epoch(number: u64) -> NonZeroU64 {
    NonZeroU64::new(number).unwrap()
}

fn writer(region: &Region, size: usize) -> Writer<Region> {
    Writer::new(region.clone(), PROTOCOL, size).unwrap()
}

fn reader(region: &Region) -> Reader<Region> {
    Reader::new(region.clone(), PROTOCOL, 8).unwrap()
}

/// Writes an element all of whose words are `value`.
fn put(writer: &mut Writer<Region>, value: u64) {
    writer.write(|slot| {
        for at in (0..slot.size()).step_by(8) {
            slot.put(at, &value.to_le_bytes());
        }
    });
}

/// The words of an element.
fn words(element: &Element<'_, Region>) -> Vec<u64> {
    (0..element.size())
        .step_by(8)
        .map(|at| {
            let mut bytes = [0; 8];
            element.copy_out(at, &mut bytes);
            u64::from_le_bytes(bytes)
        })
        .collect()
}

/// Takes an element; its words must be alike.
fn get(reader: &mut Reader<Region>) -> Read<u64> {
    match reader.read(words) {
        Read::Taken(words) => {
            assert!(
                words.iter().all(|word| *word == words[0]),
                "torn: {words:?}"
            );
            Read::Taken(words[0])
        }
        Read::Empty => Read::Empty,
        Read::Inactive => Read::Inactive,
        Read::NewEpoch { epoch } => Read::NewEpoch { epoch },
        Read::Overrun { lost } => Read::Overrun { lost },
        Read::Faulty(fault) => panic!("an honest writer was called a liar: {fault}"),
    }
}

/// A ring of `elements`, of which `before` are written and read up front; then
/// `meanwhile` are written while the reader looks `looks` times, and the reader
/// reads what is left. Nothing is torn, taken twice, out of order or unaccounted.
fn stream(elements: usize, before: u64, meanwhile: u64, looks: usize) {
    let region = Region::new(64 + elements * SIZE);
    let mut writer = writer(&region, SIZE);
    let mut reader = reader(&region);
    writer.activate(epoch(1));
    assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 1 });
    for value in 1..=before {
        put(&mut writer, value);
    }
    let thread = loom::thread::spawn(move || {
        for value in before + 1..=before + meanwhile {
            put(&mut writer, value);
        }
        writer
    });
    let mut seen = 0;
    let mut look = |reader: &mut Reader<Region>| match get(reader) {
        Read::Taken(value) => {
            seen += 1;
            assert_eq!(value, seen, "out of order");
            true
        }
        Read::Overrun { lost } => {
            seen += lost;
            true
        }
        Read::Empty => false,
        other => panic!("{other:?}"),
    };
    for _ in 0..looks {
        look(&mut reader);
    }
    let writer = thread.join().unwrap();
    while look(&mut reader) {}
    assert_eq!(seen, before + meanwhile, "a lost update");
    drop(writer);
    region.forget();
}

/// One element of room: every write rewrites what may be being read.
fn one_element() {
    stream(1, 0, 2, 2);
}

/// Two elements of room, and the writer wraps around.
fn wrap() {
    stream(2, 2, 1, 2);
}

/// Batches of two against bursts of two: what is left of a burst is whole and in
/// order, and what was lost is counted.
fn batches() {
    let region = Region::new(64 + 2 * SIZE);
    let mut writer = writer(&region, SIZE);
    let mut reader = reader(&region);
    writer.activate(epoch(1));
    assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 1 });
    put(&mut writer, 1);
    let thread = loom::thread::spawn(move || {
        let mut next = 2;
        writer.write_batch(2, |slot| {
            for at in (0..SIZE).step_by(8) {
                slot.put(at, &u64::to_le_bytes(next));
            }
            next += 1;
        });
        writer
    });
    let mut seen = 0;
    let mut look = |reader: &mut Reader<Region>| {
        let mut elements = Vec::new();
        let read = reader.read_burst(2, |element| elements.push(words(element)));
        match read {
            Read::Taken(burst) => {
                assert_eq!(burst.taken, elements.len());
                seen += burst.lost as u64;
                for words in elements.iter().skip(burst.lost) {
                    seen += 1;
                    assert!(words.iter().all(|word| *word == seen), "torn: {words:?}");
                }
                true
            }
            Read::Overrun { lost } => {
                seen += lost;
                true
            }
            Read::Empty => false,
            other => panic!("{other:?}"),
        }
    };
    for _ in 0..2 {
        look(&mut reader);
    }
    let writer = thread.join().unwrap();
    while look(&mut reader) {}
    assert_eq!(seen, 3, "a lost update");
    drop(writer);
    region.forget();
}

/// The reader goes back to the newest element while it is being written.
fn rewind() {
    let region = Region::new(64 + 2 * SIZE);
    let mut writer = writer(&region, SIZE);
    let mut reader = reader(&region);
    writer.activate(epoch(1));
    assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 1 });
    let thread = loom::thread::spawn(move || {
        put(&mut writer, 1);
        writer
    });
    reader.rewind(1);
    if let Read::Taken(value) = get(&mut reader) {
        assert_eq!(value, 1);
    }
    drop(thread.join().unwrap());
    region.forget();
}

/// The reader looks while a writer starts for the first time. What was in the
/// region before is no header.
fn start() {
    let region = Region::new(64 + SIZE);
    let mut writer = writer(&region, SIZE);
    let mut reader = reader(&region);
    let thread = loom::thread::spawn(move || {
        writer.activate(epoch(1));
        put(&mut writer, 1);
        writer
    });
    for _ in 0..3 {
        if let Read::Taken(value) = get(&mut reader) {
            assert_eq!(value, 1);
        }
    }
    drop(thread.join().unwrap());
    region.forget();
}

/// The writer starts anew: elements of the old epoch are not taken for new ones,
/// and its cleared counters not for a lie.
fn restart() {
    let region = Region::new(64 + SIZE);
    let mut writer = writer(&region, SIZE);
    let mut reader = reader(&region);
    writer.activate(epoch(1));
    put(&mut writer, 1);
    assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 1 });
    let thread = loom::thread::spawn(move || {
        writer.activate(epoch(2));
        put(&mut writer, 2);
        writer
    });
    let mut current = 1;
    for _ in 0..2 {
        match get(&mut reader) {
            Read::Taken(value) => assert_eq!(value, current, "element of another epoch"),
            Read::NewEpoch { epoch } => current = epoch,
            _ => {}
        }
    }
    let writer = thread.join().unwrap();
    loop {
        match get(&mut reader) {
            Read::Taken(value) => assert_eq!(value, current, "element of another epoch"),
            Read::NewEpoch { epoch } => current = epoch,
            Read::Empty => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(current, 2, "a lost epoch");
    drop(writer);
    region.forget();
}

/// Another writer starts with another geometry while the first one's header is
/// being adopted: half of each is never believed.
fn reshape() {
    let region = Region::new(64 + 2 * SIZE);
    let mut first = writer(&region, 2 * SIZE);
    let mut second = writer(&region, SIZE);
    let mut reader = reader(&region);
    first.activate(epoch(1));
    let thread = loom::thread::spawn(move || {
        second.activate(epoch(2));
        second
    });
    for _ in 0..2 {
        get(&mut reader);
        if let Some(geometry) = reader.geometry() {
            assert_eq!(geometry.element_size() as u64 * geometry.elements(), 32);
        }
    }
    drop(thread.join().unwrap());
    drop(first);
    region.forget();
}

/// The writer stops while its last element is read.
fn deactivate() {
    let region = Region::new(64 + SIZE);
    let mut writer = writer(&region, SIZE);
    let mut reader = reader(&region);
    writer.activate(epoch(1));
    assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 1 });
    let thread = loom::thread::spawn(move || {
        put(&mut writer, 1);
        writer.deactivate();
        writer
    });
    for _ in 0..2 {
        if let Read::Taken(value) = get(&mut reader) {
            assert_eq!(value, 1);
        }
    }
    let writer = thread.join().unwrap();
    assert_eq!(get(&mut reader), Read::Inactive);
    drop(writer);
    region.forget();
}

/// The reader comes up while the writer writes and starts anew: nothing from before
/// is taken, and of the epoch that begins meanwhile nothing is passed over.
fn open() {
    let region = Region::new(64 + SIZE);
    let mut writer = writer(&region, SIZE);
    let mut reader = reader(&region);
    writer.activate(epoch(1));
    put(&mut writer, 1);
    let thread = loom::thread::spawn(move || {
        writer.activate(epoch(2));
        put(&mut writer, 2);
        writer
    });
    reader.open();
    let adopted = reader.epoch();
    let mut taken = 0;
    let mut look = |reader: &mut Reader<Region>| match get(reader) {
        Read::Taken(value) => {
            assert_eq!((value, reader.epoch()), (2, 2), "an element from before");
            taken += 1;
            true
        }
        Read::NewEpoch { .. } | Read::Inactive => true,
        Read::Empty => false,
        other => panic!("{other:?}"),
    };
    look(&mut reader);
    let writer = thread.join().unwrap();
    while look(&mut reader) {}
    // If the second epoch ran already, its element may be from before.
    assert!(taken == 1 || adopted == 2, "an element was passed over");
    drop(writer);
    region.forget();
}

fn check(model: fn()) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// Runs `model` as it is, where it must hold, and without each of the `sites`,
/// where it must not.
fn holds_only_with(model: fn(), sites: &[Site]) {
    without(None, || check(model));
    for site in sites {
        let weak = catch_unwind(AssertUnwindSafe(|| {
            without(Some(*site), || check(model));
        }));
        assert!(weak.is_err(), "nothing goes wrong without {site:?}");
    }
}

#[test]
fn one_element_of_room() {
    holds_only_with(
        one_element,
        &[
            Site::StartThenElement,
            Site::ElementThenWritten,
            Site::WrittenThenCopy,
            Site::ResumeThenCopy,
            Site::CopyThenStart,
        ],
    );
}

#[test]
fn two_elements_and_a_wrap() {
    holds_only_with(wrap, &[Site::StartThenElement, Site::CopyThenStart]);
}

#[test]
fn batches_and_bursts() {
    holds_only_with(
        batches,
        &[
            Site::StartThenElement,
            Site::ElementThenWritten,
            Site::WrittenThenCopy,
            Site::CopyThenStart,
        ],
    );
}

#[test]
fn going_back() {
    holds_only_with(rewind, &[Site::RewindThenCopy]);
}

#[test]
fn a_first_start() {
    holds_only_with(start, &[Site::HeaderThenNewEpoch, Site::EpochThenHeader]);
}

#[test]
fn a_restart() {
    holds_only_with(restart, &[Site::EpochGoneThenHeader, Site::StartThenEpoch]);
}

#[test]
fn a_restart_with_another_geometry() {
    holds_only_with(reshape, &[Site::HeaderThenEpoch]);
}

#[test]
fn coming_up() {
    holds_only_with(open, &[]);
}

#[test]
fn a_stop() {
    holds_only_with(deactivate, &[]);
}
