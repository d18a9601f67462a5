// SPDX-License-Identifier: MIT OR Apache-2.0
//! The oldest compiler: Debian's, in the root tree, which builds the modules too.

use crate::{
    lab::Lab,
    run::{quietly, workspace},
    tree::remove,
};
use anyhow::{ensure, Result};
use std::{fs, path::Path};

/// The release that muennet-core promises to compile with, as its manifest says.
const RELEASE: &str = "rustc 1.85.";
/// The two builds: as a dependency without features, and as the kernel does it.
const WAYS: [&[&str]; 2] = [
    &[],
    &["--cfg", "muennet_kernel", "--cfg", "feature=\"builder\""],
];

/// Compiles muennet-core in the root tree, without cargo.
pub fn oldest_compiler(lab: &Lab) -> Result<()> {
    let version = quietly(lab.tree.command("rustc").arg("--version"))?;
    ensure!(
        version.starts_with(RELEASE),
        "the root tree has {version}, not {RELEASE}x"
    );
    let folder = lab.tree.folder("run/muennet-core")?;
    remove(&folder)?;
    fs::create_dir_all(&folder)?;
    let crate_folder = workspace().join("muennet-core");
    copy(&crate_folder.join("src"), &folder.join("src"))?;
    fs::copy(crate_folder.join("README.md"), folder.join("README.md"))?;
    for way in WAYS {
        quietly(
            lab.tree
                .command("rustc")
                .args(["--edition", "2021", "--crate-type", "lib", "-O"])
                .args(["--crate-name", "muennet_core", "--emit", "obj"])
                .args(way)
                .args(["-o", "/run/muennet-core/core.o"])
                .arg("/run/muennet-core/src/lib.rs"),
        )?;
    }
    remove(&folder)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
