// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pages of memory, given out once and never taken back.

use crate::subject::Refusal;
use static_cell::ConstStaticCell;

/// Bytes of a page.
pub const PAGE: usize = 4096;
/// Pages that there are: for the image, page tables and what Muen adds.
const PAGES: usize = 1536;

#[repr(C, align(4096))]
struct Memory([[u8; PAGE]; PAGES]);

static MEMORY: ConstStaticCell<Memory> = ConstStaticCell::new(Memory([[0; PAGE]; PAGES]));

/// The pages that are left.
#[derive(Debug)]
pub struct Pool(&'static mut [[u8; PAGE]]);

impl Pool {
    /// All of them. To be called once.
    pub fn take() -> Self {
        Self(&mut MEMORY.take().0)
    }

    /// Whole pages for `len` bytes, all zero.
    pub fn bytes(&mut self, len: usize) -> Result<&'static mut [u8], Refusal> {
        let rest = core::mem::take(&mut self.0);
        let (pages, rest) = rest
            .split_at_mut_checked(len.div_ceil(PAGE))
            .ok_or(Refusal::NoMemory)?;
        self.0 = rest;
        Ok(pages.as_flattened_mut())
    }
}
