// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs of the workspace for Linux on AArch64, cross-built with a standard library
//! built along.

use crate::{
    cache::{need_file, need_program},
    lab::GUEST_PACKAGES,
    run::{cargo, quietly, target},
    rust_src,
};
use anyhow::Result;
use std::{path::PathBuf, process::Command};

const TARGET: &str = "aarch64-unknown-linux-gnu";

/// A cargo command that builds for it; results are in the folder `aarch64` of the target folder.
pub fn cargo_linux(arguments: &[&str], std: &str) -> Result<Command> {
    rust_src::provide()?;
    need_program("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu")?;
    // The compiler's package only recommends its C library.
    need_file(
        "/usr/aarch64-linux-gnu/lib/libc.so",
        "libc6-dev-arm64-cross",
    )?;
    let mut command = cargo(arguments);
    command
        .arg(format!("-Zbuild-std={std}"))
        .args(["--target", TARGET, "--target-dir"])
        .arg(folder()?)
        .env("RUSTC_BOOTSTRAP", "1")
        .env(
            "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER",
            "aarch64-linux-gnu-gcc",
        );
    Ok(command)
}

fn folder() -> Result<PathBuf> {
    target("aarch64")
}

/// A program, or a library, that [`build_programs`] made.
pub fn program(name: &str) -> Result<PathBuf> {
    Ok(folder()?.join(TARGET).join("release").join(name))
}

/// Builds what runs in VMs.
pub fn build_programs() -> Result<()> {
    quietly(&mut cargo_linux(
        &[&["build", "--release"], GUEST_PACKAGES].concat(),
        "std,panic_unwind",
    )?)
    .map(drop)
}
