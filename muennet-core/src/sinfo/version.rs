// SPDX-License-Identifier: MIT OR Apache-2.0
//! Versions of subject information, and everything that differs between them.
//!
//! | version | Muen | resource count | memory kinds | device, device memory | device port |
//! |---|---|---|---|---|---|
//! | 1, 2 | v0.9 | refused | | | |
//! | 3 | v1.0.0 to v1.1.1 | at 77 | 18 is the kernel interface | see below | none |
//! | 4 | tools of April 2026 | at 77 | 18 is the device tree, 19 the kernel interface | as in 3 | none |
//! | 5 | tools of July 2026 | at 78 | as in 4 | see below | kind 6 |
//!
//! Names, memory, events and vectors lie alike in 3, 4 and 5. The 56 bytes of the
//! other kinds, little endian and packed, unnamed bytes are padding:
//!
//! | device, 3 and 4 | device, 5 | device memory, 3 and 4 | device memory, 5 | device port, 5 |
//! |---|---|---|---|---|
//! | 0: source ID u16 | 0: source ID u16 | 0: flags u8 | 0: source ID u16 | 0: source ID u16 |
//! | 2: first IRTE u16 | 2: vendor ID u16 | 8: address u64 | 2: flags u8 | 2: BAR index u8 |
//! | 4: first IRQ u8 | 4: device ID u16 | 16: size u64 | 3: BAR flags u8 | 4: address u16 |
//! | 5: interrupts u8 | 6: class code u16 | | 4: BAR index u8 | 6: size u16 |
//! | 6: flags u8 | 8: first IRTE u16 | | 8: BAR address u64 | |
//! | | 10: first IRQ u8 | | 16: address u64 | |
//! | | 11: interrupts u8 | | 24: size u64 | |
//! | | 12: flags u8 | | | |
//! | | 13: reset method u8 | | | |
//!
//! Sources: `musinfo.ads` and `musinfo.h` of Muen.

use super::device::{Bar, Device, DeviceMemory, DevicePort, Identity};
use super::layout::{self, DETAIL_SIZE};
use super::resource::{EXECUTABLE, WRITABLE};
use super::{Kind, MemoryKind, SinfoError};

/// A supported version of subject information.
///
/// ```
/// use muennet_core::sinfo::Version;
///
/// assert_eq!(Version::from_number(4), Some(Version::V4));
/// assert_eq!(Version::V5.number(), 5);
/// assert_eq!(Version::from_number(9), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Version {
    /// Muen v1.0.0 to v1.1.1.
    V3,
    /// Muen's tools from April 2026 on.
    V4,
    /// Muen's tools from July 2026 on.
    #[default]
    V5,
}

/// The bytes that the kind of a resource defines.
pub(super) type Bytes = [u8; DETAIL_SIZE];

/// The magic without its version: "muinfo" and a NUL.
const MUINFO: u64 = 0x6f66_6e69_756d;

/// The memory kinds of versions 4 and 5, by number.
const MEMORY_KINDS: [MemoryKind; 20] = [
    MemoryKind::Plain,
    MemoryKind::Info,
    MemoryKind::Binary,
    MemoryKind::ZeroPage,
    MemoryKind::Initrd,
    MemoryKind::Channel,
    MemoryKind::State,
    MemoryKind::TimedEvent,
    MemoryKind::Interrupts,
    MemoryKind::SchedulingInfo,
    MemoryKind::Bios,
    MemoryKind::AcpiRsdp,
    MemoryKind::AcpiXsdt,
    MemoryKind::AcpiFadt,
    MemoryKind::AcpiDsdt,
    MemoryKind::Device,
    MemoryKind::Solo5BootInfo,
    MemoryKind::CrashAudit,
    MemoryKind::DeviceTree,
    MemoryKind::KernelInterface,
];

impl Version {
    /// All supported versions, oldest first.
    pub const ALL: [Self; 3] = [Self::V3, Self::V4, Self::V5];
    /// The oldest supported version.
    pub const OLDEST: Self = Self::V3;
    /// The newest supported version.
    pub const NEWEST: Self = Self::V5;

    /// The number of the version.
    pub const fn number(self) -> u8 {
        match self {
            Self::V3 => 3,
            Self::V4 => 4,
            Self::V5 => 5,
        }
    }

