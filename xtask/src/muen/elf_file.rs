// SPDX-License-Identifier: MIT OR Apache-2.0
//! The image as an ELF file: the sections that Muen's mucbinsplit takes, and the program
//! headers that a component specification can be made of.

use anyhow::{bail, ensure, Context, Result};
use elf::{abi, endian::LittleEndian, ElfBytes};

/// Bytes of a page.
const PAGE: u64 = 4096;
/// Sections that the file must have: name, type, flags.
const SECTIONS: &[(&str, u32, u32)] = &[
    (
        ".text",
        abi::SHT_PROGBITS,
        abi::SHF_ALLOC | abi::SHF_EXECINSTR,
    ),
    (".rodata", abi::SHT_PROGBITS, abi::SHF_ALLOC),
    (".data", abi::SHT_PROGBITS, abi::SHF_ALLOC | abi::SHF_WRITE),
    (".bss", abi::SHT_NOBITS, abi::SHF_ALLOC | abi::SHF_WRITE),
    (".stack", abi::SHT_NOBITS, abi::SHF_ALLOC | abi::SHF_WRITE),
];

/// A segment of the image.
#[derive(Debug)]
pub struct Segment<'a> {
    /// Name of its section, without the dot.
    pub name: String,
    /// Its address.
    pub address: u64,
    /// Its bytes in memory, in whole pages.
    pub size: u64,
    /// Its rights.
    pub writable: bool,
    /// Its rights.
    pub executable: bool,
    /// Its contents; zeroes if there are none.
    pub content: Option<&'a [u8]>,
}

impl Segment<'_> {
    /// Name of the file with its content.
    pub fn file(&self, image: &str) -> String {
        format!("{image}_{}", self.name)
    }
}

fn parse(bytes: &[u8]) -> Result<ElfBytes<'_, LittleEndian>> {
    ElfBytes::minimal_parse(bytes).context("the image is no ELF file")
}

/// The segments to be loaded, in the order of their sections' names above.
pub fn segments(bytes: &[u8]) -> Result<Vec<Segment<'_>>> {
    let elf = parse(bytes)?;
    let headers = elf.segments().context("the image has no program headers")?;
    let (sections, names) = elf.section_headers_with_strtab()?;
    let (sections, names) = sections.zip(names).context("the image has no sections")?;
    let mut segments = vec![];
    for header in headers.iter().filter(|h| h.p_type == abi::PT_LOAD) {
        let section = sections
            .iter()
            .find(|s| s.sh_addr == header.p_vaddr && s.sh_size != 0);
        let section = section.with_context(|| format!("no section at {:#x}", header.p_vaddr))?;
        let name = names.get(section.sh_name as usize)?;
        segments.push(Segment {
            name: name.trim_start_matches('.').to_owned(),
            address: header.p_vaddr,
            size: header.p_memsz.next_multiple_of(PAGE),
            writable: header.p_flags & abi::PF_W != 0,
            executable: header.p_flags & abi::PF_X != 0,
            content: match header.p_filesz {
                0 => None,
                _ => Some(elf.segment_data(&header)?),
            },
        });
    }
    let place = |name: &str| SECTIONS.iter().position(|(known, ..)| known[1..] == *name);
    segments.sort_by_key(|segment| place(&segment.name));
    Ok(segments)
}

/// The entry point.
pub fn entry(bytes: &[u8]) -> Result<u64> {
    Ok(parse(bytes)?.ehdr.e_entry)
}

/// The value of a symbol.
pub fn symbol(bytes: &[u8], name: &str) -> Result<u64> {
    let elf = parse(bytes)?;
    let (table, names) = elf.symbol_table()?.context("the image has no symbols")?;
    let mut found = table.iter().filter(|s| {
        names
            .get(s.st_name as usize)
            .is_ok_and(|found| found == name)
    });
    let symbol = found.next();
    Ok(symbol
        .with_context(|| format!("no symbol {name}"))?
        .st_value)
}

