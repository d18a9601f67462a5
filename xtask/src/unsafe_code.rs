// SPDX-License-Identifier: MIT OR Apache-2.0
//! Counts the unsafe blocks of the driver proper, and compares with its README.

use crate::run::workspace;
use anyhow::{ensure, Context, Result};
use std::{collections::BTreeMap, fs};

/// As many as nobody reads with care any more.
const TOO_MANY: usize = 15;

/// Compares, and says where they differ.
pub fn check() -> Result<()> {
    let folder = workspace().join("linux-kmod");
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder.join("muennet"))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".rs") && !name.contains("_generated") {
            let blocks = blocks(&fs::read_to_string(entry.path())?);
            if blocks > 0 {
                found.insert(name, blocks);
            }
        }
    }
    let listed = listed(&fs::read_to_string(folder.join("README.md"))?)?;
    ensure!(
        found == listed,
        "the driver has the unsafe blocks {found:?}, its README lists {listed:?}"
    );
    let all: usize = found.values().sum();
    ensure!(all < TOO_MANY, "the driver has {all} unsafe blocks");
    Ok(())
}

/// Unsafe blocks in a source: those of expressions, and what macros name so.
fn blocks(source: &str) -> usize {
    source
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .map(|line| line.matches("unsafe {").count() + line.matches("unsafe(").count())
        .sum()
}

/// The table of the README: a file, and its number of blocks.
fn listed(readme: &str) -> Result<BTreeMap<String, usize>> {
    let rows = readme.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let (file, count) = (cells.next()?, cells.next()?);
        file.ends_with(".rs").then_some((file, count))
    });
    rows.map(|(file, count)| {
        let count = count
            .parse()
            .with_context(|| format!("{file}: \"{count}\" is no number"))?;
        Ok((file.to_owned(), count))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_counted_outside_of_comments() {
        let source = "// unsafe { }\nlet a = unsafe { b() };\nunsafe impl Send for A {}\n\
                      unsafe extern \"C\" fn f() { unsafe { g() } }\nunsafe(uninit) static A: B;\n";
        assert_eq!(blocks(source), 3);
    }

    #[test]
    fn the_table_is_read() {
        let readme = "| file | blocks | what for |\n|---|---|---|\n| a.rs | 2 | this |\n";
        assert_eq!(listed(readme).unwrap(), [("a.rs".to_owned(), 2)].into());
        assert!(listed("| a.rs | two | this |").is_err());
    }
}
