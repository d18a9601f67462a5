// SPDX-License-Identifier: MIT OR Apache-2.0
//! The subject's page tables: it has no more than its policy maps, with no more rights.

use crate::{
    pool::{Pool, PAGE},
    subject::Refusal,
};
use x86_64::structures::paging::PageTableFlags as Flags;

/// Bits of an address that index a table, and those within a page.
const INDEX: u32 = 9;
const OFFSET: u32 = 12;
/// Levels of tables above the pages.
const LEVELS: u32 = 4;
/// The address in an entry.
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// Rights of a subject to memory, beyond reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Nothing.
    Read,
    /// Write it.
    Write,
    /// Run it.
    Execute,
}

/// The tables of an address space.
#[derive(Debug)]
pub struct Pages {
    root: u64,
}

/// The physical address of memory of the monitor, which maps every address to itself.
pub fn physical(bytes: &[u8]) -> u64 {
    bytes.as_ptr().expose_provenance() as u64
}

impl Pages {
    /// An address space without memory.
    pub fn new(pool: &mut Pool) -> Result<Self, Refusal> {
        let root = pool.bytes(PAGE)?;
        Ok(Self {
            root: physical(root),
        })
    }

    /// The physical address of the root table.
    pub fn root(&self) -> u64 {
        self.root
    }

    /// Maps `len` bytes, in whole pages.
    pub fn map(
        &mut self,
        pool: &mut Pool,
        address: u64,
        physical: u64,
        len: u64,
        right: Right,
    ) -> Result<(), Refusal> {
        let page = PAGE as u64;
        if !address.is_multiple_of(page) || !physical.is_multiple_of(page) {
            return Err(Refusal::Unaligned(address));
        }
        let flags = Flags::PRESENT
            | match right {
                Right::Read => Flags::NO_EXECUTE,
                Right::Write => Flags::NO_EXECUTE | Flags::WRITABLE,
                Right::Execute => Flags::empty(),
            };
        for offset in (0..len).step_by(PAGE) {
            let entry = self.entry(pool, address + offset)?;
            // SAFETY: an entry of a page table, which came from the pool and is used by
            // nobody but this type, and not by the processor until the subject runs.
            unsafe { entry.write((physical + offset) | flags.bits()) };
        }
        Ok(())
    }

    /// The entry for a page, with the tables above it.
    fn entry(&mut self, pool: &mut Pool, address: u64) -> Result<*mut u64, Refusal> {
        let mut table = self.root;
        for level in (0..LEVELS).rev() {
            let index = address >> (OFFSET + INDEX * level) & ((1 << INDEX) - 1);
            let entry = table + index * 8;
            let entry: *mut u64 = core::ptr::with_exposed_provenance_mut(entry as usize);
            if level == 0 {
                return Ok(entry);
            }
            // SAFETY: an entry of a page table, as in `map`.
            let found = unsafe { entry.read() };
            table = if found == 0 {
                let next = physical(pool.bytes(PAGE)?);
                let flags = Flags::PRESENT | Flags::WRITABLE;
                // SAFETY: as above.
                unsafe { entry.write(next | flags.bits()) };
                next
            } else {
                found & ADDRESS
            };
        }
        Err(Refusal::Unaligned(address))
    }
}
