// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a VM boots: busybox, the network tools, the modules, and an init that
//! runs commands for the host.

use crate::{run, tree::Tree};
use anyhow::{Context, Result};
use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::{symlink, PermissionsExt},
    path::{Path, PathBuf},
};

const TOOLS: &[&str] = &[
    "/usr/bin/busybox",
    // The shell of busybox prefers its own applets to the programs beside it.
    "/usr/bin/dash",
    // Edits lines, for those who type.
    "/usr/bin/bash",
    // Loaded when a thread ends, so that ldd does not tell of it.
    "/usr/lib/x86_64-linux-gnu/libgcc_s.so.1",
    "/usr/bin/iperf3",
    "/usr/bin/ping",
    "/usr/bin/tcpdump",
    "/usr/bin/curl",
    "/usr/bin/kmod",
    "/usr/bin/tracepath",
    "/usr/bin/setpriv",
    "/usr/bin/unshare",
    "/usr/bin/nsenter",
    "/usr/sbin/ethtool",
    "/usr/sbin/nft",
    "/usr/sbin/xtables-nft-multi",
    "/usr/lib/x86_64-linux-gnu/xtables/libxt_MARK.so",
    "/usr/lib/x86_64-linux-gnu/xtables/libxt_standard.so",
];

/// Modules of the stock kernel that scenarios need.
const STOCK: &[&str] = &[
    "bridge",
    "af_packet",
    "pktgen",
    "virtio_net",
    "nft_compat",
    "nft_numgen",
    "xt_mark",
    "8021q",
    "bonding",
    "veth",
    "ipip",
    "sch_ingress",
    "cls_bpf",
    "cls_matchall",
    "act_gact",
    "act_mirred",
    "act_vlan",
];

/// Modules of older kernels, part of another one in newer ones.
const OLDER: &[&str] = &["nft_objref"];

/// tcpdump gives up its rights, for which it looks for a user.
const PASSWD: &str = "root:x:0:0:root:/:/bin/sh\ntcpdump:x:100:100::/tmp:/bin/false\n";

const INIT: &str = include_str!("init.sh");

/// Packs an initramfs with the `modules`, the host's `programs`, and what teaches
/// `ip` the link kind; gives its path inside of the tree.
pub fn pack(
    tree: &Tree,
    modules: &[PathBuf],
    programs: &[PathBuf],
    ip_link: &Path,
) -> Result<String> {
    let inside = format!("{}/initramfs", tree.work());
    let folder = tree.root().join(&inside[1..]);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    for name in ["bin", "dev", "proc", "sys", "tmp", "run", "etc", "var"] {
        fs::create_dir_all(folder.join(name))?;
    }
    // The same names lead to the same files as in the tree.
    for (link, target) in [
        ("lib", "usr/lib"),
        ("lib64", "usr/lib64"),
        ("sbin", "usr/sbin"),
    ] {
        fs::create_dir_all(folder.join(target))?;
        symlink(target, folder.join(link))?;
    }
    let mut files: BTreeSet<String> = TOOLS.iter().map(ToString::to_string).collect();
    files.insert(tool(tree, "ip")?);
    files.insert(tool(tree, "tc")?);
    for file in files.clone() {
        files.extend(libraries(tree, &file)?);
    }
    for file in &files {
        copy(&tree.root().join(&file[1..]), &folder.join(&file[1..]))?;
    }
    for program in programs {
        copy(
            program,
            &folder
                .join("bin")
                .join(program.file_name().context("no name")?),
        )?;
    }
    for name in ["modprobe", "insmod", "rmmod", "lsmod", "modinfo", "depmod"] {
        symlink("/usr/bin/kmod", folder.join("usr/sbin").join(name))?;
    }
    copy(
        ip_link,
        &folder.join("usr/lib/x86_64-linux-gnu/ip/link_muennet.so"),
    )?;
    symlink("/run", folder.join("var/run"))?;
    symlink("xtables-nft-multi", folder.join("usr/sbin/iptables"))?;
    let release = tree.release();
    let extra = folder.join("lib/modules").join(release).join("extra");
    for module in modules {
        copy(module, &extra.join(module.file_name().context("no name")?))?;
    }
    stock_modules(tree, &folder)?;
    finish(tree, &folder, &inside)
}

