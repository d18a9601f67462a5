// SPDX-License-Identifier: MIT OR Apache-2.0
//! The resources of a subject.

use super::layout::{self, resource as at, DETAIL_SIZE, NAME_SIZE, RESOURCE_SIZE};
#[cfg(feature = "builder")]
use super::BuildError;
use super::{Device, DeviceMemory, DevicePort, Name, Version};

/// One resource of a subject.
///
/// ```
/// use muennet_core::sinfo::{Detail, Kind, Name, Resource, Version};
///
/// let resource = Resource { name: Name::new("net_in")?, detail: Detail::Vector(64) };
/// assert_eq!(resource.number(), Some(64));
/// assert!(resource.is(Kind::Vector));
/// let bytes = resource.to_bytes(Version::V5)?;
/// assert_eq!(Resource::parse(&bytes, Version::V5), Some(resource));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Resource {
    /// Its name. A channel's memory, event and vector share one.
    pub name: Name,
    /// Kind and properties of the resource.
    pub detail: Detail,
}

/// The kinds of resources, by their numbers.
///
/// ```
/// use muennet_core::sinfo::{Detail, Kind, Name, Resource};
///
/// let event = Resource { name: Name::new("net_out")?, detail: Detail::Event(16) };
/// assert!(event.is(Kind::Event) && !event.is(Kind::Vector));
/// assert_eq!(event.kind_number(), Kind::Event as u32);
/// # Ok::<(), muennet_core::sinfo::NameError>(())
/// ```
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
    /// I/O ports of a device; version 5 alone has them.
    DevicePort = 6,
}

impl Kind {
    pub(super) const ALL: [Self; 6] = [
        Self::Memory,
        Self::Event,
        Self::Vector,
        Self::Device,
        Self::DeviceMemory,
        Self::DevicePort,
    ];
}

/// Properties of a resource, by its kind.
///
/// ```
/// use muennet_core::sinfo::{Detail, Name, Resource};
///
/// let vector = Resource { name: Name::new("net_in")?, detail: Detail::Vector(53) };
/// assert_eq!(vector.number(), Some(53));
/// assert_eq!(vector.memory(), None);
/// # Ok::<(), muennet_core::sinfo::NameError>(())
/// ```
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
    /// A kind that the version does not define: its number, and its bytes as they are.
    Other {
        /// Number of the kind.
        kind: u32,
        /// The bytes that the kind defines.
        bytes: [u8; DETAIL_SIZE],
    },
}

/// A memory resource.
///
/// ```
/// use muennet_core::sinfo::{self, Builder, Kind, Sinfo, Version};
///
/// let mut page = vec![0; sinfo::SIZE];
/// let mut builder = Builder::new(&mut page, Version::V5, "echo", 3_000_000)?;
/// builder.channel("net_out", 0x1_0000_0000, 4 << 20, true)?;
/// let resource = Sinfo::parse(&page)?.find("net_out", Kind::Memory).unwrap();
/// let memory = resource.memory().expect("it is memory");
/// assert_eq!((memory.address, memory.size), (0x1_0000_0000, 4 << 20));
/// assert!(memory.writable && !memory.executable);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Memory {
    /// Purpose of the memory.
    pub kind: MemoryKind,
    /// Number of the content kind: the way the memory was filled.
    pub content: u8,
    /// The subject may write it.
    pub writable: bool,
    /// The subject may execute it.
    pub executable: bool,
    /// Fill pattern, or [`NO_PATTERN`] if it was not filled with one.
    pub pattern: u16,
    /// Guest-physical address of the first byte.
    pub address: u64,
    /// Length in bytes.
    pub size: u64,
    /// SHA-256 of the content, if it has one.
    pub hash: [u8; 32],
}

/// The pattern of memory that was not filled with one.
pub const NO_PATTERN: u16 = 256;

