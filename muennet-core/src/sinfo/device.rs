// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the resources of kinds device, device memory and device port hold.
//!
//! Muen's `musinfo.h` of version 5 defines the 56 bytes of these kinds. All is
//! little endian and packed, what is not named is padding:
//!
//! | device | device memory | device port |
//! |---|---|---|
//! | 0: source ID u16 | 0: source ID u16 | 0: source ID u16 |
//! | 2: vendor ID u16 | 2: flags u8 | 2: BAR index u8 |
//! | 4: device ID u16 | 3: BAR flags u8 | 4: address u16 |
//! | 6: class code u16 | 4: BAR index u8 | 6: size u16 |
//! | 8: first IRTE u16 | 8: BAR address u64 | |
//! | 10: first IRQ u8 | 16: address u64 | |
//! | 11: interrupts u8 | 24: size u64 | |
//! | 12: flags u8 | | |
//! | 13: reset method u8 | | |
//!
//! A network component has no use for them, so flags and methods stay numbers.

use super::layout::DETAIL_SIZE;

/// A PCI device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Device {
    /// PCI source ID: bus, device and function.
    pub sid: u16,
    /// PCI vendor ID.
    pub vendor: u16,
    /// PCI device ID.
    pub device: u16,
    /// PCI class code.
    pub class: u16,
    /// First entry in the interrupt remapping table.
    pub irte_start: u16,
    /// First interrupt.
    pub irq_start: u8,
    /// Number of interrupts.
    pub ir_count: u8,
    /// Flags; bit 0: message-signalled interrupts.
    pub flags: u8,
    /// How the device is reset: 0 not at all, 1 function level, 2 advanced
    /// features, 3 power management, 4 bus.
    pub reset_method: u8,
}

/// Memory of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DeviceMemory {
    /// PCI source ID of the device.
    pub sid: u16,
    /// The subject may write it.
    pub writable: bool,
    /// The subject may execute it.
    pub executable: bool,
    /// Flags of the BAR it lies in; bit 0: prefetchable, bit 1: 64 bits.
    pub bar_flags: u8,
    /// Index of the BAR.
    pub bar_index: u8,
    /// Address that the BAR holds.
    pub bar_address: u64,
    /// Guest-physical address of the first byte.
    pub address: u64,
    /// Length in bytes.
    pub size: u64,
}

/// I/O ports of a device.
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

/// The bytes that a kind defines.
pub(super) type Bytes = [u8; DETAIL_SIZE];

/// The `N` bytes at a constant offset.
fn field<const AT: usize, const N: usize>(bytes: &Bytes) -> [u8; N] {
    super::layout::field::<AT, N, DETAIL_SIZE>(bytes)
}

fn u16_at<const AT: usize>(bytes: &Bytes) -> u16 {
    u16::from_le_bytes(field::<AT, 2>(bytes))
}

fn u64_at<const AT: usize>(bytes: &Bytes) -> u64 {
    u64::from_le_bytes(field::<AT, 8>(bytes))
}

fn u8_at<const AT: usize>(bytes: &Bytes) -> u8 {
    u8::from_le_bytes(field::<AT, 1>(bytes))
}

impl Device {
    pub(super) fn parse(bytes: &Bytes) -> Self {
        Self {
            sid: u16_at::<0>(bytes),
            vendor: u16_at::<2>(bytes),
            device: u16_at::<4>(bytes),
            class: u16_at::<6>(bytes),
            irte_start: u16_at::<8>(bytes),
            irq_start: u8_at::<10>(bytes),
            ir_count: u8_at::<11>(bytes),
            flags: u8_at::<12>(bytes),
            reset_method: u8_at::<13>(bytes),
        }
    }
}

impl DeviceMemory {
    pub(super) fn parse(bytes: &Bytes) -> Self {
        let flags = u8_at::<2>(bytes);
        Self {
            sid: u16_at::<0>(bytes),
            writable: flags & super::resource::WRITABLE != 0,
            executable: flags & super::resource::EXECUTABLE != 0,
            bar_flags: u8_at::<3>(bytes),
            bar_index: u8_at::<4>(bytes),
            bar_address: u64_at::<8>(bytes),
            address: u64_at::<16>(bytes),
            size: u64_at::<24>(bytes),
        }
    }
}

