// SPDX-License-Identifier: MIT OR Apache-2.0
//! The crates with none of their features, each alone, and all.

use crate::run::{cargo, packages, quietly};
use anyhow::{ensure, Result};

/// Lints each library of the workspace that has features.
pub fn features() -> Result<()> {
    let mut checked = 0;
    for package in packages()?.workspace_packages() {
        if package.features.is_empty() {
            continue;
        }
        let mut check = |features: &[&str]| {
            checked += 1;
            quietly(
                cargo(&["clippy", "--lib", "--package", &package.name])
                    .args(features)
                    // A library for bare machines has a panic handler, and no unwinding.
                    .args(["--", "-D", "warnings", "-C", "panic=abort"]),
            )
        };
        check(&["--no-default-features"])?;
        check(&["--all-features"])?;
        for feature in package.features.keys().filter(|name| *name != "default") {
            check(&["--no-default-features", "--features", feature])?;
        }
    }
    ensure!(checked > 0, "no package has features");
    Ok(())
}
