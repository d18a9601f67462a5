// SPDX-License-Identifier: MIT OR Apache-2.0
//! QEMU's ivshmem-doorbell device (QEMU docs/specs/ivshmem-spec). BAR 0 holds
//! registers, BAR 1 is MSI-X, BAR 2 the shared memory.

use super::{boot, lapic, pci};
use crate::{
    platform::{memory::copy, Place},
    trouble::Trouble,
};
use muennet_core::{
    ivshmem::{Directory, Doorbell, EVENTS, EVENT_TABLE, PCI_ID},
    notify::Notifier,
    sinfo,
};
use pci_types::capability::{MsixCapability, PciCapability};
use static_cell::ConstStaticCell;

/// Registers of BAR 0.
const POSITION: u64 = 8;
const DOORBELL: u64 = 12;

/// Bytes of an entry of the MSI-X table.
const MSIX_ENTRY: u64 = 16;

/// Private copies of what the region says of this subject.
struct Copies {
    sinfo: [u8; sinfo::SIZE],
    events: [u8; EVENTS * 4],
}

static COPIES: ConstStaticCell<Copies> = ConstStaticCell::new(Copies {
    sinfo: [0; sinfo::SIZE],
    events: [0; EVENTS * 4],
});

/// The device.
pub struct Ivshmem {
    registers: u64,
    memory: u64,
    len: u64,
    copies: &'static Copies,
    msix: Option<Msix>,
}

/// The device's interrupts: a table in its memory.
struct Msix {
    table: u64,
    vectors: u16,
}

/// The bell of a peer's vector.
#[derive(Debug)]
pub struct Bell {
    register: u64,
    doorbell: Doorbell,
}

impl Notifier for Bell {
    fn notify(&self) {
        write(self.register, self.doorbell.register());
    }
}

fn read(address: u64) -> u32 {
    let register: *const u32 = core::ptr::with_exposed_provenance(address as usize);
    // SAFETY: a register of the device, whose BARs were mapped when it was found.
    unsafe { register.read_volatile() }
}

fn write(address: u64, value: u32) {
    let register: *mut u32 = core::ptr::with_exposed_provenance_mut(address as usize);
    // SAFETY: as for `read`.
    unsafe { register.write_volatile(value) };
}

impl Ivshmem {
    /// Finds the device, and in its memory what is said of this subject.
    pub fn start() -> Result<Self, Trouble> {
        let (mut device, _) = pci::find(PCI_ID).ok_or(Trouble::NoDevice("ivshmem device"))?;
        let bar = |number| {
            let (start, len) = pci::memory(&device, number)
                .ok_or(Trouble::Device("the ivshmem device lacks its memory"))?;
            if !boot::map(start, start.saturating_add(len)) {
                return Err(Trouble::Unreachable {
                    address: start,
                    size: len,
                });
            }
            Ok((start, len))
        };
        let ((registers, _), (memory, len)) = (bar(0)?, bar(2)?);
        let msix = device
            .capabilities(pci::Ports)
            .find_map(|capability| match capability {
                PciCapability::MsiX(msix) => Some(msix),
                _ => None,
            });
        let msix = match msix {
            Some(mut msix) => {
                let (start, _) = bar(msix.table_bar())?;
                enable(&mut msix);
                Some(Msix {
                    table: start + u64::from(msix.table_offset()),
                    vectors: msix.table_size(),
                })
            }
            // A subject without vectors may well have a device without interrupts.
            None => None,
        };
        pci::enable(&mut device);

        let mut head = [0; Directory::SIZE];
        if len < head.len() as u64 {
            return Err(Trouble::Device("the ivshmem device's memory is too small"));
        }
        // SAFETY: the start of BAR 2, which was mapped above and is long enough.
        unsafe { copy(memory, &mut head) };
        let directory = Directory::parse(&head, len)?;
        let position = read(registers + POSITION);
        let block = directory
            .block(position)
            .ok_or(Trouble::NoBlock(position))?;
        let copies = COPIES.take();
        // SAFETY: the directory was checked: every block lies within BAR 2.
        unsafe {
            copy(memory + block, &mut copies.sinfo);
            copy(memory + block + EVENT_TABLE as u64, &mut copies.events);
        }
        Ok(Self {
            registers,
            memory,
            len,
            copies,
            msix,
        })
    }

    /// The copy of the subject information.
    pub fn sinfo(&self) -> &[u8] {
        &self.copies.sinfo
    }

    /// A channel: its address is an offset in the region.
    pub fn channel(&self, channel: &sinfo::Memory) -> Result<Place, Trouble> {
        let (address, size) = (channel.address, channel.size);
        let unreachable = Trouble::Unreachable { address, size };
        if address.checked_add(size).is_none_or(|end| end > self.len) {
            return Err(unreachable);
        }
        // SAFETY: within BAR 2, which stays mapped; nothing else here uses channels.
        unsafe { Place::new(self.memory + address, size) }.ok_or(unreachable)
    }

    /// Gives the bell of an event.
    pub fn bell(&self, event: u8) -> Option<Bell> {
        let entry = self.copies.events.chunks_exact(4).nth(event.into())?;
        Some(Bell {
            register: self.registers + DOORBELL,
            doorbell: Doorbell::parse(*entry.first_chunk()?)?,
        })
    }

    /// Lets the device send the interrupt `interrupt` to processor `cpu` for `vector`.
    pub fn route(&self, vector: u8, cpu: u8, interrupt: u8) -> Result<(), Trouble> {
        let msix = self.msix.as_ref();
        let msix = msix
            .filter(|msix| u16::from(vector) < msix.vectors)
            .ok_or(Trouble::NoVector(vector))?;
        let entry = msix.table + MSIX_ENTRY * u64::from(vector);
        // CAST: the controller lies below 4 GiB.
        write(entry, lapic::ADDRESS as u32 | u32::from(cpu) << 12);
        write(entry + 4, 0);
        write(entry + 8, interrupt.into());
        write(entry + 12, 0);
        Ok(())
    }
}

/// Lets the device send interrupts; the entries of its table are masked until used.
fn enable(msix: &mut MsixCapability) {
    msix.set_function_mask(false, pci::Ports);
    msix.set_enabled(true, pci::Ports);
}