impl DevicePort {
    pub(super) fn parse(bytes: &Bytes) -> Self {
        Self {
            sid: u16_at::<0>(bytes),
            bar_index: u8_at::<2>(bytes),
            address: u16_at::<4>(bytes),
            size: u16_at::<6>(bytes),
        }
    }
}

/// The way back, for [`Resource::to_bytes`](super::Resource::to_bytes).
#[cfg(feature = "builder")]
mod build {
    use super::{Bytes, Device, DeviceMemory, DevicePort};
    use crate::sinfo::{layout::DETAIL_SIZE, resource::flags};

    fn lay(fields: &[(usize, &[u8])]) -> Bytes {
        let mut bytes = [0; DETAIL_SIZE];
        for (at, field) in fields {
            bytes[*at..*at + field.len()].copy_from_slice(field);
        }
        bytes
    }

    impl Device {
        pub(in crate::sinfo) fn to_bytes(self) -> Bytes {
            lay(&[
                (0, &self.sid.to_le_bytes()),
                (2, &self.vendor.to_le_bytes()),
                (4, &self.device.to_le_bytes()),
                (6, &self.class.to_le_bytes()),
                (8, &self.irte_start.to_le_bytes()),
                (
                    10,
                    &[self.irq_start, self.ir_count, self.flags, self.reset_method],
                ),
            ])
        }
    }

    impl DeviceMemory {
        pub(in crate::sinfo) fn to_bytes(self) -> Bytes {
            lay(&[
                (0, &self.sid.to_le_bytes()),
                (
                    2,
                    &[
                        flags(self.writable, self.executable),
                        self.bar_flags,
                        self.bar_index,
                    ],
                ),
                (8, &self.bar_address.to_le_bytes()),
                (16, &self.address.to_le_bytes()),
                (24, &self.size.to_le_bytes()),
            ])
        }
    }

    impl DevicePort {
        pub(in crate::sinfo) fn to_bytes(self) -> Bytes {
            lay(&[
                (0, &self.sid.to_le_bytes()),
                (2, &[self.bar_index]),
                (4, &self.address.to_le_bytes()),
                (6, &self.size.to_le_bytes()),
            ])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted() -> Bytes {
        core::array::from_fn(|index| index as u8 + 1)
    }

    #[test]
    fn every_field_lies_where_musinfo_has_it() {
        assert_eq!(
            Device::parse(&counted()),
            Device {
                sid: 0x0201,
                vendor: 0x0403,
                device: 0x0605,
                class: 0x0807,
                irte_start: 0x0a09,
                irq_start: 0x0b,
                ir_count: 0x0c,
                flags: 0x0d,
                reset_method: 0x0e,
            }
        );
        assert_eq!(
            DeviceMemory::parse(&counted()),
            DeviceMemory {
                sid: 0x0201,
                writable: true,
                executable: true,
                bar_flags: 0x04,
                bar_index: 0x05,
                bar_address: 0x100f_0e0d_0c0b_0a09,
                address: 0x1817_1615_1413_1211,
                size: 0x201f_1e1d_1c1b_1a19,
            }
        );
        assert_eq!(
            DevicePort::parse(&counted()),
            DevicePort {
                sid: 0x0201,
                bar_index: 0x03,
                address: 0x0605,
                size: 0x0807,
            }
        );
    }

    #[cfg(feature = "builder")]
    #[test]
    fn what_is_built_is_parsed() {
        let device = Device::parse(&counted());
        assert_eq!(Device::parse(&device.to_bytes()), device);
        let memory = DeviceMemory::parse(&counted());
        assert_eq!(DeviceMemory::parse(&memory.to_bytes()), memory);
        let port = DevicePort::parse(&counted());
        assert_eq!(DevicePort::parse(&port.to_bytes()), port);
    }
}
