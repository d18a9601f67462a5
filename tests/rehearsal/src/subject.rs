// SPDX-License-Identifier: MIT OR Apache-2.0
//! The subject as a Muen policy would make it: its address space, and the subject
//! information that tells of it. Addresses and numbers are those that Muen's tools give.

use crate::{
    image,
    pages::{physical, Pages, Right},
    platform::{Input, Machine, Output, Platform},
    pool::{Pool, PAGE},
    trouble::Trouble,
    words::Words,
};
use core::{fmt, sync::atomic::AtomicU64};
use muennet_core::{
    shm::Memory as _,
    sinfo::{self, BuildError, Builder, Kind, MemoryKind, Version},
};

/// Channels of the network, as the component names them, and as `muen-ivshmem` does.
const NET_IN: (&str, &str) = ("net_in", "net_to_uni");
const NET_OUT: (&str, &str) = ("net_out", "net_from_uni");
const DEBUGLOG: &str = "debuglog";
/// Addresses that mucfgvcresalloc and the expander choose.
const CHANNELS: u64 = 0x1_0000_0000;
const TIMED_EVENT: u64 = 0xe_0001_0000;
const BOOT_INFO: u64 = 0xe_0002_0000;
/// Numbers of events and vectors.
pub const NET_OUT_EVENT: u8 = 16;
pub const NET_IN_VECTOR: u8 = 64;
pub const TIMER_EVENT: u8 = 1;
pub const TIMER_VECTOR: u8 = 33;

/// Why a subject cannot be made.
#[derive(Debug)]
pub enum Refusal {
    /// The machine below lacks something.
    Machine(Trouble),
    /// A word of the command line is not understood.
    Word(&'static str),
    /// QEMU passes no initial RAM disk.
    NoImage,
    /// The initial RAM disk is no ELF file with segments of these rights.
    NotElf,
    /// The pool is empty.
    NoMemory,
    /// An address is not that of a page.
    Unaligned(u64),
    /// `muen-ivshmem` serves no such channel.
    NoChannel(&'static str),
    /// The subject information cannot be laid out.
    Build(BuildError),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Machine(trouble) => trouble.fmt(f),
            Self::Word(word) => write!(f, "\"{word}\" is not understood"),
            Self::NoImage => f.write_str("there is no image; pass it with -initrd"),
            Self::NotElf => f.write_str("the image is no ELF file for a subject"),
            Self::NoMemory => f.write_str("there is no memory left"),
            Self::Unaligned(address) => write!(f, "{address:#x} is not the address of a page"),
            Self::NoChannel(name) => write!(f, "there is no channel \"{name}\""),
            Self::Build(error) => error.fmt(f),
        }
    }
}

impl From<BuildError> for Refusal {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

/// A subject.
#[derive(Debug)]
pub struct Subject {
    /// Its address space.
    pub pages: Pages,
    /// Where it starts.
    pub entry: u64,
    /// Its code: where it lies for the subject, and here.
    text: (u64, &'static [u8]),
    /// Where it must not write, to tell such a write from other faults.
    pub input: core::ops::Range<u64>,
    /// The page `timed_event`: a deadline and the number of an event.
    pub timed_event: &'static [AtomicU64; 2],
}

impl Subject {
    /// Makes the subject.
    pub fn new(machine: &Machine, boot: u64, words: &Words) -> Result<Self, Refusal> {
        let mut pool = Pool::take();
        let pool = &mut pool;
        let mut pages = Pages::new(pool)?;
        let page = pool.bytes(sinfo::SIZE)?;
        pages.map(
            pool,
            sinfo::ADDRESS,
            physical(page),
            page.len() as u64,
            Right::Read,
        )?;
        let mut unread = [0; sinfo::SIZE];
        let version = Version::from_number(words.sinfo);
        // Of a version that does not exist nothing is told.
        let told = match version {
            Some(_) => &mut page[..],
            None => &mut unread[..],
        };
        // CAST: a clock of less than 4 THz.
        let khz = machine.tsc_khz() as u32;
        let mut builder = Builder::new(told, version.unwrap_or_default(), "uni", khz)?;

        let mut built = Ok(());
        let mut text: (u64, &[u8]) = (0, &[]);
        let entry = image::load(
            image::file(boot)?,
            pool,
            &mut pages,
            |right, address, memory| {
                let name = match right {
                    Right::Read => "rodata",
                    Right::Write => "data",
                    Right::Execute => "text",
                };
                if right == Right::Execute {
                    text = (address, memory);
                }
                let len = memory.len() as u64;
                let writable = right == Right::Write;
                if built.is_ok() {
                    built = builder.memory(name, MemoryKind::Binary, address, len, writable);
                }
            },
        )?;
        built?;

        let mut address = CHANNELS;
        let mut channel = |name: &'static str, served, writable, at: Option<u64>| {
            let (start, len) = channel(machine, served, writable)?;
            let at = at.unwrap_or(address);
            let right = if writable { Right::Write } else { Right::Read };
            if words.unmapped != Some(name) {
                pages.map(pool, at, start, len, right)?;
            }
            builder.channel(name, at, len, writable)?;
            address += len.next_multiple_of(PAGE as u64);
            Ok::<_, Refusal>(at..at + len)
        };
        let input = channel(NET_IN.0, NET_IN.1, false, None)?;
        channel(NET_OUT.0, NET_OUT.1, true, None)?;
        channel(DEBUGLOG, DEBUGLOG, true, Some(words.debuglog))?;

