// SPDX-License-Identifier: MIT OR Apache-2.0
//! The cost of a frame beside that of two memcpys, in the same run.

use crate::run::{cargo, quietly};
use anyhow::Result;

/// Fails where a limit is missed; shows the table.
pub fn speed() -> Result<()> {
    let table = quietly(&mut cargo(&[
        "bench",
        "--package",
        "muennet-core",
        "--bench",
        "ratio",
        "--",
        "--check",
    ]))?;
    eprint!("{table}");
    Ok(())
}
