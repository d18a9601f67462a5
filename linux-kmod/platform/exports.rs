// SPDX-License-Identifier: GPL-2.0-only

//! The functions that Muen Linux exports to modules, with their C signatures.

use crate::subject::{self, ResourceType};
use core::{ffi::CStr, ptr};
use kernel::ffi::c_char;

/// `struct muen_cpu_affinity`, which exports.c lays out.
#[repr(C)]
pub(crate) struct CpuAffinity {
    _opaque: [u64; 19],
}

extern "C" {
    static muen_ivshmem_aligned: bool;
    fn muen_ivshmem_fill_packed(to: *mut CpuAffinity, cpu: u8, resource: *const ResourceType);
    fn muen_ivshmem_fill_aligned(to: *mut CpuAffinity, cpu: u8, resource: *const ResourceType);
}

/// The bytes of a C string; empty for a null pointer.
///
/// # Safety
///
/// `name` is null or points to a NUL-terminated string.
unsafe fn bytes<'a>(name: *const c_char) -> &'a [u8] {
    if name.is_null() {
        return &[];
    }
    // SAFETY: by the caller's promise.
    unsafe { CStr::from_ptr(name.cast()) }.to_bytes()
}

/// True when there is a subject.
#[no_mangle]
pub(crate) extern "C" fn muen_check_magic() -> bool {
    subject::with(|_| ()).is_some()
}

/// The subject's name, or null. Valid while the module is loaded.
#[no_mangle]
pub(crate) extern "C" fn muen_get_subject_name() -> *const c_char {
    subject::with(|subject| subject.name().as_ptr().cast()).unwrap_or(ptr::null())
}

/// The first resource of that name and kind, or null. Valid while the module is loaded.
///
/// # Safety
///
/// `name` is null or points to a NUL-terminated string.
#[no_mangle]
pub(crate) unsafe extern "C" fn muen_get_resource(name: *const c_char, kind: u32) -> *const ResourceType {
    // SAFETY: by the caller's promise.
    let name = unsafe { bytes(name) };
    subject::with(|subject| subject.matching(name, kind).next().map(ptr::from_ref))
        .flatten()
        .unwrap_or(ptr::null())
}

/// Copies the resource of that name and kind, with the CPU that it belongs to;
/// true if there is exactly one.
///
/// # Safety
///
/// `result` may be written; `name` is as for [`muen_get_resource`].
#[no_mangle]
pub(crate) unsafe extern "C" fn muen_smp_one_match(
    result: *mut CpuAffinity,
    name: *const c_char,
    kind: u32,
) -> bool {
    // SAFETY: by the caller's promise.
    let name = unsafe { bytes(name) };
    let found = subject::with(|subject| {
        let mut matching = subject.matching(name, kind);
        match (matching.next(), matching.next()) {
            (Some(resource), None) => Some(*resource),
            _ => None,
        }
    });
    let Some(Some(resource)) = found else {
        return false;
    };
    // Any CPU may ring the doorbell, and interrupts are Linux's to place: all is CPU 0's.
    // SAFETY: `result` by the caller's promise; the resource is valid, and the parameter
    // was written before the module was initialised.
    unsafe {
        if muen_ivshmem_aligned {
            muen_ivshmem_fill_aligned(result, 0, &resource);
        } else {
            muen_ivshmem_fill_packed(result, 0, &resource);
        }
    }
    true
}

/// Triggers event `id`; the CPU makes no difference here.
#[no_mangle]
pub(crate) extern "C" fn muen_smp_trigger_event(id: u8, _cpu: u8) {
    if subject::with(|subject| subject.trigger(id)) == Some(false) {
        kernel::pr_warn_once!("event {id} does not exist; it is not triggered\n");
    }
}
