// SPDX-License-Identifier: MIT OR Apache-2.0
//! Builds the kernel modules inside of the tree.

use crate::{
    debug_kernel, progress,
    run::{self, target, workspace},
    target::{Arch, Flavour},
    tree::Tree,
};
use anyhow::{ensure, Result};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The modules, by their places in linux-kmod.
pub const MODULES: [&str; 2] = ["platform/muen_ivshmem.ko", "muennet/muennet.ko"];

/// Builds both modules and gives their paths.
pub fn build(tree: &Tree) -> Result<Vec<PathBuf>> {
    let made = target(format!("kmod{}", tree.target().suffix()))?;
    build_from(&workspace(), tree, &made)
}

/// The same of the sources in `sources`; the modules go to the folder `made`.
pub fn build_from(sources: &Path, tree: &Tree, made: &Path) -> Result<Vec<PathBuf>> {
    let work = tree.folder(&tree.work()[1..])?;
    for part in ["linux-kmod", "muennet-core"] {
        sync(&sources.join(part), &work.join(part))?;
    }
    let said = progress::step("kernel modules", || {
        run::quietly(
            tree.command("sh")
                .args(["-c", &format!("{} 2>&1", make_line(tree))]),
        )
    })?;
    ensure!(
        said.contains(tree.crates()),
        "the modules are to be built on {}:\n{said}",
        tree.crates()
    );
    let warnings = said
        .lines()
        .filter(|line| line.contains("warning:") || line.contains("WARNING"));
    let warnings: Vec<_> = warnings.collect();
    ensure!(
        warnings.is_empty(),
        "the modules were built with warnings:\n{said}"
    );
    fs::create_dir_all(made)?;
    MODULES
        .iter()
        .map(|module| {
            let from = work.join("linux-kmod").join(module);
            let to = made.join(Path::new(module).file_name().unwrap_or_default());
            fs::copy(&from, &to)?;
            Ok(to)
        })
        .collect()
}

/// Builds the driver's own object with headers of Muen Linux, which this kernel lacks: the
/// layout of `struct muen_cpu_affinity` comes from them, and the prototypes fit.
pub fn with_muen_headers(tree: &Tree) -> Result<()> {
    build(tree)?;
    let work = tree.folder(&tree.work()[1..])?;
    let copy = work.join("with-muen-headers");
    sync(&workspace().join("linux-kmod"), &copy.join("linux-kmod"))?;
    sync(
        &workspace().join("tests/muen-headers"),
        &copy.join("headers"),
    )?;
    let (build, inside) = (tree.build(), tree.work());
    let line = format!(
        "make -C {build} M={inside}/with-muen-headers/linux-kmod \
         MUENNET_CORE={inside}/muennet-core/src \
         KCFLAGS=-I{inside}/with-muen-headers/headers muennet/main.o 2>&1"
    );
    run::quietly(tree.command("sh").args(["-c", &line]))?;
    for (folder, offset) in [(work.clone(), 0), (copy, 8)] {
        let bindings = folder.join("linux-kmod/muennet/bindings_generated.rs");
        let text = fs::read_to_string(&bindings)?;
        let found = text
            .split_once("const MUENNET_AFFINITY_RESOURCE :")
            .and_then(|(_, rest)| rest.split_once(" = ")?.1.split(' ').next()?.parse().ok());
        ensure!(
            found == Some(offset),
            "{} has the resource at {found:?}, not at {offset}",
            bindings.display()
        );
    }
    Ok(())
}

/// The line that builds the modules inside of the tree.
fn make_line(tree: &Tree) -> String {
    let (build, work) = (tree.build(), tree.work());
    let compiler = match (tree.flavour(), tree.arch()) {
        (Flavour::Debug, _) => debug_kernel::MAKE,
        (_, Arch::Arm64) => "ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-",
        (_, Arch::Amd64) => "",
    };
    format!(
        "make -C {work}/linux-kmod KDIR={build} MUENNET_CORE={work}/muennet-core/src {compiler}"
    )
}

/// Makes `to` hold the files of `from`; touches only those that differ, so that
/// make builds no more than it must. Files that are gone are removed, unless they
/// are what make made.
pub fn sync(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            sync(&entry.path(), &target)?;
            continue;
        }
        let text = fs::read(entry.path())?;
        if fs::read(&target).ok().as_ref() != Some(&text) {
            fs::write(&target, text)?;
        }
    }
    for entry in fs::read_dir(to)? {
        let path = entry?.path();
        let source = path
            .extension()
            .is_some_and(|end| end == "rs" || end == "c" || end == "h");
        let generated = path.to_string_lossy().contains("_generated.")
            || path.to_string_lossy().ends_with(".mod.c");
        if source && !generated && !from.join(path.file_name().unwrap_or_default()).exists() {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
