// SPDX-License-Identifier: MIT OR Apache-2.0
//! smoltcp's own example server, as its crate is published, with the one line changed
//! that makes its device.

use crate::run::{cargo, quietly, target, workspace};
use anyhow::{ensure, Context, Result};
use cargo_metadata::MetadataCommand;
use std::{fs, path::PathBuf};

/// The line, and what stands there instead.
const THEIRS: &str = "let device = utils::parse_tuntap_options(&mut matches);";
const OURS: &str = "let device = muennet_components::subject::from_environment().unwrap();";

/// A package of its own: the example is not part of this project. `COMPONENTS` stands for the
/// folder of muennet-components.
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
muennet-components = { path = "COMPONENTS" }
rand = "0.8"
smoltcp = { version = "0.14", features = ["iface-max-addr-count-3", "phy-tuntap_interface"] }

[profile.release]
debug = "line-tables-only"
"#;

/// Builds the server; gives its program.
pub fn server() -> Result<PathBuf> {
    let examples = examples()?;
    let folder = target("upstream")?;
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
    let components = workspace().join("examples/components");
    let manifest = MANIFEST.replace("COMPONENTS", &components.to_string_lossy());
    fs::write(folder.join("Cargo.toml"), manifest)?;
    // The same versions as everywhere else.
    fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock"))?;
    fs::write(folder.join("src/main.rs"), server.replace(THEIRS, OURS))?;
    fs::write(folder.join("src/utils.rs"), read("utils.rs")?)?;
    quietly(
        cargo(&["build", "--release"])
            .current_dir(&folder)
            // What the workspace has built already fits.
            .arg("--target-dir")
            .arg(target("")?),
    )?;
    target("release/upstream-server")
}

/// The folder with the examples in smoltcp's published crate.
fn examples() -> Result<PathBuf> {
    let metadata = MetadataCommand::new().current_dir(workspace()).exec()?;
    let smoltcp = metadata
        .packages
        .iter()
        .find(|package| package.name == "smoltcp" && package.version.minor == 14)
        .context("cargo does not say where smoltcp 0.14 lies")?;
    let folder = smoltcp.manifest_path.parent().context("no folder")?;
    Ok(folder.join("examples").into())
}
