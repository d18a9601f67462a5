// SPDX-License-Identifier: MIT OR Apache-2.0
//! Installation as integrators do it, checked inside of the tree: the modules by make and
//! by DKMS, the patch series for a kernel, the Debian package of the tools, and the
//! specification of the netlink family.

use crate::{
    deb, kmod,
    progress::step,
    run::{quietly, workspace},
    tree::{self, Tree},
};
use anyhow::{ensure, Context, Result};
use std::{fs, process::Command};

/// All of it, for Debian's kernel.
pub fn check(tree: &Tree) -> Result<()> {
    step("netlink specification", || specification(tree))?;
    step("make install", || install(tree))?;
    step("DKMS", || dkms(tree))?;
    step("patch series", || series(tree))?;
    step("Debian package", || package(tree))
}

/// Runs a script inside of the tree, with the kernel's release as $1 and its build
/// folder as $2; gives what it says.
fn script(tree: &Tree, text: &str) -> Result<String> {
    quietly(tree.command("bash").args([
        "-euc",
        &format!("exec 2>&1\n{text}"),
        "script",
        tree.release(),
        tree.build(),
    ]))
}

fn expect(said: &str, words: &str) -> Result<()> {
    ensure!(said.contains(words), "\"{words}\" is not in:\n{said}");
    Ok(())
}

/// The kernel's own reader of specifications accepts ours.
fn specification(tree: &Tree) -> Result<()> {
    tree.install(
        "python for netlink specifications",
        &["python3-yaml", "python3-jsonschema"],
    )?;
    let spec = tree.folder("work")?.join("muennet.yaml");
    fs::copy(workspace().join("linux-kmod/netlink/muennet.yaml"), &spec)?;
    let said = script(
        tree,
        "python3 - <<'END'
import sys
sys.path.insert(0, '/build/source/tools/net/ynl/pyynl')
from lib import SpecFamily
family = SpecFamily('/work/muennet.yaml', '/build/source/Documentation/netlink/genetlink.yaml')
print(family.name, *[f'{op.name}={op.value}' for op in family.ops.values()])
END",
    )?;
    expect(
        &said,
        "muennet add-child=1 del-child=2 add-mark=3 del-mark=4 get-interface=5 get-child=6 get-mark=7",
    )
}

/// After "make install" modprobe finds both modules, stripped.
fn install(tree: &Tree) -> Result<()> {
    kmod::build(tree)?;
    let said = script(
        tree,
        "root=/work/installed
rm -rf $root
make -s -C /work/linux-kmod KDIR=$2 MUENNET_CORE=/work/muennet-core/src INSTALL_MOD_PATH=$root install
modprobe --dirname $root --set-version $1 --show-depends muennet
! readelf --sections $root/lib/modules/$1/updates/muennet/muennet.ko | grep debug_info
make -C /work/linux-kmod KDIR=/nowhere || echo refused
check() { make -s -C /work/linux-kmod check MUENNET_CORE=/work/muennet-core/src KDIR=$* || true; }
check $2
check /usr/src/linux-headers-$1
check /usr/src/linux-headers-$1 BINDGEN=no-bindgen
check /usr/src/linux-headers-$1 RUSTC=no-rustc
check /usr/src/linux-headers-$1 WAY=kernel",
    )?;
    for words in [
        "the kernel's own crates (the kernel was built with CONFIG_RUST)",
        "the crates of compat/ (",
        "there is no no-bindgen; install bindgen",
        "there is no no-rustc; install Rust 1.85 or later",
        "rust/libkernel.rmeta is missing; run \"make modules_prepare\"",
    ] {
        expect(&said, words)?;
    }
    let platform = said.find("updates/platform/muen_ivshmem.ko");
    let driver = said.find("updates/muennet/muennet.ko");
    ensure!(
        platform.is_some() && driver > platform,
        "modprobe does not load the platform and then the driver:\n{said}"
    );
    expect(
        &said,
        "KDIR=/nowhere is no configured kernel; install the kernel's headers",
    )?;
    expect(&said, "refused")
}