    /// The version of that number, if it is supported.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|version| version.number() == number)
    }

    /// The first eight bytes of a page: "muinfo", NUL, version.
    pub const fn magic(self) -> u64 {
        // CAST: widens.
        MUINFO | (self.number() as u64) << 56
    }

    /// The version that a page's magic names.
    pub(super) fn from_magic(magic: u64) -> Result<Self, SinfoError> {
        if magic << 8 != MUINFO << 8 {
            return Err(SinfoError::Magic { found: magic });
        }
        // CAST: eight bits are left.
        let found = (magic >> 56) as u8;
        Self::from_number(found).ok_or(SinfoError::Version {
            found,
            oldest: Self::OLDEST.number(),
            newest: Self::NEWEST.number(),
        })
    }

    /// Offset of the number of resources, a u16.
    pub(super) const fn count_offset(self) -> usize {
        match self {
            Self::V3 | Self::V4 => 77,
            Self::V5 => 78,
        }
    }

    /// The kind of resource that a number names; `None` where it names none.
    pub(super) fn kind(self, number: u32) -> Option<Kind> {
        Kind::ALL
            .into_iter()
            .filter(|kind| *kind != Kind::DevicePort || self >= Self::V5)
            .find(|kind| *kind as u32 == number)
    }

    /// The kind of memory that a number names.
    pub(super) fn memory_kind(self, number: u8) -> MemoryKind {
        self.memory_kinds()
            .nth(number.into())
            .unwrap_or(MemoryKind::Other(number))
    }

    /// The kinds of memory by number.
    fn memory_kinds(self) -> impl Iterator<Item = MemoryKind> {
        MEMORY_KINDS
            .into_iter()
            .filter(move |kind| *kind != MemoryKind::DeviceTree || self >= Self::V4)
    }

    pub(super) fn device(self, bytes: &Bytes) -> Device {
        match self {
            Self::V3 | Self::V4 => Device {
                sid: u16_at::<0>(bytes),
                irte_start: u16_at::<2>(bytes),
                irq_start: u8_at::<4>(bytes),
                ir_count: u8_at::<5>(bytes),
                flags: u8_at::<6>(bytes),
                identity: None,
            },
            Self::V5 => Device {
                sid: u16_at::<0>(bytes),
                irte_start: u16_at::<8>(bytes),
                irq_start: u8_at::<10>(bytes),
                ir_count: u8_at::<11>(bytes),
                flags: u8_at::<12>(bytes),
                identity: Some(Identity {
                    vendor: u16_at::<2>(bytes),
                    device: u16_at::<4>(bytes),
                    class: u16_at::<6>(bytes),
                    reset_method: u8_at::<13>(bytes),
                }),
            },
        }
    }

    pub(super) fn device_memory(self, bytes: &Bytes) -> DeviceMemory {
        let memory = |flags: u8, address, size, bar| DeviceMemory {
            writable: flags & WRITABLE != 0,
            executable: flags & EXECUTABLE != 0,
            address,
            size,
            bar,
        };
        match self {
            Self::V3 | Self::V4 => memory(
                u8_at::<0>(bytes),
                u64_at::<8>(bytes),
                u64_at::<16>(bytes),
                None,
            ),
            Self::V5 => memory(
                u8_at::<2>(bytes),
                u64_at::<16>(bytes),
                u64_at::<24>(bytes),
                Some(Bar {
                    sid: u16_at::<0>(bytes),
                    flags: u8_at::<3>(bytes),
                    index: u8_at::<4>(bytes),
                    address: u64_at::<8>(bytes),
                }),
            ),
        }
    }

    /// Version 5 alone has device ports.
    pub(super) fn device_port(bytes: &Bytes) -> DevicePort {
        DevicePort {
            sid: u16_at::<0>(bytes),
            bar_index: u8_at::<2>(bytes),
            address: u16_at::<4>(bytes),
            size: u16_at::<6>(bytes),
        }
    }
}

/// The `N` bytes at a constant offset.
fn field<const AT: usize, const N: usize>(bytes: &Bytes) -> [u8; N] {
    layout::field::<AT, N, DETAIL_SIZE>(bytes)
}

fn u8_at<const AT: usize>(bytes: &Bytes) -> u8 {
    u8::from_le_bytes(field::<AT, 1>(bytes))
}

