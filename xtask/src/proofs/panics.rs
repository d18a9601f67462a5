// SPDX-License-Identifier: MIT OR Apache-2.0
//! No panic path: the program in tests/no-panic links, though its panic handler
//! calls a function that does not exist.

use crate::{
    run::{quietly, target, workspace},
    rust_src,
};
use anyhow::{ensure, Result};

const TARGET: &str = "x86_64-unknown-none";
/// The function that does not exist.
const MISSING: &str = "muennet_core_has_a_panic_path";

/// Links the program, and sees to it that one with a panic path does not link.
pub fn no_panic_path() -> Result<()> {
    link(&[])?;
    match link(&["--features", "control"]) {
        Ok(()) => anyhow::bail!("a panic path that is there on purpose was not noticed"),
        Err(error) => ensure!(
            format!("{error:#}").contains(MISSING),
            "the control failed for another reason: {error:#}"
        ),
    }
    Ok(())
}

fn link(features: &[&str]) -> Result<()> {
    let manifest = workspace().join("tests/no-panic/Cargo.toml");
    let mut command = rust_src::cargo_freestanding(&["build", "--release"], TARGET)?;
    command
        .args(features)
        .arg("--manifest-path")
        .arg(manifest)
        .arg("--target-dir")
        .arg(target("no-panic")?)
        // As in the kernel, whose Rust checks for overflows.
        .env("RUSTFLAGS", "-C overflow-checks=on");
    quietly(&mut command).map(drop)
}
