// SPDX-License-Identifier: MIT OR Apache-2.0
//! One function for each side of the sequence lock. The check looks for the
//! barriers between the accesses in the code that the compiler makes of them.

#![no_std]

use core::{num::NonZeroU64, ptr::NonNull};
use muennet_core::{
    channel::{Read, Reader, Writer},
    notify::{Hypercall, Notifier},
    shm::{Memory, MemoryMut},
};

/// A region somewhere.
#[derive(Clone, Copy)]
pub struct Shared {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: nothing here is ever run.
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

#[no_mangle]
pub fn start(writer: &mut Writer<Shared>, epoch: NonZeroU64) {
    writer.activate(epoch);
}

#[no_mangle]
pub fn write(writer: &mut Writer<Shared>, bytes: &[u8; 1514]) {
    writer.write(|slot| {
        slot.put(0, bytes);
    });
}

#[no_mangle]
pub fn read(reader: &mut Reader<Shared>, bytes: &mut [u8; 1514]) -> bool {
    let read = reader.read(|element| element.copy_out(0, bytes));
    matches!(read, Read::Taken(true))
}

#[no_mangle]
pub fn ring(event: &Hypercall) {
    event.notify();
}
