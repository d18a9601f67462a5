// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers of tests that an environment variable sets.

use anyhow::{Context, Result};

/// The number in the environment `variable`, or else the `usual` one.
pub fn number(variable: &str, usual: u64) -> Result<u64> {
    match std::env::var(variable) {
        Ok(number) => number
            .parse()
            .with_context(|| format!("{variable} is no number")),
        Err(_) => Ok(usual),
    }
}
