// SPDX-License-Identifier: GPL-2.0-only

//! The subject's resources as drivers see them.
//!
//! A private copy of the subject information with memory at guest-physical
//! addresses and vectors numbered as Muen Linux numbers them, made when the device is bound.

use crate::bindings;
use core::{
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};
use kernel::{ffi::c_void, prelude::*};
use muennet_core::{
    ivshmem::{Doorbell, EVENTS},
    sinfo::{linux::Irq, BuildError, Detail, Name, Sinfo, Version, MAX_RESOURCES, RESOURCE_SIZE},
};

/// `struct muen_resource_type`; aligned as newer headers have it.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub(crate) struct ResourceType(pub(crate) [u8; RESOURCE_SIZE]);

/// State that the exported functions use.
pub(crate) struct Subject {
    name: [u8; Name::MAX_LEN + 1],
    version: Version,
    resources: KVVec<ResourceType>,
    events: [Option<Doorbell>; EVENTS],
    /// None when the device is gone.
    registers: Option<Registers>,
    /// Another one whose device is gone.
    next: *mut Subject,
}

// SAFETY: `next` is used by the one who frees the subject.
unsafe impl Send for Subject {}
// SAFETY: as above.
unsafe impl Sync for Subject {}

/// The registers of the device: at 8 the own peer number, at 12 the doorbell.
pub(crate) struct Registers(*mut c_void);

// SAFETY: the registers may be accessed from any CPU at any time.
unsafe impl Send for Registers {}
// SAFETY: as above; ringing is a single write.
unsafe impl Sync for Registers {}

impl Registers {
    const SIZE: usize = 16;
    const POSITION: usize = 8;
    const DOORBELL: usize = 12;

    /// Maps the registers at guest-physical `address`.
    ///
    /// # Safety
    ///
    /// `address` is BAR 0 of an ivshmem-doorbell device.
    pub(crate) unsafe fn map(address: u64) -> Result<Self> {
        // SAFETY: device registers, by the caller's promise.
        let mapped = unsafe { bindings::ivshmem_ioremap(address, Self::SIZE) };
        if mapped.is_null() {
            return Err(ENOMEM);
        }
        Ok(Self(mapped))
    }

    /// The own peer number.
    pub(crate) fn position(&self) -> u32 {
        // SAFETY: within the mapping.
        unsafe { bindings::ivshmem_readl(self.0.byte_add(Self::POSITION)) }
    }

    fn ring(&self, doorbell: Doorbell) {
        // SAFETY: within the mapping; a write to it rings, no more.
        unsafe { bindings::ivshmem_writel(doorbell.register(), self.0.byte_add(Self::DOORBELL)) };
    }
}

impl Drop for Registers {
    fn drop(&mut self) {
        // SAFETY: `self.0` came from `ioremap`.
        unsafe { bindings::iounmap(self.0) };
    }
}

/// The subject, while a device is bound; null else.
static SUBJECT: AtomicPtr<Subject> = AtomicPtr::new(ptr::null_mut());

/// The read side of RCU, held.
struct ReadLock(());

impl ReadLock {
    fn take() -> Self {
        // SAFETY: given back when dropped.
        unsafe { bindings::ivshmem_rcu_read_lock() };
        Self(())
    }
}

impl Drop for ReadLock {
    fn drop(&mut self) {
        // SAFETY: taken by `take`.
        unsafe { bindings::ivshmem_rcu_read_unlock() };
    }
}

/// Looks at the subject, if there is one.
pub(crate) fn with<T>(look: impl FnOnce(&Subject) -> T) -> Option<T> {
    let _guard = ReadLock::take();
    // SAFETY: while the guard lives, `Installed::drop` does not go on to free it.
    unsafe { SUBJECT.load(Ordering::Acquire).as_ref() }.map(look)
}

/// Subjects whose device is gone, linked by `next`. They are kept until the module goes:
/// drivers may still read the resources and the name that they were given.
static RETIRED: AtomicPtr<Subject> = AtomicPtr::new(ptr::null_mut());

/// Keeps the subject in place.
pub(crate) struct Installed(());

impl Drop for Installed {
    fn drop(&mut self) {
        let subject = SUBJECT.swap(ptr::null_mut(), Ordering::AcqRel);
        // Waits for all that look at the subject.
        // SAFETY: called where it may sleep.
        unsafe { bindings::synchronize_rcu() };
        // SAFETY: it came from `KBox::into_raw`; nobody rings or looks for anything in it any
        // more, and those who read what they were given read neither of these fields. Devices
        // are unbound one at a time, as there is one subject.
        unsafe {
            (*subject).registers = None;
            (*subject).next = RETIRED.swap(subject, Ordering::AcqRel);
        }
    }
}

