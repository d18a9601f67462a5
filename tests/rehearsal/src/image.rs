// SPDX-License-Identifier: MIT OR Apache-2.0
//! The image: an ELF file, loaded by its program headers as Muen loads what mucbinsplit, or
//! a component specification, made of it.

use crate::{
    pages::{physical, Pages, Right},
    pool::Pool,
    subject::Refusal,
};
use elf::{abi, endian::LittleEndian, ElfBytes};

/// The initial RAM disk that QEMU passes, by PVH's start information (Xen,
/// public/arch-x86/hvm/start_info.h): number of modules, address of their list.
pub fn file(boot: u64) -> Result<&'static [u8], Refusal> {
    const COUNT: u64 = 12;
    const LIST: u64 = 16;
    let word = |address: u64| {
        let word: *const u64 = core::ptr::with_exposed_provenance(address as usize);
        // SAFETY: within the start information, or the list of modules that it names.
        unsafe { word.read_unaligned() }
    };
    // CAST: the lower half is the number.
    if word(boot + COUNT) as u32 == 0 {
        return Err(Refusal::NoImage);
    }
    let list = word(boot + LIST);
    let (start, len) = (word(list), word(list + 8));
    let start = core::ptr::with_exposed_provenance(start as usize);
    // SAFETY: the first module, which QEMU put there and nobody changes.
    Ok(unsafe { core::slice::from_raw_parts(start, len as usize) })
}

/// Loads the file's segments into pages of their own; gives the entry point. Every segment
/// is told to `each` with its rights, address and bytes.
pub fn load(
    file: &[u8],
    pool: &mut Pool,
    pages: &mut Pages,
    mut each: impl FnMut(Right, u64, &'static [u8]),
) -> Result<u64, Refusal> {
    let elf = ElfBytes::<LittleEndian>::minimal_parse(file).map_err(|_| Refusal::NotElf)?;
    let segments = elf.segments().ok_or(Refusal::NotElf)?;
    for segment in segments.iter().filter(|s| s.p_type == abi::PT_LOAD) {
        let right = match segment.p_flags & (abi::PF_W | abi::PF_X) {
            0 => Right::Read,
            abi::PF_W => Right::Write,
            abi::PF_X => Right::Execute,
            _ => return Err(Refusal::NotElf),
        };
        // CAST: usize has 64 bits.
        let memory = pool.bytes(segment.p_memsz as usize)?;
        let content = elf.segment_data(&segment).map_err(|_| Refusal::NotElf)?;
        memory
            .get_mut(..content.len())
            .ok_or(Refusal::NotElf)?
            .copy_from_slice(content);
        let memory: &'static [u8] = memory;
        let len = memory.len() as u64;
        pages.map(pool, segment.p_vaddr, physical(memory), len, right)?;
        each(right, segment.p_vaddr, memory);
    }
    Ok(elf.ehdr.e_entry)
}
