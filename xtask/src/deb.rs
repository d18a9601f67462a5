// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Debian package of the tools, made with dpkg inside of the tree.

use crate::{
    lab,
    run::{quietly, target, workspace},
    tree::{self, Tree},
};
use anyhow::{Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Files of the package beside the program, by their place in the workspace.
const FILES: [(&str, &str); 4] = [
    (
        "muennet-cfg/debian/copyright",
        "usr/share/doc/muennet-tools/copyright",
    ),
    (
        "muennet-cfg/README.md",
        "usr/share/doc/muennet-tools/README.md",
    ),
    (
        "linux-kmod/modprobe.d/muennet.conf",
        "usr/share/doc/muennet-tools/examples/modprobe.d/muennet.conf",
    ),
    (
        "linux-kmod/netlink/muennet.yaml",
        "usr/share/doc/muennet-tools/examples/netlink/muennet.yaml",
    ),
];

/// Files that the program prints itself.
const SAID: [(&[&str], &str); 4] = [
    (&["man"], "usr/share/man/man8/muennet_cfg.8"),
    (
        &["completions", "bash"],
        "usr/share/bash-completion/completions/muennet_cfg",
    ),
    (
        &["completions", "zsh"],
        "usr/share/zsh/vendor-completions/_muennet_cfg",
    ),
    (
        &["completions", "fish"],
        "usr/share/fish/vendor_completions.d/muennet_cfg.fish",
    ),
];

/// Makes the package; gives its path inside of the tree.
const SCRIPT: &str = "
set -e
cd /work/deb
strip --strip-unneeded staged/usr/bin/muennet_cfg
gzip -9n staged/usr/share/man/man8/muennet_cfg.8
gzip -9nc debian/changelog >staged/usr/share/doc/muennet-tools/changelog.gz
dpkg-shlibdeps -edebian/muennet-tools/usr/bin/muennet_cfg
dpkg-gencontrol -pmuennet-tools -Pstaged
dpkg-deb --root-owner-group --build staged . >&2
ls \"$PWD\"/*.deb
";

/// Builds the program and packs it; gives the package's path inside of the tree.
pub fn pack(tree: &Tree) -> Result<String> {
    tree.install("dpkg for packages", &["dpkg-dev"])?;
    lab::build_programs()?;
    let program = lab::program("muennet_cfg")?;
    let folder = tree.folder("work/deb")?;
    tree::remove(&folder)?;
    let staged = folder.join("staged");
    put(&staged, "usr/bin/muennet_cfg", &fs::read(&program)?)?;
    for (from, to) in FILES {
        put(&staged, to, &fs::read(workspace().join(from))?)?;
    }
    for (arguments, to) in SAID {
        let said = quietly(std::process::Command::new(&program).args(arguments))?;
        put(&staged, to, said.as_bytes())?;
    }
    for name in ["control", "changelog"] {
        let text = fs::read(workspace().join("muennet-cfg/debian").join(name))?;
        put(&folder, &format!("debian/{name}"), &text)?;
    }
    let program = staged.join("usr/bin/muennet_cfg");
    fs::set_permissions(program, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    fs::create_dir_all(staged.join("DEBIAN"))?;
    // dpkg-shlibdeps looks for the package's files there.
    std::os::unix::fs::symlink("../staged", folder.join("debian/muennet-tools"))?;
    let made = quietly(tree.command("sh").args(["-c", SCRIPT]))?;
    let made = made.lines().last().context("dpkg-deb made nothing")?;
    Ok(made.to_owned())
}

/// Makes the package and gives its path outside of the tree.
pub fn make(tree: &Tree) -> Result<PathBuf> {
    let made = tree.root().join(&pack(tree)?[1..]);
    let target = target("deb")?;
    fs::create_dir_all(&target)?;
    let to = target.join(made.file_name().context("no name")?);
    fs::copy(made, &to)?;
    Ok(to)
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = folder.join(name);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
