// SPDX-License-Identifier: MIT OR Apache-2.0
//! The root tree: a Debian of its own with the kernel's compiler, the kernel's
//! sources prepared for building modules, QEMU, and what goes into the VMs.

use crate::{
    cache::{need_program, need_root, Cache},
    debug_kernel, mirror, run, stock,
    target::{Arch, Flavour, Target, Way},
};
use anyhow::{Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

const RELEASE: &str = "trixie";
const BACKPORTS: &str = "trixie-backports";
pub const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
const PACKAGES: &[&str] = &[
    // What builds the kernel's tools and the modules.
    "make",
    "gcc",
    "libc6-dev",
    "flex",
    "bison",
    "libelf-dev",
    "libssl-dev",
    "bc",
    "python3",
    "rustc",
    "rust-src",
    "bindgen",
    "kmod",
    "cpio",
    "xz-utils",
    "dwarves",
    "perl",
    "zstd",
    // What runs the VMs, and what runs in them.
    "qemu-system-x86",
    "qemu-system-arm",
    "seabios",
    "busybox-static",
    "iproute2",
    "iputils-ping",
    "iperf3",
    "ethtool",
    "tcpdump",
    "curl",
];

/// More packages for VMs. Installed later, so that a change does not
/// make the tree anew.
const TOOLS: &[&str] = &["iptables", "nftables", "iputils-tracepath"];

/// A tree that is ready: modules can be built in it and VMs run from it.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    kernel: Kernel,
    cache: Arc<Cache>,
}

/// A kernel in the tree.
#[derive(Debug)]
pub struct Kernel {
    /// Which it is.
    pub target: Target,
    /// Its release, as `uname -r` says it.
    release: String,
    /// Its image, by its path inside of the tree.
    image: String,
    /// Its build folder, by its path inside of the tree.
    build: String,
}

impl Kernel {
    fn stock(release: &str) -> Self {
        Self {
            target: Flavour::Stock.into(),
            release: release.to_owned(),
            image: image(release),
            build: "/build/out".to_owned(),
        }
    }

    /// The debug kernel, built in `build`.
    pub fn debug(release: &str, build: &'static str) -> Self {
        Self {
            target: Flavour::Debug.into(),
            release: release.to_owned(),
            image: format!("{build}/arch/x86/boot/bzImage"),
            build: build.to_owned(),
        }
    }

    /// A kernel as packages hold it, with the folder of its headers.
    pub fn of_packages(target: Target, release: String, image: String, headers: String) -> Self {
        Self {
            target,
            release,
            image,
            build: headers,
        }
    }
}

impl Tree {
    /// Makes the tree, or what is missing of it, with a kernel.
    pub fn with(target: impl Into<Target>) -> Result<Self> {
        need_root()?;
        Self::make(Arc::new(Cache::open()?), target.into())
    }

    /// The same tree with another kernel.
    pub fn beside(&self, target: impl Into<Target>) -> Result<Self> {
        Self::make(self.cache.clone(), target.into())
    }

    fn make(cache: Arc<Cache>, target: Target) -> Result<Self> {
        let root = cache.path("root");
        cache.once(
            "root tree",
            &format!("1 {RELEASE} {}", PACKAGES.join(" ")),
            &[
                root.join("usr/bin/rustc"),
                root.join("usr/bin/qemu-system-x86_64"),
            ],
            || bootstrap(&root),
        )?;
        let packages = root.join("kernel-release");
        cache.once(
            "kernel packages",
            "1",
            std::slice::from_ref(&packages),
            || {
                let release = install_kernel(&root)?;
                Ok(fs::write(&packages, release)?)
            },
        )?;
        install(&root, &cache, "network tools", TOOLS)?;
        let release = fs::read_to_string(&packages)?;
        let proofs = [
            root.join(&image(&release)[1..]),
            root.join("build/out/Module.symvers"),
            root.join("build/out/rust/libkernel.rmeta"),
            root.join("build/out/scripts/module.lds"),
        ];
        cache.once(
            "kernel prepared for modules",
            &format!("1 {release}"),
            &proofs,
            || prepare(&root, &release),
        )?;
        let kernel = match target.flavour {
            Flavour::Stock => Kernel::stock(&release),
            Flavour::Debug => debug_kernel::open(&root, &cache, &release)?,
            _ => stock::open(&root, &cache, target, &release)?,
        };
        Ok(Self {
            root,
            kernel,
            cache,
        })
    }

    /// Which kernel it has.
    pub fn target(&self) -> Target {
        self.kernel.target
    }

    /// The same, whatever its architecture.
    pub fn flavour(&self) -> Flavour {
        self.target().flavour
    }

    /// Its architecture.
    pub fn arch(&self) -> Arch {
        self.target().arch
    }

    /// The tree's root folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Which crate `kernel` the modules are built on.
    pub fn crates(&self) -> &'static str {
        match self.flavour().way() {
            Way::Kernel => "the kernel's own crates",
            Way::Compat => "the crates of compat/",
        }
    }

    /// The folder with what goes into VMs.
    pub fn userland(&self) -> PathBuf {
        match self.arch() {
            Arch::Amd64 => self.root.clone(),
            Arch::Arm64 => self.root.join(&stock::USERLAND[1..]),
        }
    }

    /// The kernel's release, as `uname -r` says it.
    pub fn release(&self) -> &str {
        &self.kernel.release
    }

    /// The kernel's image, by its path inside of the tree.
    pub fn kernel(&self) -> String {
        self.kernel.image.clone()
    }

    /// The folder that modules are built against, by its path inside of the tree.
    pub fn build(&self) -> &str {
        &self.kernel.build
    }

    /// The folder where things are made for this kernel, by its path inside of the tree.
    pub fn work(&self) -> String {
        format!("/work{}", self.target().suffix())
    }

    /// Installs Debian packages in the tree that only some need; `what` names them.
    pub fn install(&self, what: &str, packages: &[&str]) -> Result<()> {
        install(&self.root, &self.cache, what, packages)
    }

    /// A command inside of the tree.
    pub fn command(&self, program: &str) -> Command {
        inside(&self.root, program)
    }

    /// A folder of the tree for passing things, made if need be.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.root.join(name);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