        let timed = pool.bytes(PAGE)?;
        pages.map(
            pool,
            TIMED_EVENT,
            physical(timed),
            PAGE as u64,
            Right::Write,
        )?;
        builder.memory(
            "sinfo",
            MemoryKind::Info,
            sinfo::ADDRESS,
            sinfo::SIZE as u64,
            false,
        )?;
        builder.memory(
            "timed_event",
            MemoryKind::TimedEvent,
            TIMED_EVENT,
            PAGE as u64,
            true,
        )?;
        if let Some(line) = words.bootparams {
            let region = pool.bytes(PAGE)?;
            boot_info(region, line)?;
            pages.map(pool, BOOT_INFO, physical(region), PAGE as u64, Right::Read)?;
            builder.memory(
                "bootinfo",
                MemoryKind::Solo5BootInfo,
                BOOT_INFO,
                PAGE as u64,
                false,
            )?;
        }
        builder.event("timer", TIMER_EVENT)?;
        builder.event(NET_OUT.0, NET_OUT_EVENT)?;
        builder.vector("timer", TIMER_VECTOR)?;
        builder.vector(NET_IN.0, NET_IN_VECTOR)?;
        let timed: *const [AtomicU64; 2] = timed.as_ptr().cast();
        Ok(Self {
            pages,
            entry,
            text,
            input,
            // SAFETY: the start of a page of the pool, which stays, and from now on is used
            // by atomics alone on this side.
            timed_event: unsafe { &*timed },
        })
    }
}

impl Subject {
    /// True if the instruction there is VMCALL.
    pub fn is_vmcall(&self, address: u64) -> bool {
        const VMCALL: [u8; 3] = [0x0f, 0x01, 0xc1];
        let (start, text) = self.text;
        let offset = address
            .checked_sub(start)
            .and_then(|offset| usize::try_from(offset).ok());
        offset.and_then(|offset| text.get(offset..)?.first_chunk()) == Some(&VMCALL)
    }
}

/// Solo5's boot information, as Muen's mugensolo5 writes it.
fn boot_info(region: &mut [u8], line: &str) -> Result<(), Refusal> {
    const COMMAND_LINE: usize = 24;
    const HEADER: usize = 40;
    let address = BOOT_INFO + HEADER as u64;
    region[COMMAND_LINE..COMMAND_LINE + 8].copy_from_slice(&address.to_le_bytes());
    region
        .get_mut(HEADER..HEADER + line.len())
        .ok_or(Refusal::NoMemory)?
        .copy_from_slice(line.as_bytes());
    Ok(())
}

/// The physical address of a channel that `muen-ivshmem` serves, and its bytes.
fn channel(machine: &Machine, name: &'static str, writable: bool) -> Result<(u64, u64), Refusal> {
    let sinfo = machine.sinfo().map_err(Refusal::Machine)?;
    let found = sinfo.find(name, Kind::Memory);
    let memory = found
        .and_then(|resource| resource.memory())
        .filter(|memory| memory.writable == writable)
        .ok_or(Refusal::NoChannel(name))?;
    let place = machine.channel(&memory).map_err(Refusal::Machine)?;
    let (base, len) = if writable {
        let output = Output(place);
        (output.base(), output.len())
    } else {
        let input = Input(place);
        (input.base(), input.len())
    };
    Ok((base.as_ptr().expose_provenance() as u64, len as u64))
}

/// The event that rings the network's reader, and the vector that rings the subject, by the
/// numbers of `muen-ivshmem`.
pub fn numbers(machine: &Machine) -> Result<(u8, u8), Refusal> {
    let sinfo = machine.sinfo().map_err(Refusal::Machine)?;
    let number = |name, kind| sinfo.find(name, kind)?.number();
    let event = number(NET_OUT.1, Kind::Event).ok_or(Refusal::NoChannel(NET_OUT.1))?;
    let vector = number(NET_IN.1, Kind::Vector).ok_or(Refusal::NoChannel(NET_IN.1))?;
    Ok((event, vector))
}
