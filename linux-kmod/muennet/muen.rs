// SPDX-License-Identifier: GPL-2.0-only

//! What the Muen kernel exports to modules: resources and events.

use core::mem::MaybeUninit;
use kernel::{
    bindings::list_head,
    ffi::{c_char, c_void},
    prelude::*,
    str::CString,
};
use muennet_core::sinfo::{Detail, Kind, Memory, Resource, Version, RESOURCE_SIZE};

/// Only memory, events and vectors are read here; these lie alike in all versions that
/// the kernel may have.
const VERSION: Version = Version::NEWEST;

/// `struct muen_cpu_affinity`.
#[repr(C)]
struct CpuAffinity {
    cpu: u8,
    resource: [u8; RESOURCE_SIZE],
    list: list_head,
}

const _: () = assert!(size_of::<CpuAffinity>() == 152);
const _: () = assert!(core::mem::offset_of!(CpuAffinity, list) == 136);

extern "C" {
    fn muen_get_resource(name: *const c_char, kind: u32) -> *const c_void;
    fn muen_smp_one_match(result: *mut CpuAffinity, name: *const c_char, kind: u32) -> bool;
    fn muen_smp_trigger_event(id: u8, cpu: u8);
    fn muen_check_magic() -> bool;
}

/// True when this kernel runs as a subject.
pub(crate) fn is_subject() -> bool {
    // SAFETY: looks at the subject information only.
    unsafe { muen_check_magic() }
}

/// The memory of that name, from a private copy of its resource.
pub(crate) fn memory(name: &str) -> Result<Option<Memory>> {
    let name = CString::try_from_fmt(fmt!("{name}"))?;
    // SAFETY: the name is NUL-terminated; the resource has `RESOURCE_SIZE` bytes
    // that nobody changes.
    let bytes = unsafe {
        let resource = muen_get_resource(name.as_char_ptr(), Kind::Memory as u32);
        if resource.is_null() {
            return Ok(None);
        }
        resource.cast::<[u8; RESOURCE_SIZE]>().read()
    };
    Ok(Resource::parse(&bytes, VERSION).and_then(|resource| resource.memory()))
}

/// The CPU and the detail of the one resource of that name and kind.
fn one_match(name: &str, kind: Kind) -> Result<Option<(u8, Detail)>> {
    let name = CString::try_from_fmt(fmt!("{name}"))?;
    let mut found = MaybeUninit::<CpuAffinity>::zeroed();
    // SAFETY: room for the result; the name is NUL-terminated. All of the result
    // is initialised, by zeros if by nothing else.
    let found = unsafe {
        if !muen_smp_one_match(found.as_mut_ptr(), name.as_char_ptr(), kind as u32) {
            return Ok(None);
        }
        found.assume_init()
    };
    Ok(Resource::parse(&found.resource, VERSION).map(|resource| (found.cpu, resource.detail)))
}

/// The Linux interrupt of the channel that is read, if it has one.
pub(crate) fn interrupt(channel: &str) -> Result<Option<u32>> {
    Ok(match one_match(channel, Kind::Vector)? {
        Some((_, Detail::Vector(irq))) => Some(irq.into()),
        _ => None,
    })
}

/// The event of a channel that is written.
#[derive(Clone, Copy)]
pub(crate) struct Event {
    number: u8,
    cpu: u8,
}

impl Event {
    /// The event of that channel, if it has one.
    pub(crate) fn of(channel: &str) -> Result<Option<Self>> {
        Ok(match one_match(channel, Kind::Event)? {
            Some((cpu, Detail::Event(number))) => Some(Self { number, cpu }),
            _ => None,
        })
    }

    /// The CPU that it is to be triggered on.
    pub(crate) fn cpu(&self) -> u32 {
        self.cpu.into()
    }

    /// Triggers it; call this on its CPU, with interrupts enabled.
    pub(crate) fn trigger(&self) {
        // SAFETY: on the event's own CPU there is nothing to wait for.
        unsafe { muen_smp_trigger_event(self.number, self.cpu) };
    }
}
