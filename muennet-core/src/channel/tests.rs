// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writer against reader, and reader against lies.

use super::{Burst, Fault, Peer, Read, Reader, Resume, Writer};
use crate::shm::heap::Heap;
use core::num::NonZeroU64;
use std::vec::Vec;

const PROTOCOL: NonZeroU64 = NonZeroU64::new(7).unwrap();
const SIZE: usize = 8;
const ELEMENTS: u64 = 4;

const EPOCH_AT: usize = 8;
const SIZE_AT: usize = 24;
const ELEMENTS_AT: usize = 32;
const WSC_AT: usize = 48;
const WC_AT: usize = 56;

fn epoch(number: u64) -> NonZeroU64 {
    NonZeroU64::new(number).unwrap()
}

fn pair() -> (Heap, Writer<Heap>, Reader<Heap>) {
    let heap = Heap::new(64 + SIZE * ELEMENTS as usize);
    let writer = Writer::new(heap.clone(), PROTOCOL, SIZE).unwrap();
    let reader = Reader::new(heap.clone(), PROTOCOL, 1).unwrap();
    (heap, writer, reader)
}

fn put(writer: &mut Writer<Heap>, value: u64) {
    writer.write(|slot| assert!(slot.put(0, &value.to_le_bytes())));
}

fn get(reader: &mut Reader<Heap>) -> Read<u64> {
    reader.read(|element| {
        let mut bytes = [0; 8];
        assert!(element.copy_out(0, &mut bytes));
        u64::from_le_bytes(bytes)
    })
}

#[test]
fn the_header_is_as_documented() {
    let (heap, mut writer, _) = pair();
    writer.activate(epoch(5));
    put(&mut writer, 0x1122);
    let words: [u64; 9] = core::array::from_fn(|word| heap.peek(word * 8));
    assert_eq!(words, [0x4873_12b6_b79a_9b6d, 5, 7, 8, 4, 0, 1, 1, 0x1122]);
    writer.deactivate();
    assert_eq!(heap.peek(EPOCH_AT), 0);
}

#[test]
fn elements_arrive_in_order_across_wraps() {
    let (_, mut writer, mut reader) = pair();
    assert_eq!(get(&mut reader), Read::Inactive);
    writer.activate(epoch(1));
    assert!(reader.has_pending());
    assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 1 });
    for value in 0..25 {
        assert_eq!(get(&mut reader), Read::Empty);
        assert!(!reader.has_pending());
        put(&mut writer, value);
        assert!(reader.has_pending());
        assert_eq!(get(&mut reader), Read::Taken(value));
    }
    for value in 0..ELEMENTS {
        put(&mut writer, value);
    }
    for value in 0..ELEMENTS {
        assert_eq!(get(&mut reader), Read::Taken(value));
    }
}

#[test]
fn an_overrun_says_how_many_and_reading_goes_on() {
    let (_, mut writer, mut reader) = pair();
    writer.activate(epoch(1));
    assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 1 });
    for value in 0..ELEMENTS + 3 {
        put(&mut writer, value);
    }
    assert_eq!(get(&mut reader), Read::Overrun { lost: 3 });
    for value in 3..ELEMENTS + 3 {
        assert_eq!(get(&mut reader), Read::Taken(value));
    }
    assert_eq!(get(&mut reader), Read::Empty);
    let mut reader = reader.with_resume(Resume::Newest);
    for value in 0..ELEMENTS + 3 {
        put(&mut writer, value);
    }
    assert_eq!(get(&mut reader), Read::Overrun { lost: 7 });
    assert_eq!(get(&mut reader), Read::Empty);
    put(&mut writer, 99);
    assert_eq!(get(&mut reader), Read::Taken(99));
}

#[test]
fn an_element_overwritten_while_copied_is_lost() {
    let (_, mut writer, mut reader) = pair();
    writer.activate(epoch(1));
    assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 1 });
    put(&mut writer, 0);
    let read = reader.read(|_| {
        for value in 1..=ELEMENTS {
            put(&mut writer, value);
        }
    });
    assert_eq!(read, Read::Overrun { lost: 1 });
    assert_eq!(get(&mut reader), Read::Taken(1));
}

#[test]
fn an_element_whose_slot_is_being_rewritten_is_lost() {
    let (heap, mut writer, mut reader) = pair();
    writer.activate(epoch(1));
    assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 1 });
    for value in 0..ELEMENTS {
        put(&mut writer, value);
    }
    heap.poke(WSC_AT, ELEMENTS + 1);
    assert_eq!(get(&mut reader), Read::Overrun { lost: 1 });
    assert_eq!(get(&mut reader), Read::Taken(1));
}

