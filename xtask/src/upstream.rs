// SPDX-License-Identifier: MIT OR Apache-2.0
//! smoltcp's own example server, as its crate is published, with the one line changed
//! that makes its device.

use crate::run::{cargo, quietly, workspace};
use anyhow::{ensure, Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The line, and what stands there instead.
const THEIRS: &str = "let device = utils::parse_tuntap_options(&mut matches);";
const OURS: &str = "let device = muennet_components::subject::from_environment().unwrap();";

/// A package of its own: the example is not part of this project.
const MANIFEST: &str = r#"[workspace]

[package]
name = "upstream-server"
version = "0.0.0"
edition = "2021"

[features]
default = ["log", "phy-tuntap_interface"]
log = ["dep:log"]
phy-tuntap_interface = []

[dependencies]
env_logger = "0.10"
getopts = "0.2"
log = { version = "0.4", optional = true }
muennet-components = { path = "../../examples/components" }
rand = "0.8"
smoltcp = { version = "0.14", features = ["iface-max-addr-count-3", "phy-tuntap_interface"] }

[profile.release]
debug = "line-tables-only"
"#;

/// Builds the server; gives its program.
pub fn server() -> Result<PathBuf> {
    let examples = examples()?;
    let folder = workspace().join("target/upstream");
    fs::create_dir_all(folder.join("src"))?;
    let read = |name: &str| {
        let path = examples.join(name);
        fs::read_to_string(&path).with_context(|| format!("{}", path.display()))
    };
    let server = read("server.rs")?;
    ensure!(
        server.matches(THEIRS).count() == 1,
        "smoltcp's example server makes its device otherwise than by \"{THEIRS}\""
    );
    fs::write(folder.join("Cargo.toml"), MANIFEST)?;
    // The same versions as everywhere else.
    fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock"))?;
    fs::write(folder.join("src/main.rs"), server.replace(THEIRS, OURS))?;
    fs::write(folder.join("src/utils.rs"), read("utils.rs")?)?;
    quietly(
        cargo(&["build", "--release"])
            .current_dir(&folder)
            // What the workspace has built already fits.
            .arg("--target-dir")
            .arg(workspace().join("target")),
    )?;
    Ok(workspace().join("target/release/upstream-server"))
}

/// The folder with the examples in smoltcp's published crate.
fn examples() -> Result<PathBuf> {
    let said = quietly(&mut cargo(&["metadata", "--format-version", "1"]))?;
    // The manifest's path is the only one that ends so.
    let path = said
        .split('"')
        .find(|word| word.contains("/smoltcp-0.14.") && word.ends_with("/Cargo.toml"))
        .context("cargo does not say where smoltcp 0.14 lies")?;
    let folder = Path::new(path).parent().context("no folder")?;
    Ok(folder.join("examples"))
}