/// Purpose of a memory resource.
///
/// ```
/// use muennet_core::sinfo::{self, Builder, Kind, MemoryKind, Sinfo, Version};
///
/// let mut page = vec![0; sinfo::SIZE];
/// let mut builder = Builder::new(&mut page, Version::V5, "echo", 3_000_000)?;
/// builder.channel("net_out", 0x1_0000_0000, 4 << 20, true)?;
/// let channels = Sinfo::parse(&page)?
///     .of_kind(Kind::Memory)
///     .filter(|found| found.memory().is_some_and(|memory| memory.kind == MemoryKind::Channel))
///     .count();
/// assert_eq!(channels, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum MemoryKind {
    /// Memory without a meaning of its own.
    Plain,
    /// Subject information.
    Info,
    /// The subject's binary.
    Binary,
    /// The zero page of a Linux subject.
    ZeroPage,
    /// The initial RAM disk of a Linux subject.
    Initrd,
    /// A communication channel.
    Channel,
    /// The state of a monitored subject.
    State,
    /// The deadline and the event of the subject's timer.
    TimedEvent,
    /// Pending interrupts.
    Interrupts,
    /// Start and end of the current minor frame.
    SchedulingInfo,
    /// BIOS.
    Bios,
    /// ACPI root pointer.
    AcpiRsdp,
    /// ACPI extended system description table.
    AcpiXsdt,
    /// Fixed ACPI description table.
    AcpiFadt,
    /// Differentiated ACPI system description table.
    AcpiDsdt,
    /// Memory that belongs to a device.
    Device,
    /// Solo5's boot information: a command line.
    Solo5BootInfo,
    /// The record of a crash.
    CrashAudit,
    /// A device tree; version 3 does not know it.
    DeviceTree,
    /// Memory shared with the kernel.
    KernelInterface,
    /// A kind that the version does not define, by its number.
    Other(u8),
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
    /// The kind; `None` for one that the version does not define.
    pub fn kind(&self) -> Option<Kind> {
        match self.detail {
            Detail::Memory(_) => Some(Kind::Memory),
            Detail::Event(_) => Some(Kind::Event),
            Detail::Vector(_) => Some(Kind::Vector),
            Detail::Device(_) => Some(Kind::Device),
            Detail::DeviceMemory(_) => Some(Kind::DeviceMemory),
            Detail::DevicePort(_) => Some(Kind::DevicePort),
            Detail::Other { .. } => None,
        }
    }

    /// Number of the kind.
    pub fn kind_number(&self) -> u32 {
        match self.detail {
            Detail::Other { kind, .. } => kind,
            _ => self.kind().map_or(0, |kind| kind as u32),
        }
    }

    /// True if it is of that kind.
    pub fn is(&self, kind: Kind) -> bool {
        self.kind() == Some(kind)
    }

    /// The memory it is, if it is memory.
    pub fn memory(&self) -> Option<Memory> {
        match self.detail {
            Detail::Memory(memory) => Some(memory),
            _ => None,
        }
    }

    /// The number of an event or of a vector.
    pub fn number(&self) -> Option<u8> {
        match self.detail {
            Detail::Event(number) | Detail::Vector(number) => Some(number),
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

    /// Reads the bytes of a resource, as `version` lays them out; `None` if it is of
    /// kind "none" (0) or its name is malformed.
    ///
    /// Memory, events and vectors lie alike in all supported versions.
    pub fn parse(bytes: &[u8; RESOURCE_SIZE], version: Version) -> Option<Self> {
        let name = Name::parse(&field::<{ at::NAME }, NAME_SIZE>(bytes)).ok()?;
        let number = field::<{ at::NUMBER }, 1>(bytes)[0];
        let kind = u32::from_le_bytes(field::<{ at::KIND }, 4>(bytes));
        if kind == 0 {
            return None;
        }
        let rest = field::<{ at::DETAIL }, DETAIL_SIZE>(bytes);
        let detail = match version.kind(kind) {
            Some(Kind::Memory) => Detail::Memory(Memory::parse(bytes, version)),
            Some(Kind::Event) => Detail::Event(number),
            Some(Kind::Vector) => Detail::Vector(number),
            Some(Kind::Device) => Detail::Device(version.device(&rest)),
            Some(Kind::DeviceMemory) => Detail::DeviceMemory(version.device_memory(&rest)),
            Some(Kind::DevicePort) => Detail::DevicePort(Version::device_port(&rest)),
            None => Detail::Other { kind, bytes: rest },
        };
        Some(Self { name, detail })
    }

    /// The bytes of the resource, as `version` lays them out.
    ///
    /// # Errors
    ///
    /// [`BuildError::NotInVersion`] when the version cannot hold it.
    #[cfg(feature = "builder")]
    pub fn to_bytes(&self, version: Version) -> Result<[u8; RESOURCE_SIZE], BuildError> {
        self.lay(version).ok_or(BuildError::NotInVersion {
            name: self.name,
            version,
        })
    }

    #[cfg(feature = "builder")]
    fn lay(&self, version: Version) -> Option<[u8; RESOURCE_SIZE]> {
        let mut bytes = [0; RESOURCE_SIZE];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        let kind = version.kind_number(self)?;
        put(at::KIND, &kind.to_le_bytes());
        put(at::NAME, &self.name.field());
        match &self.detail {
            Detail::Memory(memory) => {
                put(at::MEMORY_KIND, &[version.memory_number(memory.kind)?]);
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
            Detail::Device(device) => put(at::DETAIL, &version.device_bytes(device)?),
            Detail::DeviceMemory(memory) => {
                put(at::DETAIL, &version.device_memory_bytes(memory)?);
            }
            Detail::DevicePort(port) => put(at::DETAIL, &Version::device_port_bytes(port)),
            Detail::Other { bytes, .. } => put(at::DETAIL, bytes),
        }
        Some(bytes)
    }
}

impl Memory {
    fn parse(bytes: &[u8; RESOURCE_SIZE], version: Version) -> Self {
        let flags = field::<{ at::MEMORY_FLAGS }, 1>(bytes)[0];
        Self {
            kind: version.memory_kind(field::<{ at::MEMORY_KIND }, 1>(bytes)[0]),
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