/// Packs an initramfs for arm64 with the `modules`: the tools that are there, and all
/// libraries, as programs of arm64 cannot be asked which they need.
pub fn pack_arm64(tree: &Tree, modules: &[PathBuf]) -> Result<String> {
    let inside = format!("{}/initramfs", tree.work());
    let (folder, userland) = (tree.root().join(&inside[1..]), tree.userland());
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    for name in [
        "dev", "proc", "sys", "tmp", "run", "etc", "var", "usr/bin", "usr/sbin", "usr/lib",
    ] {
        fs::create_dir_all(folder.join(name))?;
    }
    for (link, target) in [("bin", "usr/bin"), ("sbin", "usr/sbin"), ("lib", "usr/lib")] {
        symlink(target, folder.join(link))?;
    }
    let tools = TOOLS.iter().copied().chain(["/usr/bin/ip"]);
    for tool in tools.filter(|tool| userland.join(&tool[1..]).is_file()) {
        copy(&userland.join(&tool[1..]), &folder.join(&tool[1..]))?;
    }
    for libraries in ["usr/lib", "usr/lib/aarch64-linux-gnu"] {
        for entry in fs::read_dir(userland.join(libraries))? {
            let path = entry?.path();
            if path.is_file() && path.to_string_lossy().contains(".so") {
                copy(&path, &folder.join(path.strip_prefix(&userland)?))?;
            }
        }
    }
    for name in ["modprobe", "insmod", "rmmod", "lsmod", "modinfo", "depmod"] {
        symlink("/usr/bin/kmod", folder.join("usr/sbin").join(name))?;
    }
    let extra = folder
        .join("usr/lib/modules")
        .join(tree.release())
        .join("extra");
    for module in modules {
        copy(module, &extra.join(module.file_name().context("no name")?))?;
    }
    finish(tree, &folder, &inside)
}

/// Lets modprobe find the modules, adds the init and packs the folder.
fn finish(tree: &Tree, folder: &Path, inside: &str) -> Result<String> {
    let release = tree.release();
    for list in ["modules.builtin", "modules.order"] {
        let from = tree.root().join("usr/lib/modules").join(release).join(list);
        if from.exists() {
            copy(
                &from,
                &folder.join("usr/lib/modules").join(release).join(list),
            )?;
        }
    }
    run::quietly(tree.command("depmod").args(["-b", inside, release]))?;
    fs::write(folder.join("etc/passwd"), PASSWD)?;
    fs::write(folder.join("init"), INIT)?;
    fs::set_permissions(folder.join("init"), fs::Permissions::from_mode(0o755))?;
    run::quietly(tree.command("sh").args([
        "-c",
        &format!("cd {inside} && find . | cpio --quiet -o -H newc > ../initramfs.cpio"),
    ]))?;
    Ok(format!("{inside}.cpio"))
}

/// The modules of [`STOCK`], with what they need.
fn stock_modules(tree: &Tree, folder: &Path) -> Result<()> {
    let release = tree.release();
    let needed = |module: &&str| {
        run::quietly(tree.command("modprobe").args([
            "--set-version",
            release,
            "--show-depends",
            module,
        ]))
    };
    let mut lists = STOCK.iter().map(needed).collect::<Result<Vec<_>>>()?;
    lists.extend(OLDER.iter().flat_map(needed));
    for needed in lists {
        for line in needed.lines() {
            if let Some(path) = line.strip_prefix("insmod ") {
                let path = path.trim();
                let target = path.strip_prefix("/usr").unwrap_or(path);
                copy(&tree.root().join(&path[1..]), &folder.join(&target[1..]))?;
            }
        }
    }
    Ok(())
}

/// Where a program lies in the tree.
fn tool(tree: &Tree, name: &str) -> Result<String> {
    let path = run::quietly(
        tree.command("sh")
            .args(["-c", &format!("command -v {name}")]),
    )?;
    let path = fs::canonicalize(tree.root().join(&path.trim()[1..]))?;
    let inside = path.strip_prefix(fs::canonicalize(tree.root())?)?;
    Ok(format!("/{}", inside.display()))
}

/// The libraries that a program of the tree needs.
fn libraries(tree: &Tree, file: &str) -> Result<Vec<String>> {
    // A static program makes ldd fail, and needs none.
    let said = run::quietly(tree.command("ldd").arg(file)).unwrap_or_default();
    Ok(said
        .lines()
        .filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')))
        .map(|path| path.to_owned())
        .collect())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, to)
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}
