// SPDX-License-Identifier: GPL-2.0-only

//! QEMU's ivshmem-doorbell device (QEMU docs/specs/ivshmem-spec).
//!
//! BAR 0 holds registers: at 8 the own peer number, at 12 the doorbell. BAR 1 is
//! MSI-X. BAR 2 is the shared memory; it is only read here, into private copies.

use crate::{bindings, pci, subject};
use kernel::prelude::*;
use muennet_core::{
    ivshmem::{Directory, Doorbell, EVENTS, EVENT_TABLE},
    sinfo::{Sinfo, SIZE},
};

const MAX_VECTORS: u32 = 255;

/// Resources that binding takes; given back, in this order, when unbound.
pub(crate) struct Ivshmem {
    _subject: subject::Installed,
    _vectors: Option<pci::Vectors>,
}

/// A short-lived mapping of part of BAR 2, to copy from.
struct Window(*const u8);

impl Window {
    /// Maps `len` bytes at guest-physical `address`, cached as drivers map it too.
    fn map(address: u64, len: usize) -> Result<Self> {
        // SAFETY: a fresh mapping, of whatever is there.
        let mapped = unsafe { bindings::memremap(address, len, bindings::MEMREMAP_WB as usize) };
        if mapped.is_null() {
            return Err(ENOMEM);
        }
        Ok(Self(mapped.cast::<u8>()))
    }

    /// Copies the first bytes into `target`.
    ///
    /// # Safety
    ///
    /// The window is at least as long as `target`.
    unsafe fn copy_to(&self, target: &mut [u8]) {
        for (at, byte) in target.iter_mut().enumerate() {
            // SAFETY: in reach by the caller's promise; volatile, since others may write there.
            *byte = unsafe { self.0.add(at).read_volatile() };
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // SAFETY: `self.0` came from `memremap`.
        unsafe { bindings::memunmap(self.0.cast_mut().cast()) };
    }
}

/// A private copy of `len` bytes at guest-physical `address`.
fn copy_of(address: u64, len: usize) -> Result<KVVec<u8>> {
    let mut copy = KVVec::from_elem(0, len, GFP_KERNEL)?;
    // SAFETY: the window has the length of the copy.
    unsafe { Window::map(address, len)?.copy_to(&mut copy) };
    Ok(copy)
}

impl pci::Driver for Ivshmem {
    const NAME: &'static CStr = c"muen_ivshmem";

    fn bind(device: &pci::Device) -> Result<Self> {
        bind(device)
    }
}

/// Says what is wrong with a device, and gives the error for it.
fn refuse(device: &pci::Device, why: core::fmt::Arguments<'_>) -> Error {
    pr_err!("{}: {why}\n", device.name());
    ENODEV
}

fn bind(device: &pci::Device) -> Result<Ivshmem> {
    // SAFETY: BAR 0 of the device that the table of identifiers describes.
    let registers = unsafe { subject::Registers::map(device.resource(0)?.0)? };
    let (start, len) = device.resource(2)?;

    let mut head = [0; Directory::SIZE];
    head.copy_from_slice(&copy_of(start, Directory::SIZE)?);
    let directory = Directory::parse(&head, len)
        .map_err(|error| refuse(device, core::format_args!("{error}")))?;
    let position = registers.position();
    let block = directory.block(position).ok_or_else(|| {
        refuse(
            device,
            core::format_args!(
                "peer number {position} is none of the {} subjects; connect to a subject's own \
                 socket",
                directory.subjects
            ),
        )
    })?;

    let copy = copy_of(start + block, SIZE)?;
    let sinfo = Sinfo::parse(&copy)
        .map_err(|error| refuse(device, core::format_args!("{error}")))?;
    let table = copy_of(start + block + EVENT_TABLE as u64, EVENTS * 4)?;
    let mut events = [None; EVENTS];
    for (event, entry) in events.iter_mut().zip(table.chunks_exact(4)) {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(entry);
        *event = Doorbell::parse(bytes);
    }

    // A subject without vectors may well have a device without MSI-X.
    let vectors = device.alloc_vectors(MAX_VECTORS).ok();
    let irq = |number: u8| vectors.as_ref()?.irq(number.into());
    let memory = |offset: u64, size: u64| {
        let end = offset.checked_add(size)?;
        (end <= len).then(|| start + offset)
    };
    let installed = subject::install(&sinfo, events, registers, memory, irq);
    let (subject, count) =
        installed.map_err(|unfit| refuse(device, core::format_args!("{unfit}")))?;
    pr_info!(
        "{}: subject \"{}\": information of version {}, {count} resources, {} vectors\n",
        device.name(),
        core::format_args!("{}", sinfo.subject()),
        sinfo.version().number(),
        vectors.as_ref().map_or(0, pci::Vectors::len)
    );
    Ok(Ivshmem {
        _subject: subject,
        _vectors: vectors,
    })
}
