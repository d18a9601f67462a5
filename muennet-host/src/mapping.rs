// SPDX-License-Identifier: MIT OR Apache-2.0
//! Channels mapped from files.
//!
//! A file that is cut short while it is mapped makes accesses fail with SIGBUS,
//! as for any mapping; the files of muenfs and the sealed memfd of
//! `muen-ivshmem` cannot be.

use muennet_core::shm::{Memory, MemoryMut};
use rustix::mm::{mmap, munmap, MapFlags, ProtFlags};
use std::{io, os::fd::AsFd, ptr::NonNull, sync::Arc};

/// A part of a file, mapped.
#[derive(Debug)]
struct Mapping {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: a mapping is the same for all threads.
unsafe impl Send for Mapping {}
// SAFETY: as above; nothing is offered but its place.
unsafe impl Sync for Mapping {}

impl Mapping {
    fn new(file: impl AsFd, offset: u64, len: usize, access: ProtFlags) -> io::Result<Self> {
        let size = rustix::fs::fstat(&file)?.st_size;
        let end = offset.checked_add(len as u64);
        if len == 0 || end.is_none_or(|end| i64::try_from(end).map_or(true, |end| end > size)) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("a file of {size} bytes has no {len} bytes from {offset:#x} on"),
            ));
        }
        // SAFETY: a fresh mapping, at an address of the kernel's choice.
        let base = unsafe {
            mmap(
                std::ptr::null_mut(),
                len,
                access,
                MapFlags::SHARED,
                file,
                offset,
            )?
        };
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { base, len })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`, and nobody uses it any more. An error would
        // leave it mapped, which harms nobody.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.len) };
    }
}

/// A channel to read; writing to it would fault. Clones are the same mapping.
#[derive(Debug, Clone)]
pub struct Input(Arc<Mapping>);

/// A channel to write.
#[derive(Debug)]
pub struct Output(Mapping);

impl Input {
    /// Maps `len` bytes of `file` from `offset` on, a multiple of the page size.
    ///
    /// # Errors
    ///
    /// What the system says, or that the file is too short.
    pub fn new(file: impl AsFd, offset: u64, len: usize) -> io::Result<Self> {
        Mapping::new(file, offset, len, ProtFlags::READ).map(|mapping| Self(Arc::new(mapping)))
    }
}

impl Output {
    /// Maps `len` bytes of `file` from `offset` on, a multiple of the page size.
    ///
    /// # Errors
    ///
    /// What the system says, or that the file is too short.
    pub fn new(file: impl AsFd, offset: u64, len: usize) -> io::Result<Self> {
        Mapping::new(file, offset, len, ProtFlags::READ | ProtFlags::WRITE).map(Self)
    }
}

// SAFETY: mapped as long as the value or a clone lives, at a page's start.
unsafe impl Memory for Input {
    fn base(&self) -> NonNull<u8> {
        self.0.base
    }

    fn len(&self) -> usize {
        self.0.len
    }
}

// SAFETY: mapped as long as the value lives, at a page's start.
unsafe impl Memory for Output {
    fn base(&self) -> NonNull<u8> {
        self.0.base
    }

    fn len(&self) -> usize {
        self.0.len
    }
}

// SAFETY: mapped writable. A second `Output` of the same bytes would be a second
// writer, which spoils the channel's content and no memory of this program.
unsafe impl MemoryMut for Output {}
