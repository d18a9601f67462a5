// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs from crates.io that the checks use, built once into the cache, each in one version.

use crate::{
    cache::Cache,
    run::{cargo, quietly},
};
use anyhow::Result;
use std::path::PathBuf;

/// A program that a crate has.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    package: &'static str,
    version: &'static str,
    program: &'static str,
    /// Arguments of cargo beside package and version.
    more: &'static [&'static str],
}

/// Checks the licences and sources of packages.
pub const DENY: Tool = Tool {
    package: "cargo-deny",
    version: "0.20.2",
    program: "cargo-deny",
    more: &["--no-default-features"],
};

/// Finds misspelt words.
pub const TYPOS: Tool = Tool {
    package: "typos-cli",
    version: "1.52.0",
    program: "typos",
    more: &[],
};

impl Tool {
    /// Builds the program, unless it is there; gives its path.
    pub fn provide(self) -> Result<PathBuf> {
        let cache = Cache::part("tools")?;
        let program = cache.path("bin").join(self.program);
        cache.once(
            self.package,
            &format!("1 {} {:?}", self.version, self.more),
            std::slice::from_ref(&program),
            || {
                let build = cache.path("build");
                // Without optimization it is built in a third of the time, and fast enough.
                quietly(
                    cargo(&["install", "--quiet", "--locked", "--debug", "--force"])
                        .args([self.package, "--version", self.version])
                        .args(self.more)
                        .arg("--root")
                        .arg(cache.path(""))
                        .arg("--target-dir")
                        .arg(&build),
                )?;
                Ok(std::fs::remove_dir_all(build)?)
            },
        )?;
        Ok(program)
    }
}
