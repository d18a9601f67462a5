// SPDX-License-Identifier: MIT OR Apache-2.0
//! Running other programs, with their words kept for when they fail.

use anyhow::{bail, Context, Result};
use cargo_metadata::{Metadata, MetadataCommand};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The folder of the workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in the workspace")
        .to_owned()
}

/// A path in cargo's target folder, which lies in the workspace unless `CARGO_TARGET_DIR` or a
/// configuration of cargo's says otherwise.
pub fn target(path: impl AsRef<Path>) -> Result<PathBuf> {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    if let Some(folder) = FOLDER.get() {
        return Ok(folder.join(path));
    }
    let folder = metadata(&mut MetadataCommand::new())?
        .target_directory
        .into();
    Ok(FOLDER.get_or_init(|| folder).join(path))
}

/// The packages of the workspace, and its target folder, as cargo tells them.
pub fn packages() -> Result<Metadata> {
    metadata(&mut MetadataCommand::new())
}

fn metadata(command: &mut MetadataCommand) -> Result<Metadata> {
    command
        .current_dir(workspace())
        .no_deps()
        .exec()
        .context("cargo metadata fails")
}

/// A cargo command in the workspace.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace()).args(arguments);
    command
}

/// The argument that lets make use all processors.
pub fn jobs() -> String {
    let jobs = std::thread::available_parallelism().map_or(1, |count| count.get());
    format!("-j{jobs}")
}

/// Runs `command` to its end; if it fails, the error holds what it said last.
pub fn quietly(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {:?}", command.get_program()))?;
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(said);
    }
    said.push_str(&String::from_utf8_lossy(&output.stderr));
    bail!(
        "{command:?} ended with {}:\n{}",
        output.status,
        tail(&said, 60)
    )
}

/// The number that stands last before `unit`, as in "7 frames received".
pub fn number_before(said: &str, unit: &str) -> Option<u64> {
    let (before, _) = said.rsplit_once(unit)?;
    before.split_whitespace().next_back()?.parse().ok()
}

/// The last `count` lines of `text`.
pub fn tail(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_folder_is_where_cargo_says() {
        let mut command = MetadataCommand::new();
        command.env("CARGO_TARGET_DIR", "/elsewhere");
        let folder = metadata(&mut command).unwrap().target_directory;
        assert_eq!(folder, Path::new("/elsewhere"));
    }

    #[test]
    fn a_number_is_the_one_before_its_unit() {
        let said = "3 frames received, 12 lost, none skipped";
        assert_eq!(number_before(said, " frames received"), Some(3));
        assert_eq!(number_before(said, " lost"), Some(12));
        assert_eq!(number_before(said, " skipped"), None);
        assert_eq!(number_before(said, " rejected"), None);
    }
}