#[test]
fn a_restart_is_seen_before_during_and_after() {
    let (_, mut writer, mut reader) = pair();
    writer.activate(epoch(1));
    assert_eq!(reader.peer(), Peer::Up { epoch: 1 });
    assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 1 });
    put(&mut writer, 1);
    let read = reader.read(|_| writer.activate(epoch(2)));
    assert_eq!(read, Read::NewEpoch { epoch: 2 });
    put(&mut writer, 2);
    assert_eq!(get(&mut reader), Read::Taken(2));
    put(&mut writer, 3);
    let read = reader.read(|_| writer.deactivate());
    assert_eq!(read, Read::Inactive);
    assert_eq!(reader.peer(), Peer::Down);
    assert_eq!(get(&mut reader), Read::Inactive);
    writer.activate(epoch(3));
    assert_eq!(reader.peer(), Peer::Up { epoch: 3 });
    assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 3 });
    assert_eq!(get(&mut reader), Read::Empty);
}

#[test]
fn a_repeated_epoch_is_another_one() {
    let (_, mut writer, mut reader) = pair();
    writer.activate(epoch(u64::MAX));
    assert_eq!(get(&mut reader), Read::NewEpoch { epoch: u64::MAX });
    writer.activate(epoch(u64::MAX));
    assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 1 });
}

#[test]
fn a_dropped_writer_is_inactive_and_an_idle_one_changes_nothing() {
    let (heap, mut writer, mut reader) = pair();
    writer.activate(epoch(1));
    drop(writer);
    assert_eq!(get(&mut reader), Read::Inactive);
    let mut idle = Writer::new(heap.clone(), PROTOCOL, SIZE).unwrap();
    heap.poke(WC_AT, 42);
    idle.write(|_| panic!("inactive"));
    assert_eq!(heap.peek(WC_AT), 42);
}

#[test]
fn a_detached_writer_leaves_its_elements_to_the_reader() {
    let (heap, mut writer, mut reader) = pair();
    writer.activate(epoch(5));
    put(&mut writer, 1);
    put(&mut writer, 2);
    assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 5 });
    writer.detach();
    // It writes no more.
    writer.write(|_| panic!("detached"));
    assert_eq!(writer.epoch(), None);
    drop(writer);
    assert_eq!(heap.peek(EPOCH_AT), 5);
    assert_eq!(get(&mut reader), Read::Taken(1));
    assert_eq!(get(&mut reader), Read::Taken(2));
    assert_eq!(get(&mut reader), Read::Empty);
}

#[test]
fn drain_skips_what_was_written() {
    let (_, mut writer, mut reader) = pair();
    writer.activate(epoch(1));
    assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 1 });
    put(&mut writer, 1);
    put(&mut writer, 2);
    reader.drain();
    assert_eq!(get(&mut reader), Read::Empty);
    put(&mut writer, 3);
    assert_eq!(get(&mut reader), Read::Taken(3));
}

#[test]
fn a_lying_header_is_a_state_until_the_next_epoch() {
    type Lie = (usize, u64, fn(Fault) -> bool);
    let lies: [Lie; 6] = [
        (0, 1, |fault| fault == Fault::Transport { found: 1 }),
        (16, 8, |fault| {
            fault
                == Fault::Protocol {
                    found: 8,
                    expected: 7,
                }
        }),
        (SIZE_AT, 0, |fault| {
            matches!(fault, Fault::ElementSize { .. })
        }),
        (SIZE_AT, 9, |fault| {
            matches!(fault, Fault::BeyondRegion { .. })
        }),
        (ELEMENTS_AT, 0, |fault| fault == Fault::NoElements),
        (ELEMENTS_AT, u64::MAX, |fault| {
            matches!(fault, Fault::BeyondRegion { .. })
        }),
    ];
    for (at, lie, expected) in lies {
        let (heap, mut writer, mut reader) = pair();
        writer.activate(epoch(1));
        heap.poke(at, lie);
        put(&mut writer, 1);
        let Read::Faulty(fault) = get(&mut reader) else {
            panic!("the lie {lie} at {at} was believed")
        };
        assert!(expected(fault), "{fault}");
        assert_eq!(reader.peer(), Peer::Faulty(fault));
        assert!(!reader.has_pending());
        writer.activate(epoch(2));
        put(&mut writer, 2);
        assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 2 });
        assert_eq!(get(&mut reader), Read::Taken(2));
    }
}

