// SPDX-License-Identifier: MIT OR Apache-2.0
//! The caller's memory for a link, and the right to use what lies in it.

use crate::{endpoint::Endpoint, Code};
use core::{
    mem::{align_of, size_of, MaybeUninit},
    sync::atomic::{compiler_fence, AtomicU64, Ordering},
};

/// Bytes of a `muennet_link`.
pub const LINK_SIZE: usize = 512;
/// The address of a `muennet_link` is a multiple of this.
pub const LINK_ALIGN: usize = 8;

/// Memory for a link. The caller provides it, zeroed, and does not look into it.
///
/// It must not be moved or copied while the link is open. Without a link in it, nothing is to be
/// freed: `muennet_close` gives the memory back.
#[repr(C)]
pub struct Link {
    /// Private.
    pub opaque: [u64; 64],
}

/// Layout of the caller's memory.
#[repr(C)]
struct Handle {
    /// [`OPEN`] while `endpoint` is there.
    state: AtomicU64,
    /// 1 while a call is under way.
    busy: AtomicU64,
    endpoint: MaybeUninit<Endpoint>,
}

/// Says that a link is open: "muennet" and a version.
const OPEN: u64 = u64::from_le_bytes(*b"muennet\x01");

const _: () = {
    assert!(size_of::<Link>() == LINK_SIZE && align_of::<Link>() == LINK_ALIGN);
    assert!(size_of::<Handle>() <= LINK_SIZE && align_of::<Handle>() <= LINK_ALIGN);
};

/// The handle in the caller's memory.
#[inline]
fn handle(link: *mut Link) -> Result<*mut Handle, Code> {
    if link.is_null() {
        Err(Code::NullPointer)
    } else if !link.is_aligned() {
        Err(Code::Misaligned)
    } else {
        Ok(link.cast())
    }
}

/// Puts an endpoint into the caller's memory, whatever lies there.
///
/// # Safety
///
/// Unless it is null or misaligned, `link` can be written for as long as the link is open, and
/// no call on it is under way.
pub(crate) unsafe fn fill(
    link: *mut Link,
    make: impl FnOnce() -> Result<Endpoint, Code>,
) -> Result<(), Code> {
    let handle = handle(link)?;
    let endpoint = make()?;
    // SAFETY: there is room for a handle, as asserted above, which can be written.
    unsafe {
        handle.write(Handle {
            state: AtomicU64::new(OPEN),
            busy: AtomicU64::new(0),
            endpoint: MaybeUninit::new(endpoint),
        });
    }
    Ok(())
}

/// Calls `body` with the endpoint, unless there is none, or another call has it.
///
/// The flag is for code that interrupts a call on the same processor: the notifier, and an
/// interrupt handler. Threads that share a link need a lock of their own; the flag finds most,
/// not all, of those that have none.
///
/// # Safety
///
/// Unless it is null or misaligned, `link` points to memory of a `Link` that was written
/// (zeroed, or by [`fill`]), and in which [`fill`] alone has put [`OPEN`].
#[inline]
pub(crate) unsafe fn enter(link: *mut Link, body: impl FnOnce(&mut Endpoint) -> Code) -> Code {
    let handle = match handle(link) {
        Ok(handle) => handle,
        Err(code) => return code,
    };
    // SAFETY: readable by the caller's promise, and accessed as atomics alone: a call that is
    // under way has a reference to the endpoint, not to these two.
    let (state, busy) = unsafe { (&(*handle).state, &(*handle).busy) };
    if state.load(Ordering::Relaxed) != OPEN {
        return Code::NotOpen;
    }
    if busy.load(Ordering::Relaxed) != 0 {
        return Code::Busy;
    }
    busy.store(1, Ordering::Relaxed);
    // What interrupts from here on sees the flag.
    compiler_fence(Ordering::SeqCst);
    // SAFETY: `fill` has put it there, as the state says, and no other call has it, as the
    // flag says.
    let code = body(unsafe { (*handle).endpoint.assume_init_mut() });
    compiler_fence(Ordering::SeqCst);
    busy.store(0, Ordering::Relaxed);
    code
}

/// Calls `last` with the endpoint, and takes it out of the caller's memory.
///
/// # Safety
///
/// As for [`enter`].
pub(crate) unsafe fn close(link: *mut Link, last: impl FnOnce(&mut Endpoint)) -> Code {
    // SAFETY: by the caller's promise.
    let code = unsafe {
        enter(link, |endpoint| {
            last(endpoint);
            Code::Ok
        })
    };
    if code == Code::Ok {
        if let Ok(handle) = handle(link) {
            // SAFETY: `enter` has just used both, and no call is under way. The state goes
            // first: the endpoint is not used any more.
            unsafe {
                (*handle).state.store(0, Ordering::Relaxed);
                (*handle).endpoint.assume_init_drop();
            }
        }
    }
    code
}
