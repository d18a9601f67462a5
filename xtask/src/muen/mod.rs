// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files for an integrator of Muen: the unikernel's image, component specifications
//! and a policy; and the checks of all that against the facts of Muen v1.1.1.

mod code;
mod elf_file;
mod schema;
mod specification;

pub use elf_file::{plain_rodata, segments, symbol};

use crate::{
    run::{target, workspace},
    unikernel::Image,
};
use anyhow::{Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Name of the image, and of the component.
const NAME: &str = "unikernel";
/// Name of the image for arm64.
const ARM64: &str = "unikernel-arm64";

/// Writes the folder; gives its path.
pub fn write() -> Result<PathBuf> {
    let folder = target("muen")?;
    fs::create_dir_all(&folder)?;
    let image = Image::Muen.build()?;
    let bytes = fs::read(&image)?;
    put(&folder, NAME, &bytes)?;
    let sources = workspace().join("examples/unikernel/muen");
    for name in ["unikernel.xml", "policy.xml", "README.md"] {
        fs::copy(sources.join(name), folder.join(name))?;
    }
    let template = fs::read_to_string(sources.join("unikernel.xml"))?;
    for segment in segments(&bytes)? {
        if let Some(content) = segment.content {
            put(&folder, &segment.file(NAME), content)?;
        }
    }
    let complete = specification::complete(&template, NAME, &bytes)?;
    put(&folder, "unikernel-sections.xml", complete.as_bytes())?;
    let arm64 = Image::MuenArm64.build()?;
    fs::copy(arm64, folder.join(ARM64))?;
    Ok(folder)
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = folder.join(name);
    fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// Checks the folder: sections, flags and instructions of the image, and all XML, that of
/// the documents too.
pub fn check() -> Result<()> {
    let folder = write()?;
    let bytes = fs::read(folder.join(NAME))?;
    elf_file::check(&bytes)?;
    code::check(&bytes)?;
    code::check_finds()?;
    code::check_arm64(&fs::read(folder.join(ARM64))?)?;
    schema::check(&folder)
}
