// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program in C that speaks to the driver by libnl, as the original's does.

use crate::{
    run::{quietly, workspace},
    tree::Tree,
};
use anyhow::Result;
use std::{fs, path::PathBuf};

/// Builds it inside of the tree, for the VMs; gives its path.
pub fn build(tree: &Tree) -> Result<PathBuf> {
    tree.install("libnl", &["libnl-genl-3-dev"])?;
    let folder = tree.folder("work/libnl")?;
    let source = fs::read(workspace().join("tests/libnl/muennet_cfg.c"))?;
    let program = folder.join("muennet_cfg_libnl");
    let kept = folder.join("muennet_cfg.c");
    if program.exists() && fs::read(&kept).ok().as_ref() == Some(&source) {
        return Ok(program);
    }
    fs::write(&kept, source)?;
    // Static, as only the programs themselves go into the VMs. The linker warns of
    // functions that look for libraries at run time; none is called.
    quietly(tree.command("gcc").args([
        "-Wall",
        "-Wextra",
        "-Werror",
        "-O2",
        "-static",
        "-I/usr/include/libnl3",
        "/work/libnl/muennet_cfg.c",
        "-o",
        "/work/libnl/muennet_cfg_libnl",
        "-lnl-genl-3",
        "-lnl-3",
        "-lpthread",
    ]))?;
    Ok(program)
}
