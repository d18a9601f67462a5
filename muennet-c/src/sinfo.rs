// SPDX-License-Identifier: MIT OR Apache-2.0
//! Looking up what Muen tells a subject, in versions 3, 4 and 5.

use crate::{
    pointers::{or_return, Out},
    Code,
};
use core::ffi::{c_char, c_void};
use muennet_core::sinfo::{self, MemoryKind, Name, Sinfo};

/// Bytes of a subject-information page set.
pub const SINFO_SIZE: usize = 32720;
/// Guest address of the page set for native subjects.
pub const SINFO_ADDRESS: u64 = 0xe_0000_0000;
/// Bytes of a name with its NUL.
pub const NAME_SIZE: usize = 64;

const _: () = {
    assert!(SINFO_SIZE == sinfo::SIZE && SINFO_ADDRESS == sinfo::ADDRESS);
    assert!(NAME_SIZE == Name::MAX_LEN + 1);
};

/// Kinds of resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
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

/// Purposes of memory; numbers as in version 5, whichever version a page has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum MemoryUse {
    /// Memory without a meaning of its own.
    Plain = 0,
    /// Subject information.
    Info = 1,
    /// The subject's binary.
    Binary = 2,
    /// The zero page of a Linux subject.
    ZeroPage = 3,
    /// The initial RAM disk of a Linux subject.
    Initrd = 4,
    /// A communication channel.
    Channel = 5,
    /// The state of a monitored subject.
    State = 6,
    /// The deadline and the event of the subject's timer.
    TimedEvent = 7,
    /// Pending interrupts.
    Interrupts = 8,
    /// Start and end of the current minor frame.
    SchedulingInfo = 9,
    /// BIOS.
    Bios = 10,
    /// ACPI root pointer.
    AcpiRsdp = 11,
    /// ACPI extended system description table.
    AcpiXsdt = 12,
    /// Fixed ACPI description table.
    AcpiFadt = 13,
    /// Differentiated ACPI system description table.
    AcpiDsdt = 14,
    /// Memory that belongs to a device.
    Device = 15,
    /// Solo5's boot information: a command line.
    Solo5BootInfo = 16,
    /// The record of a crash.
    CrashAudit = 17,
    /// A device tree.
    DeviceTree = 18,
    /// Memory shared with the kernel.
    KernelInterface = 19,
    /// A kind that the version does not define.
    Other = 255,
}

/// A resource of the subject.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Resource {
    /// A `muennet_kind`, or the number of a kind that the version does not define.
    pub kind: u32,
    /// Its name, ended by a NUL. A channel's memory, event and vector share one.
    pub name: [c_char; NAME_SIZE],
    /// Memory: a `muennet_memory_use`; else 0.
    pub memory_use: u32,
    /// Memory: the subject may write it.
    pub writable: bool,
    /// Memory: the subject may execute it.
    pub executable: bool,
    /// Event, vector: its number; else 0.
    pub number: u8,
    /// Memory: guest-physical address of the first byte; else 0.
    pub address: u64,
    /// Memory: length in bytes; else 0.
    pub size: u64,
}

/// A channel: its memory, event and vector.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Channel {
    /// Guest-physical address of the first byte.
    pub address: u64,
    /// Length in bytes.
    pub size: u64,
    /// The subject may write it: it is an output.
    pub writable: bool,
    /// There is an event to ring its reader by.
    pub has_event: bool,
    /// Number of the event.
    pub event: u8,
    /// There is a vector that its writer rings.
    pub has_vector: bool,
    /// Number of the vector.
    pub vector: u8,
}

/// The subject itself.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Subject {
    /// Version of the page set: 3, 4 or 5.
    pub version: u32,
    /// Frequency of the time stamp counter in kHz.
    pub tsc_khz: u32,
    /// The subject's name, ended by a NUL.
    pub name: [c_char; NAME_SIZE],
    /// Number of resources.
    pub resources: usize,
}

