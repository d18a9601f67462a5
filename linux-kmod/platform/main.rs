// SPDX-License-Identifier: GPL-2.0-only

//! Stands in for Muen Linux under QEMU.
//!
//! Binds the ivshmem-doorbell device, reads the subject information that
//! `muen-ivshmem` laid out in its memory, and exports the functions that a Muen
//! kernel exports, so that a driver cannot tell the difference:
//!
//! - [`device`]: the PCI device: registers, vectors, the way to the sinfo;
//! - [`pci`]: its driver's registration;
//! - [`subject`]: the private, translated copy of the subject information;
//! - [`exports`]: the exported functions.

mod bindings;
mod device;
mod exports;
mod pci;
mod subject;

use kernel::prelude::*;

module! {
    type: StandIn,
    name: "muen_ivshmem",
    authors: ["the muennet authors"],
    description: "Muen's subject information and events over QEMU's ivshmem-doorbell",
    license: "GPL",
}

/// The module. Its parts go in this order.
struct StandIn {
    _driver: pci::Registration<device::Ivshmem>,
    _retired: subject::Retired,
}

impl kernel::Module for StandIn {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let driver = pci::Registration::new(module)?;
        // SAFETY: the module goes with it; who was given anything uses its symbols.
        let retired = unsafe { subject::Retired::new() };
        Ok(Self {
            _driver: driver,
            _retired: retired,
        })
    }
}
