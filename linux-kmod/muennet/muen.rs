// SPDX-License-Identifier: GPL-2.0-only

//! Functions that the Muen kernel exports to modules: resources and events.

use crate::bindings;
use core::mem::MaybeUninit;
use kernel::{prelude::*, str::CString};
use muennet_core::sinfo::{linux::CpuAffinity, Detail, Kind, Memory, Name, Resource, Version, RESOURCE_SIZE};

/// Only memory, events and vectors are read here; these lie alike in all versions that
/// the kernel may have.
const VERSION: Version = Version::NEWEST;
/// Offset of the resource in `struct muen_cpu_affinity`, by the kernel's headers.
const RESOURCE: Option<usize> = match bindings::MUENNET_AFFINITY_RESOURCE {
    0 => None,
    // CAST: widens.
    offset => Some(offset as usize),
};

const _: () = assert!(size_of::<bindings::muen_cpu_affinity>() == CpuAffinity::SIZE);
const _: () = assert!(size_of::<bindings::muen_resource_type>() == RESOURCE_SIZE);

/// True when this kernel runs as a subject.
pub(crate) fn is_subject() -> bool {
    // SAFETY: looks at the subject information only.
    unsafe { bindings::muen_check_magic() }
}

/// The name of the subject that this kernel runs as.
pub(crate) fn subject_name() -> &'static CStr {
    // SAFETY: of a subject, as [`is_subject`] says, the name is NUL-terminated and stays.
    unsafe {
        let name = bindings::muen_get_subject_name();
        if name.is_null() {
            c""
        } else {
            CStr::from_char_ptr(name.cast())
        }
    }
}

/// The memory of that name, from a private copy of its resource.
pub(crate) fn memory(name: &str) -> Result<Option<Memory>> {
    let name = CString::try_from_fmt(fmt!("{name}"))?;
    // SAFETY: the name is NUL-terminated; the resource has `RESOURCE_SIZE` bytes
    // that nobody changes.
    let bytes = unsafe {
        let resource = bindings::muen_get_resource(name.as_char_ptr(), Kind::Memory as u32);
        if resource.is_null() {
            return Ok(None);
        }
        resource.cast::<[u8; RESOURCE_SIZE]>().read()
    };
    Ok(Resource::parse(&bytes, VERSION).and_then(|resource| resource.memory()))
}

/// The CPU and the detail of the one resource of that name and kind.
fn one_match(name: &str, kind: Kind) -> Result<Option<(u8, Detail)>> {
    let text = CString::try_from_fmt(fmt!("{name}"))?;
    let mut found = MaybeUninit::<bindings::muen_cpu_affinity>::zeroed();
    // SAFETY: room for the result; the name is NUL-terminated. All bytes of the result
    // are initialised, by zeros if by nothing else.
    let bytes = unsafe {
        if !bindings::muen_smp_one_match(found.as_mut_ptr(), text.as_char_ptr(), kind as u32) {
            return Ok(None);
        }
        found.as_ptr().cast::<[u8; CpuAffinity::SIZE]>().read()
    };
    let found = Name::new(name).ok().map(|name| CpuAffinity::parse(&bytes, RESOURCE, &name, kind));
    match found {
        Some(Ok(found)) => Ok(Some((found.cpu, found.resource.detail))),
        Some(Err(error)) => {
            pr_err!("channel \"{name}\": {}\n", core::format_args!("{error}"));
            Err(ENODEV)
        }
        None => Ok(None),
    }
}

/// The vector of the channel that is read, if it has one.
pub(crate) fn vector(channel: &str) -> Result<Option<u8>> {
    Ok(match one_match(channel, Kind::Vector)? {
        Some((_, Detail::Vector(number))) => Some(number),
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
        unsafe { bindings::muen_smp_trigger_event(self.number, self.cpu) };
    }
}
