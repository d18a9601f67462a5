// SPDX-License-Identifier: MIT OR Apache-2.0
//! Finding a PCI device, by the configuration ports.

use pci_types::{Bar, CommandRegister, ConfigRegionAccess, EndpointHeader, PciAddress, PciHeader};
use x86_64::instructions::port::Port;

/// Configuration space through the ports 0xcf8 and 0xcfc.
pub struct Ports;

impl Ports {
    fn select(address: PciAddress, offset: u16) {
        let select = 1 << 31
            | u32::from(address.bus()) << 16
            | u32::from(address.device()) << 11
            | u32::from(address.function()) << 8
            | u32::from(offset & 0xfc);
        // SAFETY: the port selects a register and does nothing else.
        unsafe { Port::<u32>::new(0xcf8).write(select) };
    }
}

impl ConfigRegionAccess for Ports {
    unsafe fn read(&self, address: PciAddress, offset: u16) -> u32 {
        Self::select(address, offset);
        // SAFETY: reading the register has no effect that the caller does not answer for.
        unsafe { Port::<u32>::new(0xcfc).read() }
    }

    unsafe fn write(&self, address: PciAddress, offset: u16, value: u32) {
        Self::select(address, offset);
        // SAFETY: as promised by the caller.
        unsafe { Port::<u32>::new(0xcfc).write(value) };
    }
}

/// The first device of that vendor and device number, and its address.
pub fn find(id: (u16, u16)) -> Option<(EndpointHeader, PciAddress)> {
    let places = (0..=255).flat_map(|bus| (0..32).map(move |device| (bus, device)));
    for (bus, device) in places {
        let address = PciAddress::new(0, bus, device, 0);
        let header = PciHeader::new(address);
        if header.id(Ports) == id {
            return EndpointHeader::from_header(header, Ports).map(|header| (header, address));
        }
    }
    None
}

/// Lets the device answer to its memory, and write: messages are writes.
pub fn enable(device: &mut EndpointHeader) {
    device.update_command(Ports, |command| {
        command | CommandRegister::MEMORY_ENABLE | CommandRegister::BUS_MASTER_ENABLE
    });
}

/// Address and length of a memory BAR.
pub fn memory(device: &EndpointHeader, bar: u8) -> Option<(u64, u64)> {
    match device.bar(bar, Ports)? {
        Bar::Memory32 { address, size, .. } => Some((address.into(), size.into())),
        Bar::Memory64 { address, size, .. } => Some((address, size)),
        Bar::Io { .. } => None,
    }
}

/// Powers the machine off: the power management registers of the chipset (ICH9,
/// whose function 31.0 says where they are).
pub fn power_off() {
    let chipset = PciAddress::new(0, 0, 31, 0);
    // SAFETY: a read of a register that every ICH9 has.
    let base = unsafe { Ports.read(chipset, 0x40) } & 0xff80;
    // CAST: masked to 16 bits.
    let control = base as u16 + 4;
    // SAFETY: "sleep enable" with the type of soft off; nothing runs after it.
    unsafe { Port::<u16>::new(control).write(1 << 13) };
}
