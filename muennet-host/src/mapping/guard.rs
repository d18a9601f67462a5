// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mappings of files that others may cut short.
//!
//! An access to a page that its file lost is answered by SIGBUS. The handler here lays
//! zeros, which no file has a part in, over the whole of a mapping that is listed, and
//! marks it: the access is repeated and goes on. To a reader the channel is inactive then.
//! Any other SIGBUS ends the process as if there were no handler.

use std::{
    ffi::{c_int, c_void},
    io, ptr,
    sync::{
        atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering},
        OnceLock,
    },
};
use vmm_sys_util::signal::register_signal_handler;

/// A place in the list of mappings. It is never freed, so that the handler can go through
/// the list at any time, but used again.
#[derive(Debug, Default)]
struct Place {
    taken: AtomicBool,
    base: AtomicUsize,
    /// Bytes; 0 while there is no mapping.
    len: AtomicUsize,
    writable: AtomicBool,
    cut: AtomicBool,
    next: AtomicPtr<Place>,
}

static FIRST: AtomicPtr<Place> = AtomicPtr::new(ptr::null_mut());

/// A mapping that is listed, for as long as the value lives.
#[derive(Debug)]
pub(super) struct Guard(&'static Place);

fn places() -> impl Iterator<Item = &'static Place> {
    let follow = |place: &AtomicPtr<Place>| {
        // SAFETY: null, or a place that was leaked when it was added.
        unsafe { place.load(Ordering::Acquire).as_ref() }
    };
    std::iter::successors(follow(&FIRST), move |place| follow(&place.next))
}

impl Guard {
    /// Lists the mapping of `len` bytes from `base` on.
    ///
    /// # Errors
    ///
    /// When the system takes no handler.
    ///
    /// # Safety
    ///
    /// The mapping is shared memory of a file which is unmapped after the guard is dropped,
    /// and nothing relies on what it holds.
    pub(super) unsafe fn new(base: usize, len: usize, writable: bool) -> io::Result<Self> {
        static HANDLER: OnceLock<Result<(), c_int>> = OnceLock::new();
        let register = || register_signal_handler(libc::SIGBUS, on_bus_error);
        let registered = HANDLER.get_or_init(|| register().map_err(|error| error.errno()));
        registered.map_err(io::Error::from_raw_os_error)?;
        let place = free_place();
        place.base.store(base, Ordering::Relaxed);
        place.writable.store(writable, Ordering::Relaxed);
        place.cut.store(false, Ordering::Relaxed);
        place.len.store(len, Ordering::Release);
        Ok(Self(place))
    }

    /// True once the file had lost a page that was accessed.
    pub(super) fn is_cut(&self) -> bool {
        self.0.cut.load(Ordering::Relaxed)
    }
}

fn free_place() -> &'static Place {
    if let Some(free) = places().find(|place| !place.taken.swap(true, Ordering::AcqRel)) {
        return free;
    }
    let place: &'static Place = Box::leak(Box::default());
    place.taken.store(true, Ordering::Relaxed);
    let mut first = FIRST.load(Ordering::Relaxed);
    loop {
        place.next.store(first, Ordering::Relaxed);
        let this = ptr::from_ref(place).cast_mut();
        match FIRST.compare_exchange(first, this, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => return place,
            Err(other) => first = other,
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.len.store(0, Ordering::Release);
        self.0.taken.store(false, Ordering::Release);
    }
}

extern "C" fn on_bus_error(signal: c_int, info: *mut libc::siginfo_t, _: *mut c_void) {
    // SAFETY: the kernel passes the signal's information, which has an address.
    let address = unsafe { (*info).si_addr() } as usize;
    let place = places().find(|place| {
        let len = place.len.load(Ordering::Acquire);
        address.wrapping_sub(place.base.load(Ordering::Relaxed)) < len
    });
    if place.is_some_and(replace) {
        return;
    }
    // SAFETY: resets the handler; the access is repeated, and ends the process.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
}

/// Lays zeros over a mapping; false if the system refuses.
fn replace(place: &Place) -> bool {
    let access = if place.writable.load(Ordering::Relaxed) {
        libc::PROT_READ | libc::PROT_WRITE
    } else {
        libc::PROT_READ
    };
    // SAFETY: over a mapping that is listed and so still there, whose content nothing relies
    // on; the same length and access. mmap is a system call and touches no lock of ours.
    let mapped = unsafe {
        libc::mmap(
            place.base.load(Ordering::Relaxed) as *mut c_void,
            place.len.load(Ordering::Relaxed),
            access,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
            -1,
            0,
        )
    };
    place.cut.store(true, Ordering::Relaxed);
    mapped != libc::MAP_FAILED
}
