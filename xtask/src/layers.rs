// SPDX-License-Identifier: MIT OR Apache-2.0
//! The layers of `cargo xtask test`, from the cheapest to the virtual machines.

use crate::progress::Seconds;
use crate::run::{cargo, quietly, workspace};
use anyhow::{bail, Result};
use std::time::Instant;

/// One check with a name.
struct Layer {
    name: &'static str,
    about: &'static str,
    check: fn() -> Result<()>,
}

const LAYERS: &[Layer] = &[
    Layer {
        name: "format",
        about: "rustfmt finds nothing to change",
        check: || cargo_ok(&["fmt", "--all", "--check"]),
    },
    Layer {
        name: "clippy",
        about: "clippy finds nothing, warnings denied",
        check: || {
            cargo_ok(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--all-features",
                "--",
                "-D",
                "warnings",
            ])
        },
    },
    Layer {
        name: "unit",
        about: "unit and integration tests",
        check: || cargo_ok(&["test", "--workspace", "--all-features"]),
    },
    Layer {
        name: "models",
        about: "memory ordering, as loom models it",
        check: models,
    },
    Layer {
        name: "docs",
        about: "rustdoc without warnings",
        check: docs,
    },
];

/// Prints the layers.
pub fn list() {
    for layer in LAYERS {
        println!("{:<12} {}", layer.name, layer.about);
    }
}

/// Runs the layers in `chosen`, or all; true if all passed.
pub fn run(chosen: &[String]) -> Result<bool> {
    if let Some(unknown) = chosen
        .iter()
        .find(|name| !LAYERS.iter().any(|layer| layer.name == **name))
    {
        bail!("there is no layer \"{unknown}\"; see cargo xtask test --list");
    }
    let (mut passed, mut failed) = (0, 0);
    for layer in LAYERS {
        if !chosen.is_empty() && !chosen.iter().any(|name| name == layer.name) {
            continue;
        }
        let start = Instant::now();
        let result = (layer.check)();
        let took = Seconds(start.elapsed());
        match result {
            Ok(()) => {
                passed += 1;
                println!("ok    {:<12} {} ({took})", layer.name, layer.about);
            }
            Err(error) => {
                failed += 1;
                println!(
                    "FAIL  {:<12} {} ({took})\n{error:#}",
                    layer.name, layer.about
                );
            }
        }
    }
    println!("\n{passed} passed, {failed} failed");
    Ok(failed == 0)
}

fn cargo_ok(arguments: &[&str]) -> Result<()> {
    quietly(&mut cargo(arguments)).map(drop)
}

fn models() -> Result<()> {
    let folder = workspace().join("target/loom");
    quietly(
        cargo(&[
            "test",
            "--package",
            "muennet-core",
            "--release",
            "--lib",
            "models",
        ])
        .arg("--target-dir")
        .arg(folder)
        .env("RUSTFLAGS", "--cfg loom"),
    )
    .map(drop)
}

fn docs() -> Result<()> {
    quietly(
        cargo(&["doc", "--workspace", "--all-features", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )
    .map(drop)
}