fn u16_at<const AT: usize>(bytes: &Bytes) -> u16 {
    u16::from_le_bytes(field::<AT, 2>(bytes))
}

fn u64_at<const AT: usize>(bytes: &Bytes) -> u64 {
    u64::from_le_bytes(field::<AT, 8>(bytes))
}

/// Building: the reverse of parsing. `None` where the version has no place for a value.
#[cfg(feature = "builder")]
mod build {
    use super::{Bytes, Device, DeviceMemory, DevicePort, MemoryKind, Version};
    use crate::sinfo::{layout::DETAIL_SIZE, resource::flags, Resource};

    fn lay(fields: &[(usize, &[u8])]) -> Bytes {
        let mut bytes = [0; DETAIL_SIZE];
        for (at, field) in fields {
            bytes[*at..*at + field.len()].copy_from_slice(field);
        }
        bytes
    }

    impl Version {
        /// The number of a resource's kind.
        pub(in crate::sinfo) fn kind_number(self, resource: &Resource) -> Option<u32> {
            let number = resource.kind_number();
            (number != 0 && self.kind(number) == resource.kind()).then_some(number)
        }

        pub(in crate::sinfo) fn memory_number(self, kind: MemoryKind) -> Option<u8> {
            match kind {
                MemoryKind::Other(number) => (self.memory_kind(number) == kind).then_some(number),
                _ => (0..)
                    .zip(self.memory_kinds())
                    .find_map(|(number, known)| (known == kind).then_some(number)),
            }
        }

        pub(in crate::sinfo) fn device_bytes(self, device: &Device) -> Option<Bytes> {
            let sid = device.sid.to_le_bytes();
            let irte = device.irte_start.to_le_bytes();
            let interrupts = [device.irq_start, device.ir_count, device.flags];
            match (self, device.identity) {
                (Self::V3 | Self::V4, None) => {
                    Some(lay(&[(0, &sid), (2, &irte), (4, &interrupts)]))
                }
                (Self::V5, Some(identity)) => Some(lay(&[
                    (0, &sid),
                    (2, &identity.vendor.to_le_bytes()),
                    (4, &identity.device.to_le_bytes()),
                    (6, &identity.class.to_le_bytes()),
                    (8, &irte),
                    (10, &interrupts),
                    (13, &[identity.reset_method]),
                ])),
                _ => None,
            }
        }

        pub(in crate::sinfo) fn device_memory_bytes(self, memory: &DeviceMemory) -> Option<Bytes> {
            let rights = [flags(memory.writable, memory.executable)];
            let (address, size) = (memory.address.to_le_bytes(), memory.size.to_le_bytes());
            match (self, memory.bar) {
                (Self::V3 | Self::V4, None) => {
                    Some(lay(&[(0, &rights), (8, &address), (16, &size)]))
                }
                (Self::V5, Some(bar)) => Some(lay(&[
                    (0, &bar.sid.to_le_bytes()),
                    (2, &rights),
                    (3, &[bar.flags, bar.index]),
                    (8, &bar.address.to_le_bytes()),
                    (16, &address),
                    (24, &size),
                ])),
                _ => None,
            }
        }

