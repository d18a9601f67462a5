// SPDX-License-Identifier: GPL-2.0-only

//! QEMU's ivshmem-doorbell device (QEMU docs/specs/ivshmem-spec).
//!
//! BAR 0 holds registers: at 8 the own peer number, at 12 the doorbell. BAR 1 is
//! MSI-X. BAR 2 is the shared memory; it is only read here, into private copies.

use crate::subject;
use kernel::{bindings, device::Core, pci, prelude::*};
use muennet_core::{
    ivshmem::{Directory, Doorbell, EVENTS, EVENT_TABLE, PCI_ID},
    sinfo::{Sinfo, SIZE},
};

const MAX_VECTORS: u32 = 255;

/// The driver of the device.
pub(crate) struct Ivshmem;

/// What binding takes hold of; given back, in this order, when unbound.
pub(crate) struct Bound<'bound> {
    _subject: subject::Installed,
    _vectors: Option<pci::IrqVectorRegistration<'bound>>,
}

kernel::pci_device_table!(
    PCI_TABLE,
    <Ivshmem as pci::Driver>::IdInfo,
    [(pci::DeviceId::from_id(pci::Vendor::REDHAT_QUMRANET, PCI_ID.1 as u32), ())]
);

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
    type IdInfo = ();
    type Data<'bound> = Bound<'bound>;

    const ID_TABLE: pci::IdTable<Self::IdInfo> = &PCI_TABLE;

    fn probe<'bound>(
        device: &'bound pci::Device<Core<'_>>,
        _info: Option<&'bound Self::IdInfo>,
    ) -> impl PinInit<Self::Data<'bound>, Error> + 'bound {
        bind(device)
    }
}

fn bind<'bound>(device: &'bound pci::Device<Core<'_>>) -> Result<Bound<'bound>> {
    device.enable_device_mem()?;
    device.set_master();
    // SAFETY: BAR 0 of the device that the table of identifiers describes.
    let registers = unsafe { subject::Registers::map(device.resource_start(0)?)? };
    let (start, len) = (device.resource_start(2)?, device.resource_len(2)?);

    let mut head = [0; Directory::SIZE];
    head.copy_from_slice(&copy_of(start, Directory::SIZE)?);
    let directory = Directory::parse(&head, len).map_err(|error| {
        dev_err!(device, "{}\n", core::format_args!("{error}"));
        ENODEV
    })?;
    let position = registers.position();
    let block = directory.block(position).ok_or_else(|| {
        dev_err!(
            device,
            "peer number {position} is none of the {} subjects; connect to a subject's own socket\n",
            directory.subjects
        );
        ENODEV
    })?;

    let copy = copy_of(start + block, SIZE)?;
    let sinfo = Sinfo::parse(&copy).map_err(|error| {
        dev_err!(device, "{}\n", core::format_args!("{error}"));
        ENODEV
    })?;
    let table = copy_of(start + block + EVENT_TABLE as u64, EVENTS * 4)?;
    let mut events = [None; EVENTS];
    for (event, entry) in events.iter_mut().zip(table.chunks_exact(4)) {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(entry);
        *event = Doorbell::parse(bytes);
    }

    // A subject without vectors may well have a device without MSI-X.
    let msix = pci::IrqTypes::default().with(pci::IrqType::MsiX);
    let vectors = device.alloc_irq_vectors(1, MAX_VECTORS, msix).ok();
    let irq = |number: u8| {
        let vector = vectors.as_ref()?.index(usize::from(number)).ok()?;
        Some(kernel::irq::IrqRequest::from(vector).irq())
    };
    let memory = |offset: u64, size: u64| {
        let end = offset.checked_add(size)?;
        (end <= len).then(|| start + offset)
    };
    let installed = subject::install(&sinfo, events, registers, memory, irq);
    let (subject, count) = installed.map_err(|unfit| {
        dev_err!(device, "{}\n", core::format_args!("{unfit}"));
        ENODEV
    })?;
    dev_info!(
        device,
        "subject \"{}\": {count} resources, {} vectors\n",
        core::format_args!("{}", sinfo.subject()),
        vectors.as_ref().map_or(0, |vectors| vectors.len())
    );
    Ok(Bound {
        _subject: subject,
        _vectors: vectors,
    })
}