/// Frees the subjects whose devices are gone when it is dropped.
pub(crate) struct Retired(());

impl Retired {
    /// # Safety
    ///
    /// When it is dropped, no driver reads anything that it was given.
    pub(crate) unsafe fn new() -> Self {
        Self(())
    }
}

impl Drop for Retired {
    fn drop(&mut self) {
        let mut next = RETIRED.swap(ptr::null_mut(), Ordering::AcqRel);
        while !next.is_null() {
            // SAFETY: it came from `KBox::into_raw`, and nobody reads it by the promise of
            // `new`.
            let subject = unsafe { KBox::from_raw(next) };
            next = subject.next;
        }
    }
}

/// Why a copy of subject information cannot serve.
pub(crate) enum Unfit {
    Memory { name: Name },
    Vector { name: Name, number: u8 },
    Irq { name: Name, irq: u32 },
    Build(BuildError),
    NoMemory,
    Second,
}

impl core::fmt::Display for Unfit {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Memory { name } => core::write!(f, "memory \"{name}\" lies outside of BAR 2"),
            Self::Vector { name, number } => core::write!(
                f,
                "vector {number} of \"{name}\" does not exist; give the device more vectors"
            ),
            Self::Irq { name, irq } => {
                core::write!(
                    f,
                    "vector \"{name}\" has interrupt {irq}, above {}, the last that a vector's \
                     number holds; use fewer devices with interrupts",
                    Irq::MAX
                )
            }
            Self::Build(error) => error.fmt(f),
            Self::NoMemory => core::write!(f, "not enough memory"),
            Self::Second => core::write!(f, "there is a subject already; use one ivshmem device"),
        }
    }
}

/// Puts the subject in place: `memory` gives the guest-physical address of an
/// offset and length in BAR 2, `irq` the interrupt of a vector.
pub(crate) fn install(
    sinfo: &Sinfo<'_>,
    events: [Option<Doorbell>; EVENTS],
    registers: Registers,
    memory: impl Fn(u64, u64) -> Option<u64>,
    irq: impl Fn(u8) -> Option<u32>,
) -> Result<(Installed, usize), Unfit> {
    let mut resources = KVVec::new();
    for mut resource in sinfo.resources().take(MAX_RESOURCES) {
        let name = resource.name;
        match &mut resource.detail {
            Detail::Memory(found) => {
                found.address =
                    memory(found.address, found.size).ok_or(Unfit::Memory { name })?;
            }
            Detail::Vector(number) => {
                let irq = irq(*number).ok_or(Unfit::Vector { name, number: *number })?;
                *number = Irq::of_number(irq).ok_or(Unfit::Irq { name, irq })?.vector;
            }
            _ => {}
        }
        let bytes = resource.to_bytes(sinfo.version()).map_err(Unfit::Build)?;
        resources
            .push(ResourceType(bytes), GFP_KERNEL)
            .map_err(|_| Unfit::NoMemory)?;
    }
    let mut name = [0; Name::MAX_LEN + 1];
    for (to, from) in name.iter_mut().zip(sinfo.subject().as_bytes()) {
        *to = *from;
    }
    let count = resources.len();
    let subject = Subject {
        name,
        version: sinfo.version(),
        resources,
        events,
        registers: Some(registers),
        next: ptr::null_mut(),
    };
    let subject = KBox::into_raw(KBox::new(subject, GFP_KERNEL).map_err(|_| Unfit::NoMemory)?);
    match SUBJECT.compare_exchange(
        ptr::null_mut(),
        subject,
        Ordering::AcqRel,
        Ordering::Acquire,
    ) {
        Ok(_) => Ok((Installed(()), count)),
        Err(_) => {
            // SAFETY: it came from `into_raw` just now, and nobody else has it.
            drop(unsafe { KBox::from_raw(subject) });
            Err(Unfit::Second)
        }
    }
}

impl Subject {
    /// The name, NUL-terminated.
    pub(crate) fn name(&self) -> &[u8; Name::MAX_LEN + 1] {
        &self.name
    }

    /// Resources with that name and kind.
    pub(crate) fn matching<'a>(
        &'a self,
        name: &'a [u8],
        kind: u32,
    ) -> impl Iterator<Item = &'a ResourceType> {
        self.resources.iter().filter(move |resource| {
            muennet_core::sinfo::Resource::parse(&resource.0, self.version).is_some_and(|resource| {
                resource.kind_number() == kind && resource.name.as_bytes() == name
            })
        })
    }

    /// Rings an event; false if there is none of this number.
    pub(crate) fn trigger(&self, event: u8) -> bool {
        match self.events.get(usize::from(event)) {
            Some(Some(doorbell)) => {
                if let Some(registers) = &self.registers {
                    registers.ring(*doorbell);
                }
                true
            }
            _ => false,
        }
    }
}