impl From<MemoryKind> for MemoryUse {
    fn from(kind: MemoryKind) -> Self {
        match kind {
            MemoryKind::Plain => Self::Plain,
            MemoryKind::Info => Self::Info,
            MemoryKind::Binary => Self::Binary,
            MemoryKind::ZeroPage => Self::ZeroPage,
            MemoryKind::Initrd => Self::Initrd,
            MemoryKind::Channel => Self::Channel,
            MemoryKind::State => Self::State,
            MemoryKind::TimedEvent => Self::TimedEvent,
            MemoryKind::Interrupts => Self::Interrupts,
            MemoryKind::SchedulingInfo => Self::SchedulingInfo,
            MemoryKind::Bios => Self::Bios,
            MemoryKind::AcpiRsdp => Self::AcpiRsdp,
            MemoryKind::AcpiXsdt => Self::AcpiXsdt,
            MemoryKind::AcpiFadt => Self::AcpiFadt,
            MemoryKind::AcpiDsdt => Self::AcpiDsdt,
            MemoryKind::Device => Self::Device,
            MemoryKind::Solo5BootInfo => Self::Solo5BootInfo,
            MemoryKind::CrashAudit => Self::CrashAudit,
            MemoryKind::DeviceTree => Self::DeviceTree,
            MemoryKind::KernelInterface => Self::KernelInterface,
            _ => Self::Other,
        }
    }
}

impl Kind {
    /// The kind of that number.
    fn of(number: u32) -> Option<sinfo::Kind> {
        use sinfo::Kind as Core;
        const MEMORY: u32 = Kind::Memory as u32;
        const EVENT: u32 = Kind::Event as u32;
        const VECTOR: u32 = Kind::Vector as u32;
        const DEVICE: u32 = Kind::Device as u32;
        const DEVICE_MEMORY: u32 = Kind::DeviceMemory as u32;
        const DEVICE_PORT: u32 = Kind::DevicePort as u32;
        Some(match number {
            MEMORY => Core::Memory,
            EVENT => Core::Event,
            VECTOR => Core::Vector,
            DEVICE => Core::Device,
            DEVICE_MEMORY => Core::DeviceMemory,
            DEVICE_PORT => Core::DevicePort,
            _ => return None,
        })
    }
}

/// The name with a NUL behind it.
fn named(name: &Name) -> [c_char; NAME_SIZE] {
    let mut text = [0; NAME_SIZE];
    for (place, byte) in text.iter_mut().zip(name.as_bytes()) {
        // CAST: a char of C has eight bits, signed or not.
        *place = *byte as c_char;
    }
    text
}

impl From<sinfo::Resource> for Resource {
    fn from(resource: sinfo::Resource) -> Self {
        let mut told = Self {
            kind: resource.kind_number(),
            name: named(&resource.name),
            memory_use: 0,
            writable: false,
            executable: false,
            number: resource.number().unwrap_or(0),
            address: 0,
            size: 0,
        };
        if let Some(memory) = resource.memory() {
            // CAST: the discriminant of an enum without negative values.
            told.memory_use = MemoryUse::from(memory.kind) as u32;
            told.writable = memory.writable;
            told.executable = memory.executable;
            told.address = memory.address;
            told.size = memory.size;
        }
        told
    }
}

/// The page set at `page`.
///
/// # Safety
///
/// Unless it is null, `length` bytes can be read there for `'a`, and nobody writes them.
unsafe fn page<'a>(page: *const c_void, length: usize) -> Result<Sinfo<'a>, Code> {
    if page.is_null() {
        return Err(Code::NullPointer);
    }
    // A longer one is not looked at, and no object is longer than half of the address space.
    let length = length.min(SINFO_SIZE);
    // SAFETY: readable and constant by the caller's promise; bytes need no alignment.
    let bytes = unsafe { core::slice::from_raw_parts(page.cast::<u8>(), length) };
    Sinfo::parse(bytes).map_err(Code::from)
}

/// The name at `name`, which ends with a NUL.
///
/// # Safety
///
/// Unless it is null, bytes can be read there up to the first NUL, or up to [`NAME_SIZE`], and
/// nobody writes them for `'a`.
unsafe fn name<'a>(name: *const c_char) -> Result<&'a str, Code> {
    if name.is_null() {
        return Err(Code::NullPointer);
    }
    let name = name.cast::<u8>();
    let len = (0..NAME_SIZE)
        // SAFETY: no byte behind the first NUL, or the last that may be there, is read.
        .find(|at| unsafe { name.add(*at).read() } == 0)
        .filter(|len| *len > 0)
        .ok_or(Code::BadName)?;
    // SAFETY: so many bytes were just read.
    let bytes = unsafe { core::slice::from_raw_parts(name, len) };
    core::str::from_utf8(bytes).map_err(|_| Code::BadName)
}

/// Writes the result of a lookup to the caller's memory.
fn told<T>(found: Result<T, Code>, out: &mut Out<T>) -> Code {
    match found {
        Ok(value) => {
            out.put(value);
            Code::Ok
        }
        Err(code) => code,
    }
}

