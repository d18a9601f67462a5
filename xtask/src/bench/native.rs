// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two processes of this host, by the program of `benches`.

use crate::{
    cache::{need_program, need_root},
    lab::program,
    progress,
    run::{cargo, quietly, target},
};
use anyhow::Result;
use std::process::Command;

/// Limits of the layer: far from the usual values, since others use the machine too.
/// A frame that takes the way of a packet through the kernel would be much slower.
const SURE: &str = "0.3,1.2,8";

fn bench() -> Result<Command> {
    need_root()?;
    need_program("ip", "iproute2")?;
    progress::step("benchmark", || {
        quietly(&mut cargo(&[
            "build",
            "--release",
            "--package",
            "muennet-benches",
        ]))
    })?;
    Ok(Command::new(program("muennet-benches")?))
}

/// Measures, and leaves the plot in `target/`.
pub fn run() -> Result<()> {
    let plot = target("native.svg")?;
    print!("{}", quietly(bench()?.arg("--svg").arg(plot))?);
    Ok(())
}

/// Measures little, for the ratios to be sane.
pub fn check() -> Result<()> {
    let said = quietly(
        bench()?
            .args(["--rounds", "4", "--megabytes", "20", "--trips", "20000"])
            .args(["--goals", SURE]),
    )?;
    print!("{said}");
    Ok(())
}
