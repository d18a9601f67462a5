// SPDX-License-Identifier: MIT OR Apache-2.0
//! The shared libraries that a program says it needs, read out of its ELF file: programs of
//! another architecture cannot be run to ask them.

use anyhow::{Context, Result};
use elf::{abi, endian::LittleEndian, ElfBytes};
use std::{collections::BTreeSet, fs, path::Path};

/// The loader and the libraries of `files`, and what those need, by their paths inside of
/// `userland`. Libraries lie in /usr/lib and in the folder `triple` there.
pub fn of(userland: &Path, triple: &str, files: &BTreeSet<String>) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut open: Vec<_> = files.iter().cloned().collect();
    while let Some(file) = open.pop() {
        let bytes = fs::read(userland.join(&file[1..]))
            .with_context(|| format!("cannot read {file} of {}", userland.display()))?;
        let (loader, names) = needed(&bytes).with_context(|| format!("in {file}"))?;
        let paths = names.iter().map(|name| {
            [
                format!("/usr/lib/{triple}/{name}"),
                format!("/usr/lib/{name}"),
            ]
            .into_iter()
            .find(|path| userland.join(&path[1..]).is_file())
            .with_context(|| format!("{file} needs {name}, which is not there"))
        });
        for path in loader.into_iter().map(Ok).chain(paths) {
            let path = path?;
            if found.insert(path.clone()) {
                open.push(path);
            }
        }
    }
    Ok(found)
}

/// The loader's path and the libraries' names; none of either in a static program.
fn needed(bytes: &[u8]) -> Result<(Option<String>, Vec<String>)> {
    let elf = ElfBytes::<LittleEndian>::minimal_parse(bytes)?;
    let mut loader = None;
    for header in elf.segments().into_iter().flatten() {
        if header.p_type == abi::PT_INTERP {
            let text = String::from_utf8_lossy(elf.segment_data(&header)?);
            loader = Some(text.trim_end_matches('\0').to_owned());
        }
    }
    let common = elf.find_common_data()?;
    let mut names = vec![];
    if let (Some(dynamic), Some(strings)) = (common.dynamic, common.dynsyms_strs) {
        for entry in dynamic.iter().filter(|entry| entry.d_tag == abi::DT_NEEDED) {
            let name = strings.get(usize::try_from(entry.d_val())?)?;
            // The loader is a library too, where it has a name of its own.
            if !loader
                .as_deref()
                .is_some_and(|path| path.ends_with(&format!("/{name}")))
            {
                names.push(name.to_owned());
            }
        }
    }
    Ok((loader, names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_needs_the_c_library() {
        let bytes = fs::read(std::env::current_exe().unwrap()).unwrap();
        let (loader, names) = needed(&bytes).unwrap();
        assert!(loader.is_some_and(|path| path.contains("/ld-linux-")));
        assert!(names.contains(&"libc.so.6".to_owned()), "{names:?}");
    }
}