#[test]
fn geometry_is_not_read_again() {
    let (heap, mut writer, mut reader) = pair();
    writer.activate(epoch(1));
    assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 1 });
    heap.poke(SIZE_AT, 0);
    heap.poke(ELEMENTS_AT, 0);
    for value in 0..9 {
        put(&mut writer, value);
        assert_eq!(get(&mut reader), Read::Taken(value));
    }
}

#[test]
fn lying_counters_are_faults() {
    let (heap, mut writer, mut reader) = pair();
    writer.activate(epoch(1));
    assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 1 });
    put(&mut writer, 1);
    assert_eq!(get(&mut reader), Read::Taken(1));
    heap.poke(WC_AT, 0);
    let fault = Fault::WrittenBackwards { found: 0, seen: 1 };
    assert_eq!(get(&mut reader), Read::Faulty(fault));
    heap.poke(WC_AT, 9);
    assert_eq!(get(&mut reader), Read::Faulty(fault));

    writer.activate(epoch(2));
    assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 2 });
    put(&mut writer, 1);
    heap.poke(WSC_AT, 0);
    assert_eq!(
        get(&mut reader),
        Read::Faulty(Fault::StartedBehindWritten {
            started: 0,
            written: 1
        })
    );
}

#[test]
fn counters_at_their_limits_do_no_harm() {
    for started in [0, 1, u64::MAX - 1, u64::MAX] {
        for written in [1, ELEMENTS, ELEMENTS + 1, u64::MAX - 1, u64::MAX] {
            let (heap, mut writer, mut reader) = pair();
            writer.activate(epoch(1));
            heap.poke(WSC_AT, started);
            heap.poke(WC_AT, written);
            for _ in 0..10 {
                get(&mut reader);
            }
            heap.poke(WC_AT, u64::MAX);
            heap.poke(WSC_AT, u64::MAX);
            for _ in 0..10 {
                get(&mut reader);
                reader.drain();
            }
        }
    }
}

/// Takes a burst of at most `max`, with the values of what counts.
fn get_burst(reader: &mut Reader<Heap>, max: usize) -> (Read<Burst>, Vec<u64>) {
    let mut values = Vec::new();
    let read = reader.read_burst(max, |element| {
        let mut bytes = [0; 8];
        assert!(element.copy_out(0, &mut bytes));
        values.push(u64::from_le_bytes(bytes));
    });
    match read {
        Read::Taken(burst) => {
            assert_eq!(burst.taken, values.len());
            values.drain(..burst.lost);
        }
        _ => values.clear(),
    }
    (read, values)
}

fn put_batch(writer: &mut Writer<Heap>, values: core::ops::Range<u64>) {
    let count = values.end - values.start;
    let mut values = values;
    writer.write_batch(count, |slot| {
        assert!(slot.put(0, &values.next().unwrap().to_le_bytes()));
    });
    assert_eq!(values.next(), None);
}

#[test]
fn a_batch_is_one_step_of_the_counters() {
    let (heap, mut writer, mut reader) = pair();
    put_batch(&mut writer, 0..0);
    writer.write_batch(1, |_| panic!("inactive"));
    writer.activate(epoch(1));
    assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 1 });
    writer.write_batch(3, |_| {
        assert_eq!((heap.peek(WSC_AT), heap.peek(WC_AT)), (3, 0));
    });
    assert_eq!((heap.peek(WSC_AT), heap.peek(WC_AT)), (3, 3));
    put_batch(&mut writer, 0..2);
    assert_eq!(get(&mut reader), Read::Overrun { lost: 1 });
}

#[test]
fn a_batch_longer_than_the_channel_leaves_its_end() {
    let (_, mut writer, mut reader) = pair();
    writer.activate(epoch(1));
    assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 1 });
    put_batch(&mut writer, 0..3 * ELEMENTS + 1);
    assert_eq!(writer.written(), 3 * ELEMENTS + 1);
    assert_eq!(
        get(&mut reader),
        Read::Overrun {
            lost: 2 * ELEMENTS + 1
        }
    );
    let (read, values) = get_burst(&mut reader, 100);
    assert_eq!(read, Read::Taken(Burst { taken: 4, lost: 0 }));
    assert_eq!(values, [9, 10, 11, 12]);
}

