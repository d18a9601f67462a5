// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program in C that speaks to the driver by libnl, as the original's does.

use crate::{
    run::{quietly, workspace},
    stock,
    target::Arch,
    tree::Tree,
};
use anyhow::Result;
use std::{fs, path::PathBuf};

/// Builds it inside of the tree, for the VMs; gives its path.
pub fn build(tree: &Tree) -> Result<PathBuf> {
    let (compiler, library, name) = match tree.arch() {
        Arch::Amd64 => {
            tree.install("libnl", &["libnl-genl-3-dev"])?;
            ("gcc", String::new(), "libnl")
        }
        Arch::Arm64 => {
            tree.install(
                "compiler for arm64",
                &["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"],
            )?;
            (
                "aarch64-linux-gnu-gcc",
                stock::USERLAND.to_owned(),
                "libnl-arm64",
            )
        }
    };
    let folder = tree.folder(&format!("work/{name}"))?;
    let source = fs::read(workspace().join("tests/libnl/muennet_cfg.c"))?;
    let program = folder.join("muennet_cfg_libnl");
    let kept = folder.join("muennet_cfg.c");
    if program.exists() && fs::read(&kept).ok().as_ref() == Some(&source) {
        return Ok(program);
    }
    fs::write(&kept, source)?;
    // Static, as only the programs themselves go into the VMs. The linker warns of
    // functions that look for libraries at run time; none is called.
    quietly(
        tree.command(compiler)
            .args(["-Wall", "-Wextra", "-Werror", "-O2", "-static"])
            .arg(format!("-I{library}/usr/include/libnl3"))
            .arg(format!("/work/{name}/muennet_cfg.c"))
            .args(["-o", &format!("/work/{name}/muennet_cfg_libnl")])
            .arg(format!("-L{library}/usr/lib/{}", tree.arch().triple()))
            .args(["-lnl-genl-3", "-lnl-3", "-lpthread"]),
    )?;
    Ok(program)
}
