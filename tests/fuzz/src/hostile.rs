// SPDX-License-Identifier: MIT OR Apache-2.0
//! A peer that owns the whole region and changes it between any two accesses.
//!
//! A script of bytes says which region and mode, what the two ends of a link do,
//! and what the peer does before each of their accesses. Whatever it says, no end
//! panics, reaches outside of the region (the region has exactly its length, for
//! AddressSanitizer to see), or works longer than its call allows; and what an end
//! hands on keeps to its bounds.

use muennet_core::{
    channel::{layout, Burst, Fault, Peer, Read, Resume},
    config::Mode,
    framing::{Checksum, Dynamic, Framing, Meta, Packet, Sink},
    link::{Arrival, Received, Receiver, Sender},
    shm::{hook, Memory, MemoryMut},
};
use std::{
    alloc::{alloc_zeroed, dealloc, Layout},
    cell::Cell,
    num::NonZeroU64,
    ptr::NonNull,
    rc::Rc,
};

const PROTOCOL: NonZeroU64 = NonZeroU64::new(7).unwrap();
/// Frames of a burst.
const BURST: usize = 5;
/// Accesses that one call makes at most, beside those for each frame.
const ACCESSES: usize = 20;
/// Accesses for each frame.
const PER_FRAME: usize = 4;

/// Bytes to go by; behind the end of the script all are 0.
#[derive(Clone)]
struct Script(Rc<[u8]>, Rc<Cell<usize>>);

impl Script {
    fn byte(&self) -> u8 {
        let at = self.1.get();
        self.1.set(at + 1);
        self.0.get(at).copied().unwrap_or(0)
    }

    fn number(&self) -> u64 {
        u64::from_le_bytes(core::array::from_fn(|_| self.byte()))
    }

    fn is_over(&self) -> bool {
        self.1.get() >= self.0.len()
    }
}

/// Memory of exactly its length.
#[derive(Clone)]
struct Region(Rc<Block>);

struct Block {
    base: NonNull<u8>,
    layout: Layout,
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout.
        unsafe { dealloc(self.base.as_ptr(), self.layout) };
    }
}

impl Region {
    fn new(len: usize) -> Self {
        let layout = Layout::from_size_align(len.max(1), 8).unwrap();
        // SAFETY: at least one byte.
        let base = unsafe { alloc_zeroed(layout) };
        let base = NonNull::new(base).expect("memory");
        Self(Rc::new(Block { base, layout }))
    }

    /// Overwrites as much of the bytes from `at` on as there is.
    fn poke(&self, at: usize, bytes: &[u8]) {
        for (index, byte) in bytes.iter().enumerate() {
            if at + index < self.0.layout.size() {
                // SAFETY: within the memory; no reference to it exists.
                unsafe { self.0.base.as_ptr().add(at + index).write_volatile(*byte) };
            }
        }
    }

    fn peek(&self, at: usize) -> u64 {
        let byte = |index| {
            if at + index < self.0.layout.size() {
                // SAFETY: as above.
                unsafe { self.0.base.as_ptr().add(at + index).read_volatile() }
            } else {
                0
            }
        };
        u64::from_le_bytes(core::array::from_fn(byte))
    }
}

// SAFETY: the memory lives as long as any clone and is never moved.
unsafe impl Memory for Region {
    fn base(&self) -> NonNull<u8> {
        self.0.base
    }

    fn len(&self) -> usize {
        self.0.layout.size()
    }
}

// SAFETY: there is one sender at a time; the peer is what this is about.
unsafe impl MemoryMut for Region {}

/// The peer.
struct Mallory {
    script: Script,
    region: Region,
    element: u64,
}

impl Mallory {
    /// Does what the script says.
    fn act(&self) {
        match self.script.byte() % 16 {
            // A header that is sound, or would be.
            1 => {
                let elements = u64::from(self.script.byte() % 8);
                let fields = [
                    layout::TRANSPORT,
                    u64::from(self.script.byte()),
                    PROTOCOL.get(),
                    self.element,
                    elements,
                    0,
                ];
                for (index, field) in fields.into_iter().enumerate() {
                    self.region.poke(index * 8, &field.to_le_bytes());
                }
            }
            // Any field to any value, near the one it has or an extreme.
            2 => {
                let at = usize::from(self.script.byte() % 8) * 8;
                let old = self.region.peek(at);
                let value = match self.script.byte() {
                    0 => 0,
                    1 => u64::MAX,
                    2 => u64::MAX - u64::from(self.script.byte()),
                    3 => 1 << (self.script.byte() % 64),
                    4 => self.script.number(),
                    near => old.wrapping_add(near.into()).wrapping_sub(64),
                };
                self.region.poke(at, &value.to_le_bytes());
            }
            // Honest counters: some elements more.
            3 => {
                let more = u64::from(self.script.byte() % 4);
                let written = self.region.peek(56).wrapping_add(more);
                self.region.poke(48, &written.to_le_bytes());
                self.region.poke(56, &written.to_le_bytes());
            }
            // Any bytes anywhere.
            4 => {
                let at = usize::from(u16::from_le_bytes([self.script.byte(), self.script.byte()]));
                let bytes: [u8; 4] = core::array::from_fn(|_| self.script.byte());
                self.region.poke(at % self.region.len().max(1), &bytes);
            }
            // Nothing, mostly.
            _ => {}
        }
    }
}

/// A place for one frame, which notes what it was asked for.
struct Place {
    buffer: [u8; 300],
    room: usize,
    max: usize,
    asked: usize,
}

