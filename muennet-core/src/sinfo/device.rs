// SPDX-License-Identifier: MIT OR Apache-2.0
//! Devices, their memory and their ports.
//!
//! A network component has no use for them, so flags and methods stay numbers.
//! [`Version`](super::Version) knows where the fields lie.

/// A PCI device.
///
/// ```
/// use muennet_core::sinfo::{self, Builder, Detail, Device, Name, Resource, Sinfo, Version};
///
/// // At 00:19.0, with one message-signalled interrupt.
/// let detail = Detail::Device(Device {
///     sid: 0xc8,
///     irte_start: 4,
///     irq_start: 52,
///     ir_count: 1,
///     flags: 1,
///     identity: None,
/// });
/// let mut page = vec![0; sinfo::SIZE];
/// let mut builder = Builder::new(&mut page, Version::V4, "driver", 3_000_000)?;
/// builder.resource(&Resource { name: Name::new("nic")?, detail })?;
/// let found = Sinfo::parse(&page)?.resources().next();
/// assert_eq!(found.map(|resource| resource.detail), Some(detail));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
///
/// ```
/// use muennet_core::sinfo::{self, Builder, Detail, Device, Identity, Name, Resource, Sinfo, Version};
///
/// let identity = Identity { vendor: 0x8086, device: 0x1502, class: 0x0200, reset_method: 1 };
/// let detail = Detail::Device(Device {
///     sid: 0xc8,
///     irte_start: 4,
///     irq_start: 52,
///     ir_count: 1,
///     flags: 1,
///     identity: Some(identity),
/// });
/// let mut page = vec![0; sinfo::SIZE];
/// let mut builder = Builder::new(&mut page, Version::V5, "driver", 3_000_000)?;
/// builder.resource(&Resource { name: Name::new("nic")?, detail })?;
/// let found = Sinfo::parse(&page)?.resources().next();
/// assert_eq!(found.map(|resource| resource.detail), Some(detail));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
///
/// ```
/// use muennet_core::sinfo::{self, Builder, Detail, DeviceMemory, Name, Resource, Sinfo, Version};
///
/// let detail = Detail::DeviceMemory(DeviceMemory {
///     writable: true,
///     executable: false,
///     address: 0xf7c0_0000,
///     size: 0x2_0000,
///     bar: None,
/// });
/// let mut page = vec![0; sinfo::SIZE];
/// let mut builder = Builder::new(&mut page, Version::V4, "driver", 3_000_000)?;
/// builder.resource(&Resource { name: Name::new("nic")?, detail })?;
/// let found = Sinfo::parse(&page)?.resources().next();
/// assert_eq!(found.map(|resource| resource.detail), Some(detail));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
///
/// ```
/// use muennet_core::sinfo::{self, Builder, Detail, Bar, DeviceMemory, Name, Resource, Sinfo, Version};
///
/// let bar = Bar { sid: 0xc8, flags: 0, index: 0, address: 0xf7c0_0000 };
/// let detail = Detail::DeviceMemory(DeviceMemory {
///     writable: true,
///     executable: false,
///     address: 0xf7c0_0000,
///     size: 0x2_0000,
///     bar: Some(bar),
/// });
/// let mut page = vec![0; sinfo::SIZE];
/// let mut builder = Builder::new(&mut page, Version::V5, "driver", 3_000_000)?;
/// builder.resource(&Resource { name: Name::new("nic")?, detail })?;
/// let found = Sinfo::parse(&page)?.resources().next();
/// assert_eq!(found.map(|resource| resource.detail), Some(detail));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
///
/// ```
/// use muennet_core::sinfo::{self, Builder, Detail, DevicePort, Name, Resource, Sinfo, Version};
///
/// let detail = Detail::DevicePort(DevicePort {
///     sid: 0xc8,
///     bar_index: 2,
///     address: 0xf080,
///     size: 32,
/// });
/// let mut page = vec![0; sinfo::SIZE];
/// let mut builder = Builder::new(&mut page, Version::V5, "driver", 3_000_000)?;
/// builder.resource(&Resource { name: Name::new("nic")?, detail })?;
/// let found = Sinfo::parse(&page)?.resources().next();
/// assert_eq!(found.map(|resource| resource.detail), Some(detail));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