/// Tells whose subject information it is.
///
/// `page` is the page set, of `length` bytes; a native subject finds it at
/// `MUENNET_SINFO_ADDRESS`, `MUENNET_SINFO_SIZE` bytes long. All of it is checked, at each call:
/// look up once, not for each frame.
///
/// # Safety
///
/// `page` points to `length` bytes that can be read and do not change during the call, `subject`
/// to a `muennet_subject`.
#[no_mangle]
pub unsafe extern "C" fn muennet_sinfo_subject(
    page: *const c_void,
    length: usize,
    subject: *mut Subject,
) -> Code {
    // SAFETY: the caller promises it.
    let mut subject = or_return!(unsafe { Out::new(subject) });
    // SAFETY: the caller promises it.
    let found = unsafe { self::page(page, length) }.map(|sinfo| Subject {
        version: sinfo.version().number().into(),
        tsc_khz: sinfo.tsc_khz(),
        name: named(&sinfo.subject()),
        // Not `count`, which may panic where overflows are checked.
        resources: sinfo
            .resources()
            .fold(0, |count: usize, _| count.saturating_add(1)),
    });
    told(found, &mut subject)
}

/// Tells the resource at `index`, counted from 0; `MUENNET_RESULT_NOT_FOUND` behind the last.
///
/// # Safety
///
/// As for `muennet_sinfo_subject`; `resource` points to a `muennet_resource`.
#[no_mangle]
pub unsafe extern "C" fn muennet_sinfo_resource(
    page: *const c_void,
    length: usize,
    index: usize,
    resource: *mut Resource,
) -> Code {
    // SAFETY: the caller promises it.
    let mut resource = or_return!(unsafe { Out::new(resource) });
    // SAFETY: the caller promises it.
    let found = unsafe { self::page(page, length) }.and_then(|sinfo| {
        let found = sinfo.resources().nth(index);
        found.map(Resource::from).ok_or(Code::NotFound)
    });
    told(found, &mut resource)
}

/// Finds the first resource of a name and a kind; `MUENNET_RESULT_NOT_FOUND` if there is none.
///
/// `kind` is a `muennet_kind`.
///
/// # Safety
///
/// As for `muennet_sinfo_subject`; `name` points to a text that ends with a NUL, `resource` to a
/// `muennet_resource`.
#[no_mangle]
pub unsafe extern "C" fn muennet_sinfo_find(
    page: *const c_void,
    length: usize,
    name: *const c_char,
    kind: u32,
    resource: *mut Resource,
) -> Code {
    // SAFETY: the caller promises it.
    let mut resource = or_return!(unsafe { Out::new(resource) });
    let found = || {
        // SAFETY: the caller promises it of both.
        let (sinfo, name) = unsafe { (self::page(page, length)?, self::name(name)?) };
        let kind = Kind::of(kind).ok_or(Code::UnknownKind)?;
        let found = sinfo.find(name, kind);
        found.map(Resource::from).ok_or(Code::NotFound)
    };
    told(found(), &mut resource)
}

/// Finds a channel by its name: memory of the kind channel, and its event and vector.
///
/// # Safety
///
/// As for `muennet_sinfo_subject`; `name` points to a text that ends with a NUL, `channel` to a
/// `muennet_channel`.
#[no_mangle]
pub unsafe extern "C" fn muennet_sinfo_channel(
    page: *const c_void,
    length: usize,
    name: *const c_char,
    channel: *mut Channel,
) -> Code {
    // SAFETY: the caller promises it.
    let mut channel = or_return!(unsafe { Out::new(channel) });
    let found = || {
        // SAFETY: the caller promises it of both.
        let (sinfo, name) = unsafe { (self::page(page, length)?, self::name(name)?) };
        let memory = sinfo
            .of_kind(sinfo::Kind::Memory)
            .filter(|resource| resource.name == *name)
            .filter_map(|resource| resource.memory())
            .find(|memory| memory.kind == MemoryKind::Channel)
            .ok_or(Code::NotFound)?;
        let number = |kind| sinfo.find(name, kind)?.number();
        let (event, vector) = (number(sinfo::Kind::Event), number(sinfo::Kind::Vector));
        Ok(Channel {
            address: memory.address,
            size: memory.size,
            writable: memory.writable,
            has_event: event.is_some(),
            event: event.unwrap_or(0),
            has_vector: vector.is_some(),
            vector: vector.unwrap_or(0),
        })
    };
    told(found(), &mut channel)
}
