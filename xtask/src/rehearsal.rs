// SPDX-License-Identifier: MIT OR Apache-2.0
//! The monitor that runs the image for Muen under QEMU (tests/rehearsal), and images that do
//! what no subject of Muen may do.

use crate::{
    muen,
    run::{quietly, target, workspace},
    rust_src,
};
use anyhow::{Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
};

const TARGET: &str = "x86_64-unknown-none";

fn cargo(command: &str) -> Result<std::process::Command> {
    let mut cargo = rust_src::cargo_freestanding(&[command, "--release"], TARGET)?;
    cargo
        .current_dir(workspace().join("tests/rehearsal"))
        .arg("--target-dir")
        .arg(target("rehearsal")?);
    Ok(cargo)
}

/// Builds the monitor.
pub fn build() -> Result<PathBuf> {
    quietly(&mut cargo("build")?)?;
    let folder = target("rehearsal")?;
    Ok(folder.join(TARGET).join("release/rehearsal"))
}

/// Lints the monitor as the rest is linted.
pub fn lint() -> Result<()> {
    quietly(cargo("clippy")?.args(["--", "-D", "warnings"])).map(drop)
}

/// A copy of the image that runs `code` first.
pub fn spoilt(image: &Path, name: &str, code: &[u8]) -> Result<PathBuf> {
    let mut bytes = fs::read(image)?;
    let range = {
        let segments = muen::segments(&bytes)?;
        let text = segments.iter().find(|segment| segment.executable);
        // The entry is the first of the code.
        let content = text.and_then(|text| text.content).context("no code")?;
        let start = content.as_ptr() as usize - bytes.as_ptr() as usize;
        start..start + code.len()
    };
    bytes[range].copy_from_slice(code);
    let spoilt = target("rehearsal")?.join(name);
    fs::write(&spoilt, bytes)?;
    Ok(spoilt)
}
