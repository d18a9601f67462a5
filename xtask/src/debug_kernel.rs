// SPDX-License-Identifier: MIT OR Apache-2.0
//! The debug kernel: of the same sources as Debian's, small, with KASAN, lockdep and
//! whatever else finds mistakes of a driver. Made when asked for: it takes minutes.

use crate::{
    cache::Cache,
    run,
    tree::{self, Kernel},
};
use anyhow::{ensure, Context, Result};
use std::{fs, path::Path};

/// The options that are not off.
const CONFIG: &str = include_str!("debug-kernel.config");
/// Where it is built, by its path inside of the tree.
const BUILD: &str = "/build/debug";
/// The kernel's Rust takes KASAN only from the compiler family of rustc.
const COMPILER: [&str; 3] = ["clang", "lld", "llvm"];
/// Arguments by which make uses it.
pub const MAKE: &str = "LLVM=1";

/// The debug kernel, built if need be from the sources of the kernel `stock`.
pub fn open(root: &Path, cache: &Cache, stock: &str) -> Result<Kernel> {
    tree::install(root, cache, "clang for the debug kernel", &COMPILER)?;
    let build = root.join(&BUILD[1..]);
    let release = build.join("include/config/kernel.release");
    let proofs = [
        "arch/x86/boot/bzImage",
        "Module.symvers",
        "rust/libkernel.rmeta",
    ]
    .map(|file| build.join(file));
    cache.once(
        "debug kernel",
        &format!("1 {stock} {CONFIG}"),
        &proofs,
        || make(root),
    )?;
    let release = fs::read_to_string(&release)
        .with_context(|| format!("cannot read {}", release.display()))?;
    Ok(Kernel::debug(release.trim(), BUILD))
}

fn make(root: &Path) -> Result<()> {
    let build = root.join(&BUILD[1..]);
    tree::remove(&build)?;
    fs::create_dir_all(&build)?;
    let fragment = build.join("muennet.config");
    fs::write(&fragment, CONFIG)?;
    let make = |arguments: &[&str]| {
        let mut command = tree::inside(root, "make");
        command
            .args(["-C", "/build/source", MAKE])
            .arg(format!("O={BUILD}"))
            .args(arguments);
        run::quietly(&mut command)
    };
    make(&[
        &format!("KCONFIG_ALLCONFIG={BUILD}/muennet.config"),
        "allnoconfig",
    ])?;
    is_complete(&fs::read_to_string(build.join(".config"))?)?;
    make(&[&run::jobs(), "bzImage", "modules"])?;
    make(&["INSTALL_MOD_PATH=/", "modules_install"]).map(drop)
}

/// Every option that is asked for must have come true: Kconfig drops in silence what
/// depends on something else.
fn is_complete(made: &str) -> Result<()> {
    let lost: Vec<_> = CONFIG
        .lines()
        .filter(|line| line.starts_with("CONFIG_"))
        .filter(|wanted| !made.lines().any(|line| line == *wanted))
        .collect();
    ensure!(
        lost.is_empty(),
        "Kconfig did not take these options of debug-kernel.config: {}",
        lost.join(", ")
    );
    Ok(())
}