impl Sink for &mut Place {
    fn place(&mut self, len: usize) -> Option<&mut [u8]> {
        assert!(
            (1..=self.max).contains(&len),
            "a length that was not checked"
        );
        self.asked += 1;
        self.buffer.get_mut(..len.min(self.room))
    }
}

/// Runs a script.
pub fn run(script: &[u8]) {
    let script = Script(script.into(), Rc::new(Cell::new(0)));
    let region = Region::new(usize::from(u16::from_le_bytes([
        script.byte(),
        script.byte() % 4,
    ])));
    let mode = match script.byte() % 3 {
        0 => Mode::Raw,
        1 => Mode::NetHdr,
        _ => Mode::Ethernet,
    };
    let Ok(framing) = Dynamic::new(mode, script.byte().into()) else {
        return;
    };
    let resume = match script.byte() % 2 {
        0 => Resume::Oldest,
        _ => Resume::Newest,
    };
    let (Ok(sender), Ok(receiver)) = (
        Sender::new(region.clone(), PROTOCOL, framing, ()),
        Receiver::new(region.clone(), PROTOCOL, framing),
    ) else {
        return;
    };
    let (mut sender, mut receiver) = (sender, receiver.with_resume(resume));
    // Whatever the peer's elements are, they lie in the region.
    let longest = region.len();
    let accesses = Rc::new(Cell::new(0));
    let counted = accesses.clone();
    let mallory = Mallory {
        script: script.clone(),
        region,
        element: framing.element_size() as u64,
    };
    let hook = move || {
        counted.set(counted.get() + 1);
        mallory.act();
    };
    hook::with(hook, || {
        while !script.is_over() {
            accesses.set(0);
            let frames = step(&script, longest, &mut sender, &mut receiver);
            let limit = ACCESSES + PER_FRAME * frames;
            assert!(accesses.get() <= limit, "{} accesses", accesses.get());
        }
    });
}

/// One call of one end; how many frames it may have handled.
fn step(
    script: &Script,
    max: usize,
    sender: &mut Sender<Region, Dynamic, ()>,
    receiver: &mut Receiver<Region, Dynamic>,
) -> usize {
    let place = || Place {
        buffer: [0; 300],
        room: usize::from(script.byte()),
        max,
        asked: 0,
    };
    match script.byte() % 12 {
        0..=2 => {
            let mut place = place();
            let received = receiver.receive(&mut &mut place);
            assert!(place.asked <= 1);
            check(received, max);
            1
        }
        3..=5 => {
            let mut places: [Place; BURST] = core::array::from_fn(|_| place());
            let mut arrivals = places.each_mut().map(Arrival::new);
            let read = receiver.receive_burst(&mut arrivals);
            let results = arrivals.map(|arrival| arrival.result);
            let count = results.iter().flatten().count();
            match read {
                Read::Taken(Burst { taken, lost }) => {
                    assert!(lost < taken && taken <= BURST);
                    assert_eq!(count, taken - lost);
                    for frame in results.iter().flatten().flatten() {
                        assert!((1..=max).contains(&frame.len));
                    }
                }
                Read::Overrun { lost } => assert!(lost > 0 && count == 0),
                Read::Faulty(fault) => said(fault),
                _ => assert_eq!(count, 0),
            }
            BURST
        }
        6 => {
            match receiver.peer() {
                Peer::Up { epoch } => assert_ne!(epoch, 0),
                Peer::Down => {}
                Peer::Faulty(fault) => said(fault),
            }
            if let Some(geometry) = receiver.geometry() {
                assert!(geometry.element_size() > 0 && geometry.elements() > 0);
            }
            0
        }
        7 => {
            receiver.has_pending();
            receiver.drain();
            match script.byte() {
                255 => receiver.open(),
                count => receiver.rewind(count.into()),
            }
            0
        }
        8 => {
            match script.byte() % 8 {
                0 => sender.deactivate(),
                number => sender.activate(NonZeroU64::new(number.into()).unwrap()),
            }
            // Clearing the data is a call for each 512 bytes.
            2
        }
        _ => {
            send(script, sender);
            BURST
        }
    }
}

/// Sends frames of any kind.
fn send(script: &Script, sender: &mut Sender<Region, Dynamic, ()>) {
    let mut bytes: Vec<u8> = (0..script.byte()).map(|byte| byte ^ 0x5a).collect();
    if let Some(first) = bytes.first_mut() {
        *first = script.byte();
    }
    let (head, tail) = bytes.split_at(usize::from(script.byte()).min(bytes.len()));
    let parts = [head, tail];
    let mark = script.byte().into();
    let mut packet = Packet::new(&parts).with_meta(Meta { mark });
    if script.byte() % 2 == 1 {
        packet = packet.with_checksum(Checksum {
            start: script.byte().into(),
            offset: script.byte().into(),
        });
    }
    let batch = [packet; BURST - 1];
    let count = usize::from(script.byte()) % BURST;
    let sent = sender.write_batch(&batch[..count]).is_ok();
    assert!(!sent || sender.is_active() || count == 0);
}

fn check(received: Received, max: usize) {
    match received {
        Received::Frame(frame) => assert!((1..=max).contains(&frame.len)),
        Received::Overrun { lost } => assert!(lost > 0),
        Received::NewEpoch { epoch } => assert_ne!(epoch, 0),
        Received::Faulty(fault) => said(fault),
        Received::Rejected(reject) => assert!(!reject.to_string().is_empty()),
        Received::Empty | Received::Inactive => {}
    }
}

/// A fault can be told.
fn said(fault: Fault) {
    assert!(!fault.to_string().is_empty());
}
