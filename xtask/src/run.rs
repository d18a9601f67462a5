// SPDX-License-Identifier: MIT OR Apache-2.0
//! Running other programs, with their words kept for when they fail.

use anyhow::{bail, Context, Result};
use cargo_metadata::MetadataCommand;
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
    let folder = target_folder(&mut MetadataCommand::new())?;
    Ok(FOLDER.get_or_init(|| folder).join(path))
}

/// Asks cargo for its target folder.
fn target_folder(command: &mut MetadataCommand) -> Result<PathBuf> {
    let metadata = command
        .current_dir(workspace())
        .no_deps()
        .exec()
        .context("cargo does not tell its target folder")?;
    Ok(metadata.target_directory.into())
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
        let folder = target_folder(&mut command).unwrap();
        assert_eq!(folder, Path::new("/elsewhere"));
    }
}