/// Where the package linux-binary puts the image.
fn image(release: &str) -> String {
    format!("/usr/lib/modules/{release}/vmlinuz")
}

/// Enters the tree with /proc and /dev, which objtool and QEMU look into. They are
/// mounted for the command alone, so that nothing is left to unmount.
const ENTER: &str = "mount -t proc proc \"$0/proc\" && mount --rbind /dev \"$0/dev\" \
                     && exec chroot \"$0\" \"$@\"";

/// A command inside of the tree `root`.
pub fn inside(root: &Path, program: &str) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", ENTER])
        .arg(root)
        .arg(program)
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C")
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn bootstrap(root: &Path) -> Result<()> {
    need_program("mmdebstrap", "mmdebstrap")?;
    let mirror = mirror::find()?;
    let partial = root.with_extension("partial");
    remove(&partial)?;
    run::quietly(
        Command::new("mmdebstrap")
            .args(["--quiet", "--variant=minbase"])
            .arg(format!("--keyring={KEYRING}"))
            .arg(format!("--include={}", PACKAGES.join(",")))
            .arg(RELEASE)
            .arg(&partial)
            .arg(format!("deb {mirror} {RELEASE} main"))
            .arg(format!("deb {mirror} {BACKPORTS} main")),
    )?;
    remove(root)?;
    Ok(fs::rename(partial, root)?)
}

/// Installs Debian packages once; `what` names them.
pub fn install(root: &Path, cache: &Cache, what: &str, packages: &[&str]) -> Result<()> {
    // Every package has this folder, whatever else of it there is.
    let proofs: Vec<_> = packages
        .iter()
        .map(|package| root.join("usr/share/doc").join(package))
        .collect();
    cache.once(what, &packages.join(" "), &proofs, || {
        fs::copy("/etc/resolv.conf", root.join("etc/resolv.conf"))?;
        run::quietly(inside(root, "apt-get").args(["update", "-q"]))?;
        let mut command = inside(root, "apt-get");
        command
            .args(["install", "-y", "-q", "--no-install-recommends"])
            .args(packages);
        run::quietly(&mut command).map(drop)
    })
}

/// Removes a folder that may not be there.
pub fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Installs the newest kernel with Rust, and gives its release.
fn install_kernel(root: &Path) -> Result<String> {
    fs::copy("/etc/resolv.conf", root.join("etc/resolv.conf"))?;
    run::quietly(inside(root, "apt-get").args(["update", "-q"]))?;
    let depends = run::quietly(inside(root, "apt-cache").args([
        "depends",
        "-t",
        BACKPORTS,
        "linux-headers-amd64",
    ]))?;
    let release = depends
        .lines()
        .find_map(|line| line.trim().strip_prefix("Depends: linux-headers-"))
        .context("linux-headers-amd64 depends on no linux-headers-<release>")?
        .to_owned();
    let version: Vec<_> = release.split(['.', '+', '-']).take(2).collect();
    let names = run::quietly(inside(root, "apt-cache").args(["pkgnames", "linux-binary"]))?;
    let binary = names
        .lines()
        .find(|name| name.ends_with(&format!("-{release}")))
        .with_context(|| format!("no package linux-binary-{release}"))?;
    run::quietly(
        inside(root, "apt-get")
            .args([
                "install",
                "-y",
                "-q",
                "--no-install-recommends",
                "-t",
                BACKPORTS,
            ])
            .arg(format!("linux-source-{}", version.join(".")))
            .arg(format!("linux-headers-{release}"))
            .arg(format!("linux-modules-{release}"))
            .arg(binary),
    )?;
    Ok(release)
}

/// Unpacks the kernel's sources and builds what modules in Rust need.
fn prepare(root: &Path, release: &str) -> Result<()> {
    remove(&root.join("build"))?;
    fs::create_dir_all(root.join("build/out"))?;
    let source = fs::read_dir(root.join("usr/src"))?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .find(|name| name.starts_with("linux-source-") && name.contains(".tar"))
        .context("the package linux-source holds no archive")?;
    let headers = root.join(format!("usr/src/linux-headers-{release}"));
    let unpack =
        format!("tar -C /build -xf /usr/src/{source} && mv /build/linux-source-* /build/source");
    run::quietly(inside(root, "sh").args(["-c", &unpack]))?;
    fs::copy(headers.join(".config"), root.join("build/out/.config"))?;
    // What follows the version in the release; without it modules do not fit.
    let version =
        run::quietly(inside(root, "make").args(["-s", "-C", "/build/source", "kernelversion"]))?;
    let suffix = release
        .strip_prefix(version.trim())
        .with_context(|| format!("the release {release} does not begin with {version}"))?;
    for target in ["olddefconfig", "modules_prepare"] {
        run::quietly(
            inside(root, "make")
                .args(["-C", "/build/source", "O=/build/out"])
                .arg(run::jobs())
                .arg(format!("LOCALVERSION={suffix}"))
                .arg(target),
        )?;
    }
    fs::copy(
        headers.join("Module.symvers"),
        root.join("build/out/Module.symvers"),
    )?;
    if headers.join("vmlinux").exists() {
        fs::copy(headers.join("vmlinux"), root.join("build/out/vmlinux"))?;
    }
    Ok(())
}
