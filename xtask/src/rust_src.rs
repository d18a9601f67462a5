// SPDX-License-Identifier: MIT OR Apache-2.0
//! The sources of Rust's `core`, from which it is built for machines that no
//! toolchain component is at hand for. Debian's package `rust-src` has them; of
//! exactly the compiler's version, or what is built of them would not fit.

use crate::{
    cache::{need_program, Cache},
    mirror,
    run::{self, cargo},
};
use anyhow::{ensure, Context, Result};
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

/// Where Debian has the newest compilers, for its stable release.
const SUITE: &str = "trixie-backports";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A cargo command that builds `core` along with the crate, for `target`.
pub fn cargo_freestanding(arguments: &[&str], target: &str) -> Result<Command> {
    provide()?;
    let mut command = cargo(arguments);
    command
        .args(["-Zbuild-std=core", "--target", target])
        // Building `core` is not a stable feature yet, though its sources are a release's.
        .env("RUSTC_BOOTSTRAP", "1");
    Ok(command)
}

/// Sees to it that the compiler finds the sources of `core`.
pub fn provide() -> Result<()> {
    let link = sysroot()?.join("lib/rustlib/src/rust");
    if link.join("library/core/Cargo.toml").exists() {
        return Ok(());
    }
    let cache = Cache::part("rust-src")?;
    let version = version()?;
    let sources = cache.path(&format!("usr/src/rustc-{version}"));
    cache.once(
        "sources of Rust's core",
        &format!("1 {version}"),
        &[sources.join("library/core/Cargo.toml")],
        || fetch(&cache, &version),
    )?;
    let parent = link.parent().context("the link lies in a folder")?;
    fs::create_dir_all(parent)
        .with_context(|| format!("cannot make the folder {}", parent.display()))?;
    // What lies there leads to no sources.
    match fs::remove_file(&link) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot replace {}", link.display()));
        }
        _ => {}
    }
    symlink(&sources, &link).with_context(|| format!("cannot make the link {}", link.display()))
}

fn rustc(argument: &[&str]) -> Result<String> {
    let program = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    run::quietly(Command::new(program).args(argument))
}

fn sysroot() -> Result<PathBuf> {
    Ok(rustc(&["--print", "sysroot"])?.trim().into())
}

/// The compiler's version, as in "1.95.0".
fn version() -> Result<String> {
    let said = rustc(&["--version"])?;
    let version = said.split_whitespace().nth(1);
    Ok(version.context("rustc tells no version")?.to_owned())
}

/// Fetches and unpacks the package, with lists of apt's apart from the machine's.
fn fetch(cache: &Cache, version: &str) -> Result<()> {
    need_program("dpkg-deb", "dpkg")?;
    let apt = cache.path("apt");
    fs::create_dir_all(apt.join("state/lists/partial"))?;
    fs::create_dir_all(apt.join("cache/archives/partial"))?;
    let list = apt.join("sources.list");
    let mirror = mirror::find()?;
    fs::write(
        &list,
        format!("deb [signed-by={KEYRING}] {mirror} {SUITE} main\n"),
    )?;
    let apt_get = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        let option = |name: &str, value: &Path| format!("-o{name}={}", value.display());
        command
            .current_dir(&apt)
            .arg(option("Dir::Etc::sourcelist", &list))
            .arg("-oDir::Etc::sourceparts=-")
            .arg(option("Dir::State", &apt.join("state")))
            .arg(option("Dir::Cache", &apt.join("cache")))
            .args([
                "-oAPT::Sandbox::User=root",
                "-oAcquire::Languages=none",
                "-q",
            ])
            .args(arguments);
        run::quietly(&mut command)
    };
    apt_get(&["update"])?;
    apt_get(&["download", &format!("rust-src={version}*")]).with_context(|| {
        format!(
            "Debian's {SUITE} has no rust-src {version}; put the library folder of these \
             sources at <sysroot>/lib/rustlib/src/rust/library, or use the compiler that it has"
        )
    })?;
    let packages = fs::read_dir(&apt)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "deb"));
    let packages: Vec<_> = packages.collect();
    ensure!(packages.len() == 1, "more than one package: {packages:?}");
    run::quietly(
        Command::new("dpkg-deb")
            .arg("-x")
            .arg(&packages[0])
            .arg(cache.path("")),
    )?;
    Ok(fs::remove_dir_all(&apt)?)
}
