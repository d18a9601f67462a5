// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything that handles what a peer wrote, for a machine without anything.
//!
//! The panic handler calls a function that does not exist. If the compiler could
//! not rule out a panic somewhere, the linker complains about it.

#![no_std]
#![no_main]

use core::{hint::black_box, num::NonZeroU64, ptr::NonNull};
use muennet_core::{
    channel::{Reader, Resume, Writer},
    config::Mode,
    framing::{Checksum, Dynamic, Ethernet, Framing, Meta, NetHdr, Packet, Raw},
    link::{Arrival, Receiver, Sender},
    notify::Hypercall,
    segment::{Cut, Transport},
    shm::{Memory, MemoryMut, Part},
    sinfo::{Kind, Sinfo},
};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    extern "C" {
        fn muennet_core_has_a_panic_path() -> !;
    }
    // SAFETY: it does not exist, so that this program cannot be linked.
    unsafe { muennet_core_has_a_panic_path() }
}

#[derive(Clone, Copy)]
struct Shared {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: this program is never run.
unsafe impl Memory for Shared {
    fn base(&self) -> NonNull<u8> {
        self.base
    }

    fn len(&self) -> usize {
        self.len
    }
}

// SAFETY: as above.
unsafe impl MemoryMut for Shared {}

/// A value that the compiler cannot know.
#[repr(C)]
pub struct Unknown {
    base: NonNull<u8>,
    len: usize,
    number: u64,
    mtu: u16,
    bytes: [u8; 2048],
}

fn channel(unknown: &mut Unknown, shared: Shared) {
    let Some(number) = NonZeroU64::new(unknown.number) else {
        return;
    };
    if let Ok(mut writer) = Writer::new(shared, number, unknown.len) {
        writer.activate(number);
        writer.write(|slot| {
            slot.put(unknown.len, &unknown.bytes);
            slot.clear_from(unknown.len);
        });
        writer.write_batch(unknown.number, |slot| {
            slot.put(unknown.len, &unknown.bytes);
        });
        writer.deactivate();
        black_box((writer.epoch(), writer.geometry(), writer.written()));
    }
    for resume in [Resume::Oldest, Resume::Newest] {
        let Ok(reader) = Reader::new(shared, number, unknown.len) else {
            return;
        };
        let mut reader = reader.with_resume(resume);
        black_box(reader.read(|element| element.copy_out(unknown.len, &mut unknown.bytes)));
        black_box(reader.read_burst(unknown.len, |element| {
            element.copy_out(unknown.len, &mut unknown.bytes);
        }));
        reader.drain();
        black_box((reader.peer(), reader.has_pending(), reader.geometry()));
    }
}

fn link<F: Framing + Copy>(unknown: &mut Unknown, shared: Shared, framing: Option<F>) {
    let (Some(number), Some(framing)) = (NonZeroU64::new(unknown.number), framing) else {
        return;
    };
    // SAFETY: this program is never run.
    let event = unsafe { Hypercall::new(black_box(3)) };
    let sink = F::max_frame(&framing);
    if let Ok(mut sender) = Sender::new(shared, number, framing, event) {
        sender.activate(number);
        let (head, tail) = unknown
            .bytes
            .split_at_checked(unknown.len)
            .unwrap_or_default();
        let parts = [head, tail];
        let _ = black_box(sender.send(&parts, Meta::default()));
        let checksum = Checksum {
            start: unknown.len,
            offset: sink,
        };
        let packet = Packet::new(&parts).with_checksum(checksum);
        let _ = black_box(sender.write_packet(&packet));
        let _ = black_box(sender.write_batch(&[packet, packet]));
        for protocol in [Transport::Tcp, Transport::Udp] {
            let cut = Cut {
                network: unknown.len,
                transport: checksum.start,
                protocol,
                size: unknown.len,
                fixed_id: sink == 0,
            };
            let parts = Part::of_slices(&parts);
            let _ = black_box(sender.write_segments::<4>(head, parts, &cut, Meta::default()));
        }
        sender.deactivate();
    }
    if let Ok(mut receiver) = Receiver::new(shared, number, framing) {
        let mut buffer = &mut unknown.bytes[..];
        black_box(receiver.receive(&mut buffer));
        let (a, b) = unknown.bytes.split_at_mut(1024);
        let mut arrivals = [Arrival::new(a), Arrival::new(b)];
        black_box(receiver.receive_burst(&mut arrivals));
        black_box(&arrivals.map(|arrival| arrival.result));
        receiver.drain();
        black_box((receiver.peer(), receiver.has_pending(), receiver.elements()));
    }
}

fn subject(unknown: &Unknown) {
    if let Ok(sinfo) = Sinfo::parse(&unknown.bytes) {
        for resource in sinfo.resources() {
            black_box(resource);
        }
        black_box(sinfo.find("channel", Kind::Memory));
    }
}

#[no_mangle]
pub extern "C" fn _start(unknown: &mut Unknown) {
    let shared = Shared {
        base: unknown.base,
        len: unknown.len,
    };
    channel(unknown, shared);
    link(unknown, shared, Raw::new(unknown.mtu).ok());
    link(unknown, shared, NetHdr::new(unknown.mtu).ok());
    link(unknown, shared, Ethernet::new(unknown.mtu).ok());
    link(
        unknown,
        shared,
        Dynamic::new(Mode::NetHdr, unknown.mtu).ok(),
    );
    subject(unknown);
    #[cfg(feature = "control")]
    black_box(unknown.bytes[unknown.len]);
}
