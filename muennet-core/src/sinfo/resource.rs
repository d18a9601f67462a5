// SPDX-License-Identifier: MIT OR Apache-2.0
//! The resources of a subject.

use super::layout::{self, resource as at, DETAIL_SIZE, NAME_SIZE, RESOURCE_SIZE};
use super::{Device, DeviceMemory, DevicePort, Name};

/// One resource of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Resource {
    /// Its name. A channel's memory, event and vector share one.
    pub name: Name,
    /// What it is.
    pub detail: Detail,
}

/// The kinds of resources, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u32)]
pub enum Kind {
    /// Memory.
    Memory = 1,
    /// An event that the subject may trigger.
    Event = 2,
    /// An interrupt vector that the subject may receive.
    Vector = 3,
    /// A PCI device.
    Device = 4,
    /// Memory of a device.
    DeviceMemory = 5,
    /// I/O ports of a device.
    DevicePort = 6,
}

/// What a resource is, as its kind defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Detail {
    /// Memory.
    Memory(Memory),
    /// The number of an event.
    Event(u8),
    /// The number of a vector.
    Vector(u8),
    /// A PCI device.
    Device(Device),
    /// Memory of a device.
    DeviceMemory(DeviceMemory),
    /// I/O ports of a device.
    DevicePort(DevicePort),
    /// A kind that version 5 does not define: its number, and its bytes as they are.
    Other {
        /// Number of the kind.
        kind: u32,
        /// The bytes that the kind defines.
        bytes: [u8; DETAIL_SIZE],
    },
}

/// A memory resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Memory {
    /// What the memory is for.
    pub kind: MemoryKind,
    /// How it was filled: number of the content kind.
    pub content: u8,
    /// The subject may write it.
    pub writable: bool,
    /// The subject may execute it.
    pub executable: bool,
    /// Fill pattern, if it was filled with one.
    pub pattern: u16,
    /// Guest-physical address of the first byte.
    pub address: u64,
    /// Length in bytes.
    pub size: u64,
    /// SHA-256 of the content, if it has one.
    pub hash: [u8; 32],
}

/// What a memory resource is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum MemoryKind {
    /// A communication channel.
    Channel,
    /// Anything else, by its number.
    Other(u8),
}

impl MemoryKind {
    const CHANNEL: u8 = 5;

    /// Memory without a meaning of its own.
    pub const PLAIN: Self = Self::Other(0);
    /// Subject information.
    pub const INFO: Self = Self::Other(1);
    /// The subject's binary.
    pub const BINARY: Self = Self::Other(2);
    /// The zero page of a Linux subject.
    pub const ZERO_PAGE: Self = Self::Other(3);
    /// The initial RAM disk of a Linux subject.
    pub const INITRD: Self = Self::Other(4);

    /// The number in the page.
    pub fn number(self) -> u8 {
        match self {
            Self::Channel => Self::CHANNEL,
            Self::Other(number) => number,
        }
    }
}

impl From<u8> for MemoryKind {
    fn from(number: u8) -> Self {
        match number {
            Self::CHANNEL => Self::Channel,
            other => Self::Other(other),
        }
    }
}

/// Flags of memory.
pub(super) const WRITABLE: u8 = 1;
pub(super) const EXECUTABLE: u8 = 2;

/// The `N` bytes at a constant offset of a resource.
fn field<const AT: usize, const N: usize>(bytes: &[u8; RESOURCE_SIZE]) -> [u8; N] {
    layout::field::<AT, N, RESOURCE_SIZE>(bytes)
}

/// The flags of rights.
#[cfg(feature = "builder")]
pub(super) fn flags(writable: bool, executable: bool) -> u8 {
    let flag = |set, flag| if set { flag } else { 0 };
    flag(writable, WRITABLE) | flag(executable, EXECUTABLE)
}

impl Resource {
    /// Number of the kind.
    pub fn kind_number(&self) -> u32 {
        match self.detail {
            Detail::Memory(_) => Kind::Memory as u32,
            Detail::Event(_) => Kind::Event as u32,
            Detail::Vector(_) => Kind::Vector as u32,
            Detail::Device(_) => Kind::Device as u32,
            Detail::DeviceMemory(_) => Kind::DeviceMemory as u32,
            Detail::DevicePort(_) => Kind::DevicePort as u32,
            Detail::Other { kind, .. } => kind,
        }
    }