/// Functions: name, address, and their bytes up to the next one.
pub fn functions(bytes: &[u8]) -> Result<Vec<(String, u64, &[u8])>> {
    let elf = parse(bytes)?;
    let text = elf.section_header_by_name(".text")?.context("no .text")?;
    let (code, _) = elf.section_data(&text)?;
    let (table, names) = elf.symbol_table()?.context("the image has no symbols")?;
    let end = text.sh_addr + text.sh_size;
    let mut starts = vec![(text.sh_addr, "(start)".to_owned())];
    for symbol in table.iter() {
        let code = matches!(symbol.st_symtype(), abi::STT_FUNC | abi::STT_NOTYPE);
        if code && (text.sh_addr..end).contains(&symbol.st_value) {
            starts.push((
                symbol.st_value,
                names.get(symbol.st_name as usize)?.to_owned(),
            ));
        }
    }
    // Of several names for one place the last one counts.
    starts.sort_by_key(|(address, _)| *address);
    let mut functions = vec![];
    for (index, (address, name)) in starts.iter().enumerate() {
        let next = starts.get(index + 1).map_or(end, |(next, _)| *next);
        let piece = (*address - text.sh_addr) as usize..(next - text.sh_addr) as usize;
        functions.push((name.clone(), *address, &code[piece]));
    }
    Ok(functions)
}

/// Takes the marks of mergeable strings from `.rodata`: the linker has merged them, and
/// leaves the marks.
pub fn plain_rodata(bytes: &mut [u8]) -> Result<()> {
    /// Offset of the flags in a section's header.
    const FLAGS: usize = 8;
    let elf = parse(bytes)?;
    let (sections, names) = elf.section_headers_with_strtab()?;
    let (sections, names) = sections.zip(names).context("the image has no sections")?;
    let index = sections
        .iter()
        .position(|section| {
            names
                .get(section.sh_name as usize)
                .is_ok_and(|name| name == ".rodata")
        })
        .context("the image has no .rodata")?;
    let flags = sections.get(index)?.sh_flags;
    let header = elf.ehdr.e_shoff as usize + index * usize::from(elf.ehdr.e_shentsize);
    let plain = flags & !u64::from(abi::SHF_MERGE | abi::SHF_STRINGS);
    bytes
        .get_mut(header + FLAGS..header + FLAGS + 8)
        .context("the section's header lies beyond the file")?
        .copy_from_slice(&plain.to_le_bytes());
    Ok(())
}

/// Sees to it that the file has the sections that mucbinsplit takes, with their flags and
/// at pages, and no others that are loaded.
pub fn check(bytes: &[u8]) -> Result<()> {
    let elf = parse(bytes)?;
    let (sections, names) = elf.section_headers_with_strtab()?;
    let (sections, names) = sections.zip(names).context("the image has no sections")?;
    let mut found = vec![];
    for section in sections.iter() {
        let name = names.get(section.sh_name as usize)?;
        if let Some((_, kind, flags)) = SECTIONS.iter().find(|(known, ..)| *known == name) {
            ensure!(
                section.sh_type == *kind && section.sh_flags == u64::from(*flags),
                "section {name} has type {} and flags {:#x}, not {kind} and {flags:#x}",
                section.sh_type,
                section.sh_flags
            );
            ensure!(
                section.sh_addr % PAGE == 0 && section.sh_size > 0,
                "section {name} is empty, or begins within a page, at {:#x}",
                section.sh_addr
            );
            found.push(name);
        } else if section.sh_flags & u64::from(abi::SHF_ALLOC) != 0 {
            bail!("section {name} is none that mucbinsplit takes");
        }
    }
    ensure!(
        found.len() == SECTIONS.len(),
        "the image has only {found:?}"
    );
    for header in elf.segments().context("no program headers")?.iter() {
        ensure!(
            header.p_vaddr == header.p_paddr,
            "a segment has two addresses"
        );
    }
    ensure!(
        segments(bytes)?.len() == SECTIONS.len(),
        "a section is no segment"
    );
    ensure!(
        entry(bytes)? == symbol(bytes, "muen_start")?,
        "the entry is another"
    );
    Ok(())
}
