// SPDX-License-Identifier: MIT OR Apache-2.0
//! Licences, sources and advisories of the packages, as deny.toml demands.

use crate::{
    run::{quietly, workspace},
    tools,
};
use anyhow::Result;
use std::process::Command;

/// The workspace, and the packages that are workspaces of their own.
const MANIFESTS: [&str; 7] = [
    "Cargo.toml",
    "examples/unikernel/Cargo.toml",
    "tests/barriers/Cargo.toml",
    "tests/fuzz/Cargo.toml",
    "tests/no-panic/Cargo.toml",
    "tests/race/Cargo.toml",
    "tests/rehearsal/Cargo.toml",
];

/// Checks every package that cargo builds. Advisories are checked where their database, a
/// repository of git, can be fetched.
pub fn packages() -> Result<()> {
    let program = tools::DENY.provide()?;
    let deny = |manifest: &str, arguments: &[&str]| {
        let mut command = Command::new(&program);
        command
            .current_dir(workspace())
            .args(["--manifest-path", manifest, "--config", "deny.toml"])
            .args(arguments);
        command
    };
    for manifest in MANIFESTS {
        let checks = ["check", "licenses", "bans", "sources"];
        quietly(&mut deny(manifest, &checks))?;
    }
    if let Err(error) = quietly(&mut deny(MANIFESTS[0], &["fetch", "db"])) {
        eprintln!("  advisories are not checked, their database cannot be fetched:\n{error:#}");
        return Ok(());
    }
    for manifest in MANIFESTS {
        let checks = ["check", "--disable-fetch", "advisories"];
        quietly(&mut deny(manifest, &checks))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// The lock files below `folder`, but for what was built.
    fn locks(folder: &str, found: &mut Vec<String>) {
        for entry in fs::read_dir(workspace().join(folder)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let path = format!("{folder}{name}");
            if entry.file_type().unwrap().is_dir() && name != "target" && name != ".git" {
                locks(&format!("{path}/"), found);
            } else if name == "Cargo.lock" {
                found.push(path.replace(".lock", ".toml"));
            }
        }
    }

    #[test]
    fn every_workspace_is_listed() {
        let mut found = Vec::new();
        locks("", &mut found);
        found.sort();
        assert_eq!(found, MANIFESTS);
    }
}
