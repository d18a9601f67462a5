// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C interface: the header in C and C++, a program in C under sanitizers, and the library
//! for bare machines, where no function leads to its panic handler.

use crate::{
    host::Stage,
    lab,
    run::{cargo, quietly, target, workspace},
    rust_src,
};
use anyhow::{ensure, Result};
use std::{collections::BTreeSet, fs, path::Path, process::Command};

/// Frames for the echo in C, if MUENNET_FRAMES does not say.
const FRAMES: &str = "100000";
const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-Werror", "-pedantic"];

/// Builds the library, and runs what is compiled against its header.
pub fn c_interface() -> Result<()> {
    quietly(&mut cargo(&[
        "build",
        "--release",
        "--package",
        "muennet-c",
        "--package",
        "muennet-test-tools",
    ]))?;
    let folder = target("c-interface")?;
    fs::create_dir_all(&folder)?;
    let plus = folder.join("header");
    quietly(
        Command::new("g++")
            .arg("-std=c++11")
            .args(STRICT)
            .args(linked("tests/header.cpp", &plus)?),
    )?;
    quietly(&mut Command::new(&plus))?;
    let ends = folder.join("ends");
    quietly(
        Command::new("gcc")
            .args(["-std=c11", "-g", "-O1", "-fsanitize=address,undefined"])
            .arg("-fno-sanitize-recover=all")
            .args(STRICT)
            .args(linked("tests/ends.c", &ends)?),
    )?;
    let said = quietly(&mut Command::new(&ends))?;
    ensure!(said == "all hold\n", "the two ends in C say: {said}");
    echo(&folder)?;
    for target in ["x86_64-unknown-none", "aarch64-unknown-none"] {
        bare(&folder, target)?;
    }
    no_panic_path(&folder)
}

/// Builds the library without an operating system, overflows checked as in the kernel.
fn bare(folder: &Path, target: &str) -> Result<()> {
    let words = ["build", "--release", "--package", "muennet-c"];
    quietly(
        rust_src::cargo_freestanding(&words, target)?
            .arg("--no-default-features")
            .arg("--target-dir")
            .arg(folder)
            .env("RUSTFLAGS", "-C overflow-checks=on"),
    )
    .map(drop)
}

/// Links every function of the library, and looks for the panic handler in the result.
fn no_panic_path(folder: &Path) -> Result<()> {
    let library = folder.join("x86_64-unknown-none/release/libmuennet.a");
    let symbols = quietly(Command::new("nm").arg(&library))?;
    let exported: BTreeSet<_> = symbols
        .lines()
        .filter_map(|line| line.split_once(" T "))
        .map(|(_, name)| name)
        .filter(|name| name.starts_with("muennet_"))
        .collect();
    ensure!(
        exported.len() > 20,
        "the library exports {exported:?} alone"
    );
    ensure!(
        symbols.contains("rust_begin_unwind"),
        "the library for bare machines has no panic handler"
    );
    let all = folder.join("all");
    quietly(
        Command::new("gcc")
            .args([
                "-nostdlib",
                "-static",
                "-Wl,--gc-sections",
                "-Wl,--entry=muennet_open",
            ])
            .args(
                exported
                    .iter()
                    .map(|name| format!("-Wl,--undefined={name}")),
            )
            .arg(&library)
            .arg("-o")
            .arg(&all),
    )?;
    let linked = quietly(Command::new("nm").arg(&all))?;
    for name in exported {
        ensure!(linked.contains(name), "{name} was not linked");
    }
    let panics: Vec<_> = linked
        .lines()
        .filter(|line| line.contains("panic") || line.contains("rust_begin_unwind"))
        .collect();
    ensure!(panics.is_empty(), "muennet-c has a panic path: {panics:#?}");
    Ok(())
}

/// The example of an echo beside a peer in Rust, over files in memory.
fn echo(folder: &Path) -> Result<()> {
    let program = folder.join("echo");
    quietly(
        Command::new("gcc")
            .args(["-std=c11", "-O2"])
            .args(STRICT)
            .args(linked("examples/echo.c", &program)?),
    )?;
    let stage = Stage::new()?;
    let [there, back] = stage.channels()?;
    let process = stage.start(Command::new(program).args([&there, &back]), "echo")?;
    process.until_said("up")?;
    let frames = std::env::var("MUENNET_FRAMES").unwrap_or_else(|_| FRAMES.to_owned());
    quietly(
        Command::new(lab::program("echoed")?)
            .args(["--count", &frames, "--poll", "50", "--in-file"])
            .arg(back)
            .arg("--out-file")
            .arg(there),
    )?;
    let said = process.end()?;
    ensure!(
        said.contains(&format!("{frames} frames received, {frames} sent, 0 lost")),
        "{frames} frames were sent to the echo in C, which said:\n{said}"
    );
    Ok(())
}

/// The arguments for a program of muennet-c with the library.
fn linked(source: &str, program: &Path) -> Result<Vec<std::ffi::OsString>> {
    let library = workspace().join("muennet-c");
    Ok(vec![
        "-I".into(),
        library.join("include").into(),
        library.join(source).into(),
        target("release/libmuennet.a")?.into(),
        "-o".into(),
        program.into(),
        // Rust's standard library needs these.
        "-lpthread".into(),
        "-ldl".into(),
        "-lm".into(),
    ])
}
