// SPDX-License-Identifier: MIT OR Apache-2.0
//! Channels mapped from files.
//!
//! The files of muenfs and the sealed memfd of `muen-ivshmem` keep their length. Any other
//! file may be cut short while it is mapped, after which an access raises SIGBUS. For
//! those this module sets a handler of SIGBUS for the process, once, at the first such
//! mapping: the channel reads as zeros from then on, and `is_cut` is true. A program with
//! a handler of its own sets it afterwards and calls the one before.

mod guard;

use guard::Guard;
use muennet_core::shm::{Memory, MemoryMut};
use rustix::{
    fs::{fcntl_get_seals, SealFlags},
    mm::{mmap, munmap, MapFlags, ProtFlags},
};
use std::{io, os::fd::AsFd, ptr::NonNull, sync::Arc};

/// A part of a file, mapped.
#[derive(Debug)]
struct Mapping {
    base: NonNull<u8>,
    len: usize,
    /// For a file that may be cut short.
    guard: Option<Guard>,
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
                &file,
                offset,
            )?
        };
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        let mut mapping = Self {
            base,
            len,
            guard: None,
        };
        let keeps_its_length =
            fcntl_get_seals(&file).is_ok_and(|seals| seals.contains(SealFlags::SHRINK));
        if !keeps_its_length {
            let writable = access.contains(ProtFlags::WRITE);
            // SAFETY: just mapped from a file, shared; `drop` unmaps it after the guard. What
            // it holds is the peer's at any time.
            mapping.guard = Some(unsafe { Guard::new(base.as_ptr() as usize, len, writable)? });
        }
        Ok(mapping)
    }

    fn is_cut(&self) -> bool {
        self.guard.as_ref().is_some_and(Guard::is_cut)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        drop(self.guard.take());
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
pub struct Output(Arc<Mapping>);

/// Tells whether a mapping still is its file; see [`Input::extent`] and [`Output::extent`].
#[derive(Debug, Clone)]
pub struct Extent(Arc<Mapping>);

impl Extent {
    /// True once the file was found to be shorter than when it was mapped. What is written
    /// to the channel reaches nobody then.
    pub fn is_cut(&self) -> bool {
        self.0.is_cut()
    }
}

impl Input {
    /// Maps `len` bytes of `file` from `offset` on, a multiple of the page size.
    ///
    /// A file without a seal on its length may be cut short later: the
    /// [module](self) says what happens then.
    ///
    /// # Errors
    ///
    /// The error of the operating system, or that the file is too short.
    pub fn new(file: impl AsFd, offset: u64, len: usize) -> io::Result<Self> {
        Mapping::new(file, offset, len, ProtFlags::READ).map(|mapping| Self(Arc::new(mapping)))
    }

    /// Tells whether the channel still is its file.
    pub fn extent(&self) -> Extent {
        Extent(self.0.clone())
    }
}

impl Output {
    /// Maps `len` bytes of `file` from `offset` on, a multiple of the page size.
    ///
    /// As for [`Input::new`], the file may be cut short later.
    ///
    /// # Errors
    ///
    /// The error of the operating system, or that the file is too short.
    pub fn new(file: impl AsFd, offset: u64, len: usize) -> io::Result<Self> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        Mapping::new(file, offset, len, access).map(|mapping| Self(Arc::new(mapping)))
    }

    /// Tells whether the channel still is its file.
    pub fn extent(&self) -> Extent {
        Extent(self.0.clone())
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

#[cfg(test)]
mod tests {
    use super::*;
    use muennet_core::{
        channel::{Peer, Read, Reader, Writer},
        shm::Memory,
    };
    use rustix::fs::{fcntl_add_seals, ftruncate, memfd_create, MemfdFlags};
    use std::num::NonZeroU64;

    const ONE: NonZeroU64 = NonZeroU64::MIN;

    fn file(len: u64) -> std::os::fd::OwnedFd {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = memfd_create("channel", flags).unwrap();
        ftruncate(&file, len).unwrap();
        file
    }

    #[test]
    fn a_file_cut_short_is_an_inactive_channel() {
        let file = file(1 << 16);
        let input = Input::new(&file, 0, 1 << 16).unwrap();
        let output = Output::new(&file, 0, 1 << 16).unwrap();
        let (read, written) = (input.extent(), output.extent());
        let mut reader = Reader::new(input, ONE, 1).unwrap();
        let mut writer = Writer::new(output, ONE, 1500).unwrap();
        writer.activate(ONE);
        writer.write(|slot| assert!(slot.put(0, b"frame")));
        assert!(matches!(reader.read(|_| ()), Read::NewEpoch { .. }));
        assert!(!read.is_cut() && !written.is_cut());

        ftruncate(&file, 0).unwrap();
        assert_eq!(reader.peer(), Peer::Down);
        assert!(read.is_cut());
        for _ in 0..100 {
            writer.write(|slot| assert!(slot.put(0, b"frame")));
        }
        writer.deactivate();
        assert!(written.is_cut());
        // A place in the list is used again.
        drop((reader, read));
        let other = self::file(4096);
        assert!(!Input::new(&other, 0, 4096).unwrap().extent().is_cut());
    }

    #[test]
    fn a_sealed_file_needs_no_guard() {
        let file = file(4096);
        fcntl_add_seals(&file, SealFlags::SHRINK).unwrap();
        let input = Input::new(&file, 0, 4096).unwrap();
        assert!(input.0.guard.is_none());
        assert_eq!(input.len(), 4096);
    }
}
