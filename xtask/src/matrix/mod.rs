// SPDX-License-Identifier: MIT OR Apache-2.0
//! The matrix of stock kernels: which layers are run on each, and the table of
//! docs/kernels.md that says what passed.

mod record;
mod table;

pub use record::Record;
pub use table::check;

use crate::{
    lab::Lab,
    layers, scenarios,
    target::{Arch, Flavour, Target},
};
use anyhow::Result;

/// Layers with a column in the table, in its order.
pub const COLUMNS: [&str; 14] = [
    "builds",
    "demo",
    "interrupt",
    "poll",
    "module",
    "modes",
    "children",
    "path-mtu",
    "ethtool",
    "hostile",
    "parameters",
    "reload",
    "churn",
    "streams",
];

/// Seconds that streams between two architectures run, if MUENNET_SECONDS does not say.
const SECONDS: u64 = 120;

/// Every kernel beside the newest on its own crates, which all layers are run on anyway.
const REST: [(Flavour, Arch); 8] = [
    (Flavour::Linux61, Arch::Amd64),
    (Flavour::Linux61, Arch::Arm64),
    (Flavour::Linux612, Arch::Amd64),
    (Flavour::Linux612, Arch::Arm64),
    (Flavour::Linux72, Arch::Amd64),
    (Flavour::Linux72, Arch::Arm64),
    (Flavour::Compat, Arch::Amd64),
    (Flavour::Compat, Arch::Arm64),
];

/// The kernels of [`REST`].
pub fn rest() -> impl Iterator<Item = Target> {
    REST.into_iter()
        .map(|(flavour, arch)| Target { flavour, arch })
}

/// Runs the layers of the table on every kernel of [`REST`], and streams between amd64 and
/// arm64; true if all passed.
pub fn run_rest(record: bool) -> Result<bool> {
    let chosen: Vec<_> = COLUMNS[1..].iter().map(ToString::to_string).collect();
    let mut passed = true;
    for target in rest() {
        println!("\n{target}");
        passed &= layers::run(&chosen, target, record)?;
    }
    let amd64 = Lab::with(Flavour::Linux61)?;
    let arm64 = amd64.beside(Flavour::Linux61.on(Arch::Arm64)?)?;
    scenarios::mixed(&arm64, &amd64, SECONDS)?;
    Ok(passed)
}
