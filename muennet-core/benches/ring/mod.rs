// SPDX-License-Identifier: MIT OR Apache-2.0
//! The measurement: frames through a channel, beside the same bytes by plain
//! memcpy through a ring of the same size, with one copy in and one out.

use muennet_core::channel::{Burst, Read};
use muennet_core::framing::{Ethernet, Frame, Framing, Meta, Packet};
use muennet_core::link::{Arrival, Received, Receiver, Sender};
use muennet_core::shm::{Memory, MemoryMut};
use std::{cell::UnsafeCell, hint::black_box, num::NonZeroU64, ptr::NonNull, sync::Arc};

/// Bytes of the ring, header included.
const RING: usize = 4 << 20;
const PROTOCOL: NonZeroU64 = muennet_core::framing::SOLO5_PROTOCOL;
/// Frames of a batch.
pub const BATCH: usize = 32;

/// Heap memory that both ends share.
#[derive(Clone)]
struct Shared(Arc<Words>);

struct Words(UnsafeCell<Vec<u64>>);

// SAFETY: only the channel types access the words, by volatile and atomic access.
unsafe impl Sync for Words {}
// SAFETY: as above; the vector itself is never touched again.
unsafe impl Send for Words {}

// SAFETY: the vector is never resized and lives as long as any clone.
unsafe impl Memory for Shared {
    fn base(&self) -> NonNull<u8> {
        // SAFETY: no other reference to the vector exists.
        NonNull::new(unsafe { (*self.0 .0.get()).as_mut_ptr() }.cast()).unwrap()
    }

    fn len(&self) -> usize {
        RING
    }
}

// SAFETY: behind an `UnsafeCell`; the one writer is the sender.
unsafe impl MemoryMut for Shared {}

fn framing() -> Ethernet {
    Ethernet::new(1500).unwrap()
}

/// Frames by memcpy.
pub struct Plain {
    ring: Vec<u8>,
    slot: usize,
    frame: Vec<u8>,
    out: Vec<[u8; 2048]>,
}

impl Plain {
    pub fn new(len: usize) -> Self {
        Self {
            ring: vec![0; RING],
            slot: 0,
            frame: vec![0xa5; len],
            out: vec![[0; 2048]; BATCH],
        }
    }

    fn next(&mut self) -> usize {
        let element = framing().element_size();
        let at = self.slot * element;
        self.slot = if self.slot + 2 > RING / element {
            0
        } else {
            self.slot + 1
        };
        at
    }

    /// One frame in and out.
    pub fn single(&mut self) {
        let (at, len) = (self.next(), self.frame.len());
        self.ring[at..at + len].copy_from_slice(black_box(&self.frame));
        self.out[0][..len].copy_from_slice(black_box(&self.ring[at..at + len]));
        black_box(&self.out[0]);
    }

    /// A batch of frames in, then out.
    pub fn batch(&mut self) {
        let len = self.frame.len();
        let slots: [usize; BATCH] = std::array::from_fn(|_| self.next());
        for at in slots {
            self.ring[at..at + len].copy_from_slice(black_box(&self.frame));
        }
        for (at, out) in slots.into_iter().zip(&mut self.out) {
            out[..len].copy_from_slice(black_box(&self.ring[at..at + len]));
        }
        black_box(&self.out);
    }
}

/// Frames through a channel.
pub struct Channel {
    sender: Sender<Shared, Ethernet, ()>,
    receiver: Receiver<Shared, Ethernet>,
    frame: Vec<u8>,
    out: Vec<[u8; 2048]>,
}

impl Channel {
    pub fn new(len: usize) -> Self {
        let ring = Shared(Arc::new(Words(vec![0; RING / 8].into())));
        let mut sender = Sender::new(ring.clone(), PROTOCOL, framing(), ()).unwrap();
        let mut receiver = Receiver::new(ring, PROTOCOL, framing()).unwrap();
        sender.activate(PROTOCOL);
        let received = receiver.receive(&mut &mut [][..]);
        assert!(matches!(received, Received::NewEpoch { .. }));
        Self {
            sender,
            receiver,
            frame: vec![0xa5; len],
            out: vec![[0; 2048]; BATCH],
        }
    }

    /// One frame written and read.
    pub fn single(&mut self) {
        self.sender
            .send(black_box(&[&self.frame]), Meta::default())
            .unwrap();
        let received = self.receiver.receive(&mut &mut self.out[0][..]);
        let len = self.frame.len();
        assert!(matches!(received, Received::Frame(Frame { len: found, .. }) if found == len));
        black_box(&self.out[0]);
    }

    /// A batch of frames written, then read as a burst.
    pub fn batch(&mut self) {
        let parts: [&[u8]; 1] = [&self.frame];
        let packets = [Packet::new(black_box(&parts)); BATCH];
        self.sender.write_batch(black_box(&packets)).unwrap();
        let mut out = self.out.iter_mut();
        let mut arrivals: [_; BATCH] =
            std::array::from_fn(|_| Arrival::new(&mut out.next().unwrap()[..]));
        let read = self.receiver.receive_burst(&mut arrivals);
        let expected = Burst {
            taken: BATCH,
            lost: 0,
        };
        assert_eq!(read, Read::Taken(expected));
        assert!(arrivals
            .iter()
            .all(|arrival| matches!(arrival.result, Some(Ok(_)))));
        black_box(&self.out);
    }
}