#[test]
fn bursts_take_what_is_there_up_to_their_limit() {
    let (_, mut writer, mut reader) = pair();
    assert_eq!(get_burst(&mut reader, 9).0, Read::Inactive);
    writer.activate(epoch(1));
    assert_eq!(get_burst(&mut reader, 9).0, Read::NewEpoch { epoch: 1 });
    assert_eq!(get_burst(&mut reader, 9).0, Read::Empty);
    put_batch(&mut writer, 0..4);
    assert_eq!(get_burst(&mut reader, 3).1, [0, 1, 2]);
    // Less than the burst may have is known of, so that it looks again.
    put_batch(&mut writer, 4..6);
    assert_eq!(get_burst(&mut reader, 3).1, [3, 4, 5]);
    assert_eq!(get_burst(&mut reader, 3).0, Read::Empty);
}

#[test]
fn a_burst_loses_only_what_was_overwritten() {
    for meanwhile in 0..=2 * ELEMENTS {
        let (_, mut writer, mut reader) = pair();
        writer.activate(epoch(1));
        assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 1 });
        put_batch(&mut writer, 0..3);
        let mut taken = 0;
        let read = reader.read_burst(3, |_| {
            if taken == 0 {
                for value in 0..meanwhile {
                    put(&mut writer, 3 + value);
                }
            }
            taken += 1;
        });
        assert_eq!(taken, 3);
        // The first of the three goes with the fifth element written.
        match meanwhile.saturating_sub(1) {
            lost @ 0..3 => {
                let lost = lost as usize;
                assert_eq!(read, Read::Taken(Burst { taken: 3, lost }));
            }
            lost => assert_eq!(read, Read::Overrun { lost }),
        }
        // Whatever is left comes in order.
        for value in (3 + meanwhile).saturating_sub(ELEMENTS).max(3)..3 + meanwhile {
            assert_eq!(get(&mut reader), Read::Taken(value));
        }
        assert_eq!(get(&mut reader), Read::Empty);
    }
}

#[test]
fn a_burst_across_a_restart_does_not_count() {
    let (_, mut writer, mut reader) = pair();
    writer.activate(epoch(1));
    assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 1 });
    put_batch(&mut writer, 0..3);
    let read = reader.read_burst(3, |_| writer.activate(epoch(2)));
    // The last of the three starts of the same writer took the next number.
    assert!(matches!(read, Read::NewEpoch { .. }));
    put_batch(&mut writer, 7..9);
    assert_eq!(get_burst(&mut reader, 3).1, [7, 8]);
}

#[test]
fn the_oldest_has_a_head_start_of_an_eighth() {
    let heap = Heap::new(64 + SIZE * 16);
    let mut writer = Writer::new(heap.clone(), PROTOCOL, SIZE).unwrap();
    let mut reader = Reader::new(heap, PROTOCOL, 1).unwrap();
    writer.activate(epoch(1));
    assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 1 });
    put_batch(&mut writer, 0..16);
    put_batch(&mut writer, 16..20);
    assert_eq!(get(&mut reader), Read::Overrun { lost: 4 + 2 });
    put_batch(&mut writer, 20..22);
    assert_eq!(get(&mut reader), Read::Taken(6));
}

#[test]
fn a_burst_of_nothing_takes_nothing() {
    let (_, mut writer, mut reader) = pair();
    writer.activate(epoch(1));
    let none =
        |reader: &mut Reader<_>| reader.read_burst(0, |_| unreachable!("none was asked for"));
    // Also while there is something to say, and to take.
    assert_eq!(none(&mut reader), Read::Empty);
    assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 1 });
    put_batch(&mut writer, 0..3);
    assert_eq!(none(&mut reader), Read::Empty);
    assert_eq!(get_burst(&mut reader, 3).1, [0, 1, 2]);
}

#[test]
fn a_reader_knows_the_geometry_while_it_is_synchronised() {
    let (heap, mut writer, mut reader) = pair();
    assert_eq!(reader.geometry(), None);
    writer.activate(epoch(1));
    assert_eq!(get(&mut reader), Read::NewEpoch { epoch: 1 });
    assert_eq!(reader.geometry(), Some(writer.geometry()));
    // Elements of a reader's own size, whatever the writer's is.
    assert_eq!(reader.capacity(SIZE), ELEMENTS);
    assert_eq!(reader.capacity(2 * SIZE), ELEMENTS / 2);
    assert_eq!(reader.capacity(SIZE * ELEMENTS as usize + 1), 0);
    heap.poke(EPOCH_AT, 0);
    assert_eq!(reader.peer(), Peer::Down);
    assert_eq!(reader.geometry(), None);
}
