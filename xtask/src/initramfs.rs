// SPDX-License-Identifier: MIT OR Apache-2.0
//! The initramfs of a VM: busybox, the network tools, the modules, and an init that
//! runs commands for the host.

use crate::{libraries, run, tree::Tree};
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
    "/usr/bin/iperf3",
    "/usr/bin/ping",
    "/usr/bin/tcpdump",
    "/usr/bin/curl",
    "/usr/bin/kmod",
    "/usr/bin/tracepath",
    "/usr/bin/setpriv",
    "/usr/bin/unshare",
    "/usr/bin/nsenter",
    "/usr/bin/ip",
    "/usr/sbin/tc",
    "/usr/sbin/ethtool",
    "/usr/sbin/nft",
    "/usr/sbin/xtables-nft-multi",
];

/// Libraries that programs load without naming them.
const LIBRARIES: [&str; 3] = [
    // Loaded when a thread ends.
    "libgcc_s.so.1",
    "xtables/libxt_MARK.so",
    "xtables/libxt_standard.so",
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
    tools(tree, &folder)?;
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
        &folder.join(format!(
            "usr/lib/{}/ip/link_muennet.so",
            tree.arch().triple()
        )),
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

/// The tools with the libraries that they need.
fn tools(tree: &Tree, folder: &Path) -> Result<()> {
    let (userland, triple) = (tree.userland(), tree.arch().triple());
    let mut files: BTreeSet<_> = TOOLS.iter().map(ToString::to_string).collect();
    files.extend(LIBRARIES.map(|name| format!("/usr/lib/{triple}/{name}")));
    files.extend(libraries::of(&userland, triple, &files)?);
    for file in &files {
        copy(&userland.join(&file[1..]), &folder.join(&file[1..]))?;
    }
    Ok(())
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

fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, to)
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}