    /// True if it is of that kind.
    pub fn is(&self, kind: Kind) -> bool {
        self.kind_number() == kind as u32
    }

    /// The memory it is, if it is memory.
    pub fn memory(&self) -> Option<Memory> {
        match self.detail {
            Detail::Memory(memory) => Some(memory),
            _ => None,
        }
    }

    /// True for the bytes of kind "none".
    pub(super) fn is_none(bytes: &[u8; RESOURCE_SIZE]) -> bool {
        field::<{ at::KIND }, 4>(bytes) == [0; 4]
    }

    /// The length that the name says it has.
    pub(super) fn name_len(bytes: &[u8; RESOURCE_SIZE]) -> u8 {
        u8::from_le_bytes(field::<{ at::NAME }, 1>(bytes))
    }

    /// Reads the bytes of a resource; `None` if it is of kind "none" (0) or its
    /// name is malformed.
    pub fn parse(bytes: &[u8; RESOURCE_SIZE]) -> Option<Self> {
        let name = Name::parse(&field::<{ at::NAME }, NAME_SIZE>(bytes)).ok()?;
        let number = field::<{ at::NUMBER }, 1>(bytes)[0];
        let kind = u32::from_le_bytes(field::<{ at::KIND }, 4>(bytes));
        let rest = field::<{ at::DETAIL }, DETAIL_SIZE>(bytes);
        let detail = match kind {
            0 => return None,
            k if k == Kind::Memory as u32 => Detail::Memory(Memory::parse(bytes)),
            k if k == Kind::Event as u32 => Detail::Event(number),
            k if k == Kind::Vector as u32 => Detail::Vector(number),
            k if k == Kind::Device as u32 => Detail::Device(Device::parse(&rest)),
            k if k == Kind::DeviceMemory as u32 => Detail::DeviceMemory(DeviceMemory::parse(&rest)),
            k if k == Kind::DevicePort as u32 => Detail::DevicePort(DevicePort::parse(&rest)),
            kind => Detail::Other { kind, bytes: rest },
        };
        Some(Self { name, detail })
    }

    /// The bytes of the resource.
    #[cfg(feature = "builder")]
    pub fn to_bytes(&self) -> [u8; RESOURCE_SIZE] {
        let mut bytes = [0; RESOURCE_SIZE];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        put(at::KIND, &self.kind_number().to_le_bytes());
        put(at::NAME, &self.name.field());
        match &self.detail {
            Detail::Memory(memory) => {
                put(at::MEMORY_KIND, &[memory.kind.number()]);
                put(at::MEMORY_CONTENT, &[memory.content]);
                put(
                    at::MEMORY_FLAGS,
                    &[flags(memory.writable, memory.executable)],
                );
                put(at::MEMORY_PATTERN, &memory.pattern.to_le_bytes());
                put(at::MEMORY_ADDRESS, &memory.address.to_le_bytes());
                put(at::MEMORY_SIZE, &memory.size.to_le_bytes());
                put(at::MEMORY_HASH, &memory.hash);
            }
            Detail::Event(number) | Detail::Vector(number) => put(at::NUMBER, &[*number]),
            Detail::Device(device) => put(at::DETAIL, &device.to_bytes()),
            Detail::DeviceMemory(memory) => put(at::DETAIL, &memory.to_bytes()),
            Detail::DevicePort(port) => put(at::DETAIL, &port.to_bytes()),
            Detail::Other { bytes, .. } => put(at::DETAIL, bytes),
        }
        bytes
    }
}

impl Memory {
    fn parse(bytes: &[u8; RESOURCE_SIZE]) -> Self {
        let flags = field::<{ at::MEMORY_FLAGS }, 1>(bytes)[0];
        Self {
            kind: field::<{ at::MEMORY_KIND }, 1>(bytes)[0].into(),
            content: field::<{ at::MEMORY_CONTENT }, 1>(bytes)[0],
            writable: flags & WRITABLE != 0,
            executable: flags & EXECUTABLE != 0,
            pattern: u16::from_le_bytes(field::<{ at::MEMORY_PATTERN }, 2>(bytes)),
            address: u64::from_le_bytes(field::<{ at::MEMORY_ADDRESS }, 8>(bytes)),
            size: u64::from_le_bytes(field::<{ at::MEMORY_SIZE }, 8>(bytes)),
            hash: field::<{ at::MEMORY_HASH }, 32>(bytes),
        }
    }
}
