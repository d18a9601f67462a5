// SPDX-License-Identifier: MIT OR Apache-2.0
//! Devices, their memory and their ports.
//!
//! A network component has no use for them, so flags and methods stay numbers.
//! [`Version`](super::Version) knows where the fields lie.

/// A PCI device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Device {
    /// PCI source ID: bus, device and function.
    pub sid: u16,
    /// First entry in the interrupt remapping table.
    pub irte_start: u16,
    /// First interrupt.
    pub irq_start: u8,
    /// Number of interrupts.
    pub ir_count: u8,
    /// Flags; bit 0: message-signalled interrupts.
    pub flags: u8,
    /// PCI identity; version 5 alone has it.
    pub identity: Option<Identity>,
}

/// Fields of a device that only version 5 has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Identity {
    /// PCI vendor ID.
    pub vendor: u16,
    /// PCI device ID.
    pub device: u16,
    /// PCI class code.
    pub class: u16,
    /// Way in which the device is reset: 0 not at all, 1 function level, 2 advanced
    /// features, 3 power management, 4 bus.
    pub reset_method: u8,
}

/// Memory of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DeviceMemory {
    /// The subject may write it.
    pub writable: bool,
    /// The subject may execute it.
    pub executable: bool,
    /// Guest-physical address of the first byte.
    pub address: u64,
    /// Length in bytes.
    pub size: u64,
    /// The BAR it lies in; version 5 alone has it.
    pub bar: Option<Bar>,
}

/// Fields of a device's memory that only version 5 has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Bar {
    /// PCI source ID of the device.
    pub sid: u16,
    /// Flags; bit 0: prefetchable, bit 1: 64 bits.
    pub flags: u8,
    /// Index of the BAR.
    pub index: u8,
    /// Address that the BAR holds.
    pub address: u64,
}

/// I/O ports of a device; version 5 alone has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DevicePort {
    /// PCI source ID of the device.
    pub sid: u16,
    /// Index of the BAR.
    pub bar_index: u8,
    /// First port.
    pub address: u16,
    /// Number of ports.
    pub size: u16,
}
