// SPDX-License-Identifier: MIT OR Apache-2.0
//! The race of tests/race, under AddressSanitizer.

use crate::{
    progress,
    run::{cargo, quietly, target, workspace},
};
use anyhow::{Context, Result};
use std::process::Command;

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Ten seconds in each framing.
pub fn race_briefly() -> Result<()> {
    race(10)
}

/// Races for `seconds` in each framing.
pub fn race(seconds: u32) -> Result<()> {
    let target = target("race")?;
    progress::step("race", || {
        quietly(
            cargo(&["build", "--release", "--target", TARGET])
                .arg("--manifest-path")
                .arg(workspace().join("tests/race/Cargo.toml"))
                .arg("--target-dir")
                .arg(&target)
                // Sanitizers are no stable feature, though every release has them.
                .env("RUSTC_BOOTSTRAP", "1")
                .env("RUSTFLAGS", "-Zsanitizer=address"),
        )
        .map(drop)
    })?;
    let program = target.join(TARGET).join("release/muennet-race");
    let said = quietly(Command::new(program).arg(seconds.to_string()))
        .context("an end of the race does not hold")?;
    said.lines().for_each(|line| eprintln!("  {line}"));
    Ok(())
}