/// DKMS builds and installs for the kernel it is told, which is not the one that runs. A
/// kernel for which something is missing is skipped, with a hint and status 0.
fn dkms(tree: &Tree) -> Result<()> {
    tree.install("DKMS", &["dkms"])?;
    let said = script(
        tree,
        "dkms remove muennet/0.1.0 --all >/dev/null 2>&1 || true
make -s -C /work/linux-kmod MUENNET_CORE=/work/muennet-core/src install-dkms
dkms add muennet/0.1.0
mkdir -p /lib/modules/9.9.9-bare/build/include
dkms autoinstall -k 9.9.9-bare && echo goes on
rm -r /lib/modules/9.9.9-bare
dkms install muennet/0.1.0 -k $1 --kernelsourcedir $2 || { cat /var/lib/dkms/muennet/0.1.0/build/make.log; exit 1; }
dkms status
modinfo --set-version $1 --field filename muennet
dkms remove muennet/0.1.0 --all
modinfo --set-version $1 --field filename muennet || echo gone",
    )?;
    expect(&said, "install the kernel's headers or set KDIR")?;
    expect(&said, "muennet: skipped for 9.9.9-bare")?;
    expect(&said, "goes on")?;
    expect(
        &said,
        &format!("muennet/0.1.0, {}, x86_64: installed", tree.release()),
    )?;
    expect(&said, "updates/dkms/muennet.ko")?;
    ensure!(
        said.trim_end().ends_with("gone"),
        "DKMS leaves the modules behind:\n{said}"
    );
    Ok(())
}

/// The series applies to the kernel's sources and builds there. An overlay takes the
/// changes, so that the sources stay as they are.
fn series(tree: &Tree) -> Result<()> {
    tree.install("patch", &["patch"])?;
    let folder = tree.folder("work/series")?;
    tree::remove(&folder)?;
    fs::create_dir_all(&folder)?;
    quietly(
        Command::new(workspace().join("linux-kmod/in-tree/series.sh"))
            .arg(tree.root().join("build/source"))
            .arg(&folder),
    )?;
    let said = script(
        tree,
        "cd /work/series
mkdir source out source.work out.work
overlay() { mount -t overlay overlay -o lowerdir=$1,upperdir=$PWD/$2,workdir=$PWD/$2.work $1; }
overlay /build/source source
overlay $2 out
cat *.patch | patch --directory=/build/source --strip=1 --quiet
cd /build/source
scripts/config --file $2/.config --module MUEN_IVSHMEM --module MUENNET
run() { make -s -j$(nproc) O=$2 LOCALVERSION=${1#$(make -s kernelversion)} $3; }
run $1 $2 olddefconfig
run $1 $2 modules_prepare
run $1 $2 'M=drivers/net/muennet modules'
tools/net/ynl/pyynl/ynl_gen_c.py --mode uapi --header --spec Documentation/netlink/specs/muennet.yaml
cd drivers/net/muennet
modinfo --field vermagic muennet/muennet.ko platform/muen_ivshmem.ko
modinfo --field depends muennet/muennet.ko",
    )?;
    expect(&said, "MUENNET_CMD_ADD_CHILD = 1,")?;
    ensure!(
        said.matches(&format!("{} SMP", tree.release())).count() == 2,
        "the series makes no modules for {}:\n{said}",
        tree.release()
    );
    ensure!(
        said.trim_end().ends_with("muen_ivshmem"),
        "the driver is not linked against its platform:\n{said}"
    );
    ensure!(
        !said.contains("warning:"),
        "the series builds with warnings:\n{said}"
    );
    tree::remove(&folder)
}

/// The package installs, its program runs, and it leaves nothing behind.
fn package(tree: &Tree) -> Result<()> {
    let package = deb::make(tree)?;
    let name = package
        .file_name()
        .context("no name")?
        .to_string_lossy()
        .into_owned();
    let said = script(
        tree,
        &format!(
            "dpkg --install /work/deb/{name}
dpkg --verify muennet-tools
muennet_cfg --version
zcat /usr/share/man/man8/muennet_cfg.8.gz | grep '^.TH'
source /usr/share/bash-completion/completions/muennet_cfg
complete -p muennet_cfg
muennet_cfg add_mark c1 5 || echo status $?
dpkg --purge muennet-tools
test -e /usr/bin/muennet_cfg || echo gone"
        ),
    )?;
    expect(&said, &format!("muennet_cfg {}", env!("CARGO_PKG_VERSION")))?;
    expect(&said, ".TH muennet_cfg 8")?;
    expect(&said, "-F _muennet_cfg")?;
    expect(&said, "the kernel knows no family \"muennet\"")?;
    expect(&said, "modprobe muennet")?;
    expect(&said, "status 1")?;
    ensure!(
        said.trim_end().ends_with("gone"),
        "dpkg leaves the program behind:\n{said}"
    );
    Ok(())
}
