// SPDX-License-Identifier: MIT OR Apache-2.0
//! A length that is checked is the length that is delivered: the peer changes it between
//! any two accesses to shared memory.

#![expect(unsafe_code, reason = "a channel in private memory")]

use muennet_core::{
    framing::{Ethernet, Framing, Meta, NetHdr},
    link::{Received, Receiver, Sender},
    shm::{hook, Memory, MemoryMut},
};
use std::{cell::Cell, num::NonZeroU64, ptr::NonNull, rc::Rc};

const ONE: NonZeroU64 = NonZeroU64::MIN;
/// Bytes of the header of a channel, behind which its one element lies.
const HEADER: usize = 64;

/// A region of whole words.
#[derive(Clone)]
struct Region(Rc<[Cell<u64>; 32]>);

// SAFETY: cells in an allocation that lives as long as any clone.
unsafe impl Memory for Region {
    fn base(&self) -> NonNull<u8> {
        NonNull::from(&*self.0).cast()
    }

    fn len(&self) -> usize {
        size_of_val(&*self.0)
    }
}

// SAFETY: as above; the tests write between accesses, on the same thread.
unsafe impl MemoryMut for Region {}

/// Sends `packet`, and receives it while `change` is called with the number of each access.
/// Gives the bytes that were delivered, if any were.
fn while_changing<F: Framing + Clone>(
    framing: F,
    packet: &[u8],
    change: impl Fn(&Region, u64) + 'static,
) -> Option<Vec<u8>> {
    let region = Region(Rc::new([const { Cell::new(0) }; 32]));
    let mut sender = Sender::new(region.clone(), ONE, framing.clone(), ()).unwrap();
    let mut receiver = Receiver::new(region.clone(), ONE, framing).unwrap();
    sender.activate(ONE);
    let mut buffer = [0xee; 300];
    let received = receiver.receive(&mut &mut buffer[..]);
    assert!(matches!(received, Received::NewEpoch { .. }));
    sender.send(&[packet], Meta::default()).unwrap();
    let count = Cell::new(0);
    let hook = move || {
        count.set(count.get() + 1);
        change(&region, count.get());
    };
    match hook::with(hook, || receiver.receive(&mut &mut buffer[..])) {
        Received::Frame(frame) => Some(buffer[..frame.len].to_vec()),
        _ => None,
    }
}

#[test]
fn an_ip_header_says_the_length_that_was_checked() {
    let mut packet = [0; 60];
    packet[0] = 0x45;
    packet[3] = 60;
    let delivered = while_changing(NetHdr::new(100).unwrap(), &packet, |region, access| {
        // Version, TOS and a total length of 40 or 60 in turn; both are sound.
        let len = if access % 2 == 0 { 40 } else { 60 };
        region.0[(HEADER + 8) / 8].set(u64::from_le_bytes([0x45, 0, 0, len, 0, 0, 0, 0]));
    });
    let delivered = delivered.unwrap();
    assert_eq!(usize::from(delivered[3]), delivered.len());
}

#[test]
fn a_payload_length_says_the_length_that_was_checked() {
    let mut packet = [0; 60];
    packet[0] = 0x60;
    packet[5] = 20;
    let delivered = while_changing(NetHdr::new(100).unwrap(), &packet, |region, access| {
        let payload = if access % 2 == 0 { 0 } else { 20 };
        region.0[(HEADER + 8) / 8].set(u64::from_le_bytes([0x60, 0, 0, 0, 0, payload, 6, 64]));
    });
    let delivered = delivered.unwrap();
    assert_eq!(40 + usize::from(delivered[5]), delivered.len());
}

#[test]
fn an_ethernet_length_is_read_once() {
    // One element of 192 bytes; its last two are the length.
    let framing = Ethernet::new(192 - 16).unwrap();
    let mut lengths = Vec::new();
    for turn in 0..20 {
        // Sound up to some access, and then longer than anything.
        let delivered = while_changing(framing, &[0x11; 60], move |region, access| {
            let len = if access < turn { 60u64 } else { 0xffff };
            region.0[31].set(len << 48);
        });
        lengths.extend(delivered.map(|bytes| bytes.len()));
    }
    assert!(!lengths.is_empty() && lengths.iter().all(|len| *len == 60));
}
