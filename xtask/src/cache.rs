// SPDX-License-Identifier: MIT OR Apache-2.0
//! The cache folder: what takes long to make is made once, and checked before
//! it is used again.

use crate::{progress, run};
use anyhow::{Context, Result};
use rustix::fs::{flock, FlockOperation};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

/// The cache folder, ours alone while the value lives.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    _lock: File,
}

impl Cache {
    /// Opens the folder, waiting for another run that uses it.
    pub fn open() -> Result<Self> {
        Self::lock(folder()?)
    }

    /// Opens a part with a lock of its own, so that it can be used beside the rest.
    pub fn part(name: &str) -> Result<Self> {
        Self::lock(folder()?.join(name))
    }

    fn lock(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the cache folder {}", folder.display()))?;
        let lock = File::create(folder.join("lock"))?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            progress::step("another cargo xtask uses the cache", || {
                Ok(flock(&lock, FlockOperation::LockExclusive)?)
            })?;
        }
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes something once. It stands when `recipe`, a text with all it is made
    /// from, and the `proofs`, files it leaves, are as they were.
    pub fn once(
        &self,
        name: &str,
        recipe: &str,
        proofs: &[PathBuf],
        make: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let stamp = self.folder.join(format!("{name}.stamp"));
        if let Ok(old) = fs::read_to_string(&stamp) {
            if fingerprint(recipe, proofs).is_ok_and(|now| now == old) {
                return Ok(());
            }
            eprintln!("  {name}: not as it was left, or made by another recipe; making it anew");
            fs::remove_file(&stamp)?;
        }
        progress::step(name, make)?;
        let made = fingerprint(recipe, proofs)?;
        let partial = stamp.with_extension("partial");
        fs::write(&partial, made)?;
        Ok(fs::rename(partial, stamp)?)
    }
}

fn folder() -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os("MUENNET_CACHE") {
        return Ok(folder.into());
    }
    let base = match std::env::var_os("XDG_CACHE_HOME") {
        Some(base) => PathBuf::from(base),
        None => PathBuf::from(std::env::var_os("HOME").context("set HOME or MUENNET_CACHE")?)
            .join(".cache"),
    };
    Ok(base.join("muennet"))
}

fn fingerprint(recipe: &str, proofs: &[PathBuf]) -> Result<String> {
    let mut text = format!("{:x}\n", Sha256::digest(recipe));
    for proof in proofs {
        text.push_str(&checksum(proof)?);
        text.push('\n');
    }
    Ok(text)
}

/// The checksum of a file, or of the names in a folder.
fn checksum(path: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    let read = || -> std::io::Result<()> {
        if path.is_dir() {
            let mut names: Vec<_> = fs::read_dir(path)?
                .map(|entry| Ok(entry?.file_name()))
                .collect::<std::io::Result<_>>()?;
            names.sort();
            names
                .iter()
                .for_each(|name| hash.update(name.as_encoded_bytes()));
            return Ok(());
        }
        std::io::copy(&mut File::open(path)?, &mut hash).map(drop)
    };
    let mut read = read;
    read().with_context(|| format!("cannot read {}", path.display()))?;
    Ok(format!("{:x}", hash.finalize()))
}

/// Says so if this is not root, who alone may make the tree and enter it.
pub fn need_root() -> Result<()> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    anyhow::bail!(
        "this makes a Debian root tree and starts QEMU inside of it, for which it must be root; \
         run it with sudo -E"
    )
}

/// Sees to it that the host has `program`, from the Debian package `package`.
pub fn need_program(program: &str, package: &str) -> Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")])
        .any(|folder| folder.join(program).is_file());
    install_unless(found, program, package)
}

/// Sees to it that the host has the file `path`, from the Debian package `package`.
pub fn need_file(path: &str, package: &str) -> Result<()> {
    install_unless(Path::new(path).is_file(), path, package)
}

fn install_unless(found: bool, program: &str, package: &str) -> Result<()> {
    if found {
        return Ok(());
    }
    progress::step(
        &format!("{program} is missing, installing {package}"),
        || {
            let mut update = std::process::Command::new("apt-get");
            run::quietly(update.args(["update", "-q"]))
                .with_context(|| format!("{program} is missing; install the package {package}"))?;
            let mut install = std::process::Command::new("apt-get");
            install.env("DEBIAN_FRONTEND", "noninteractive").args([
                "install",
                "-y",
                "-q",
                "--no-install-recommends",
                package,
            ]);
            run::quietly(&mut install)
                .with_context(|| format!("{program} is missing; install the package {package}"))?;
            Ok(())
        },
    )
}