        pub(in crate::sinfo) fn device_port_bytes(port: &DevicePort) -> Bytes {
            lay(&[
                (0, &port.sid.to_le_bytes()),
                (2, &[port.bar_index]),
                (4, &port.address.to_le_bytes()),
                (6, &port.size.to_le_bytes()),
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
    fn versions_have_numbers_and_magics() {
        for (version, number) in [(Version::V3, 3), (Version::V4, 4), (Version::V5, 5)] {
            assert_eq!(version.number(), number);
            assert_eq!(Version::from_number(number), Some(version));
            assert_eq!(Version::from_magic(version.magic()), Ok(version));
            assert_eq!(
                version.magic().to_le_bytes(),
                [b'm', b'u', b'i', b'n', b'f', b'o', 0, number]
            );
        }
        assert_eq!(Version::default(), Version::V5);
    }

    #[test]
    fn other_versions_and_magics_are_refused() {
        for found in [0, 1, 2, 6, 0xff] {
            let magic = u64::from(found) << 56 | 0x6f66_6e69_756d;
            assert_eq!(
                Version::from_magic(magic),
                Err(SinfoError::Version {
                    found,
                    oldest: 3,
                    newest: 5
                })
            );
        }
        for found in [0, 0x0501_6f66_6e69_756d, 0x0500_6f66_6e69_756e] {
            assert_eq!(Version::from_magic(found), Err(SinfoError::Magic { found }));
        }
    }

    #[test]
    fn memory_kinds_shift_at_the_device_tree() {
        for version in Version::ALL {
            assert_eq!(version.memory_kind(5), MemoryKind::Channel);
            assert_eq!(version.memory_kind(7), MemoryKind::TimedEvent);
            assert_eq!(version.memory_kind(17), MemoryKind::CrashAudit);
            assert_eq!(version.memory_kind(20), MemoryKind::Other(20));
        }
        assert_eq!(Version::V3.memory_kind(18), MemoryKind::KernelInterface);
        assert_eq!(Version::V3.memory_kind(19), MemoryKind::Other(19));
        for version in [Version::V4, Version::V5] {
            assert_eq!(version.memory_kind(18), MemoryKind::DeviceTree);
            assert_eq!(version.memory_kind(19), MemoryKind::KernelInterface);
        }
    }

    #[test]
    fn a_device_of_versions_3_and_4_has_no_identity() {
        for version in [Version::V3, Version::V4] {
            assert_eq!(
                version.device(&counted()),
                Device {
                    sid: 0x0201,
                    irte_start: 0x0403,
                    irq_start: 0x05,
                    ir_count: 0x06,
                    flags: 0x07,
                    identity: None,
                }
            );
            assert_eq!(
                version.device_memory(&counted()),
                DeviceMemory {
                    writable: true,
                    executable: false,
                    address: 0x100f_0e0d_0c0b_0a09,
                    size: 0x1817_1615_1413_1211,
                    bar: None,
                }
            );
            assert_eq!(version.kind(6), None);
        }
    }

    #[test]
    fn a_device_of_version_5_has_all_fields() {
        assert_eq!(
            Version::V5.device(&counted()),
            Device {
                sid: 0x0201,
                irte_start: 0x0a09,
                irq_start: 0x0b,
                ir_count: 0x0c,
                flags: 0x0d,
                identity: Some(Identity {
                    vendor: 0x0403,
                    device: 0x0605,
                    class: 0x0807,
                    reset_method: 0x0e,
                }),
            }
        );
        assert_eq!(
            Version::V5.device_memory(&counted()),
            DeviceMemory {
                writable: true,
                executable: true,
                address: 0x1817_1615_1413_1211,
                size: 0x201f_1e1d_1c1b_1a19,
                bar: Some(Bar {
                    sid: 0x0201,
                    flags: 0x04,
                    index: 0x05,
                    address: 0x100f_0e0d_0c0b_0a09,
                }),
            }
        );
        assert_eq!(Version::V5.kind(6), Some(Kind::DevicePort));
        assert_eq!(
            Version::device_port(&counted()),
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
    fn a_built_device_is_parsed_to_the_same() {
        for version in Version::ALL {
            let device = version.device(&counted());
            let bytes = version.device_bytes(&device).unwrap();
            assert_eq!(version.device(&bytes), device);
            let memory = version.device_memory(&counted());
            let bytes = version.device_memory_bytes(&memory).unwrap();
            assert_eq!(version.device_memory(&bytes), memory);
            for number in 0..=u8::MAX {
                let kind = version.memory_kind(number);
                assert_eq!(version.memory_number(kind), Some(number));
            }
        }
        let port = Version::device_port(&counted());
        assert_eq!(
            Version::device_port(&Version::device_port_bytes(&port)),
            port
        );
    }

    #[cfg(feature = "builder")]
    #[test]
    fn a_version_without_the_field_is_refused() {
        let (old, new) = (Version::V3, Version::V5);
        assert_eq!(old.device_bytes(&new.device(&counted())), None);
        assert_eq!(new.device_bytes(&old.device(&counted())), None);
        assert_eq!(
            old.device_memory_bytes(&new.device_memory(&counted())),
            None
        );
        assert_eq!(
            new.device_memory_bytes(&old.device_memory(&counted())),
            None
        );
        assert_eq!(old.memory_number(MemoryKind::DeviceTree), None);
        assert_eq!(old.memory_number(MemoryKind::KernelInterface), Some(18));
        assert_eq!(new.memory_number(MemoryKind::Other(18)), None);
    }
}
