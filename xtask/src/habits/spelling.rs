// SPDX-License-Identifier: MIT OR Apache-2.0
//! Misspelt words in sources, documents and messages, as typos.toml says.

use crate::{
    run::{quietly, workspace},
    tools,
};
use anyhow::Result;
use std::process::Command;

/// Fails when a word is misspelt, and names it.
pub fn spelling() -> Result<()> {
    let program = tools::TYPOS.provide()?;
    quietly(
        Command::new(program)
            .current_dir(workspace())
            .args(["--format", "brief"]),
    )
    .map(drop)
}
