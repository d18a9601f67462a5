// SPDX-License-Identifier: GPL-2.0-only

//! Stands in for Muen Linux under QEMU.
//!
//! Binds the ivshmem-doorbell device, reads the subject information that
//! `muen-ivshmem` laid out in its memory, and exports the functions that a Muen
//! kernel exports, so that a driver cannot tell the difference:
//!
//! - [`device`]: the PCI device: registers, vectors, the way to the sinfo;
//! - [`subject`]: the private, translated copy of the subject information;
//! - [`exports`]: the exported functions.

mod device;
mod exports;
mod subject;

kernel::module_pci_driver! {
    type: device::Ivshmem,
    name: "muen_ivshmem",
    authors: ["the muennet authors"],
    description: "Muen's subject information and events over QEMU's ivshmem-doorbell",
    license: "GPL",
}
