// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stock kernels of Debian beside the newest one: their headers and images, as packages
//! hold them. Only unpacked: what they depend on is of another release.

use crate::{
    cache::{need_program, Cache},
    mirror, run,
    target::{Arch, Flavour, Target},
    tree::{self, inside, Kernel, KEYRING},
};
use anyhow::{Context, Result};
use std::{fs, path::Path, process::Command};

/// Files for VMs of arm64, by their path inside of the tree.
pub const USERLAND: &str = "/userland-arm64";
const USERLAND_PACKAGES: &str = "busybox-static,dash,bash,kmod,iproute2,iputils-ping,iperf3,\
                                 ethtool,tcpdump,libgcc-s1,curl,iputils-tracepath,util-linux,\
                                 iptables,nftables,libnl-genl-3-dev";

/// A kernel's version and the suite that has it; none where it is the tree's own, `newest`.
fn origin(target: Target, newest: &str) -> Option<(String, &'static str)> {
    let (version, suite) = match (target.flavour, target.arch) {
        (Flavour::Linux61, _) => ("6.1", "bookworm"),
        (Flavour::Linux612, _) => ("6.12", "trixie"),
        (Flavour::Linux72, _) => ("7.2", "trixie-backports"),
        (Flavour::Stock | Flavour::Compat | Flavour::Debug, Arch::Amd64) => return None,
        (Flavour::Stock | Flavour::Compat | Flavour::Debug, Arch::Arm64) => {
            let numbers: Vec<_> = newest.split(['.', '+', '-']).take(2).collect();
            return Some((numbers.join("."), "trixie-backports"));
        }
    };
    Some((version.to_owned(), suite))
}

/// Makes the kernel of `target` in the tree `root`, whose own kernel is `newest`.
pub fn open(root: &Path, cache: &Cache, target: Target, newest: &str) -> Result<Kernel> {
    let release = match origin(target, newest) {
        None => newest.to_owned(),
        Some((version, suite)) => {
            let name = match target.arch {
                Arch::Amd64 => version.clone(),
                Arch::Arm64 => {
                    // Has the programs of the headers for this machine.
                    open(root, cache, target.flavour.into(), newest)?;
                    userland(root, cache)?;
                    format!("{version} for arm64")
                }
            };
            let marker = root.join(format!("kernel-release{}", target.suffix()));
            cache.once(
                &format!("kernel {name}"),
                &format!("3 {suite}"),
                std::slice::from_ref(&marker),
                || {
                    Ok(fs::write(
                        &marker,
                        unpack(root, &version, suite, target.arch)?,
                    )?)
                },
            )?;
            fs::read_to_string(&marker)?
        }
    };
    let headers = format!("/usr/src/linux-headers-{release}");
    if let Some(mut compiler) = compiler(&root.join(&headers[1..]))? {
        if target.arch == Arch::Arm64 {
            compiler.push_str("-aarch64-linux-gnu");
        }
        tree::install(root, cache, &compiler, &[&compiler])?;
    }
    let image = [
        format!("/boot/vmlinuz-{release}"),
        format!("/usr/lib/modules/{release}/vmlinuz"),
    ]
    .into_iter()
    .find(|image| root.join(&image[1..]).exists())
    .with_context(|| format!("the packages of {release} hold no image"))?;
    Ok(Kernel::of_packages(target, release, image, headers))
}

/// The compiler that Debian's headers ask for, if they name one.
fn compiler(headers: &Path) -> Result<Option<String>> {
    let text = fs::read_to_string(headers.join(".kernelvariables"))
        .with_context(|| format!("{} holds no .kernelvariables", headers.display()))?;
    Ok(text
        .lines()
        .filter(|line| line.contains("CC ") || line.starts_with("CC"))
        .find_map(|line| {
            let at = line.find("gcc-")?;
            Some(line[at..].trim().to_owned())
        }))
}

/// Unpacks the newest kernel of `version` that `suite` has, and gives its release. The
/// tree's own packages know nothing of it.
fn unpack(root: &Path, version: &str, suite: &str, arch: Arch) -> Result<String> {
    let arch = arch.name();
    let folder = format!("/var/lib/muennet/{suite}-{arch}");
    let outside = root.join(&folder[1..]);
    fs::create_dir_all(outside.join("lists/partial"))?;
    fs::write(outside.join("sources.list"), sources(suite)?)?;
    fs::copy("/etc/resolv.conf", root.join("etc/resolv.conf"))?;
    let options = [
        &format!("Dir::Etc::sourcelist={folder}/sources.list"),
        "Dir::Etc::sourceparts=-",
        &format!("Dir::State::lists={folder}/lists"),
        "Dir::Cache::pkgcache=",
        "Dir::Cache::srcpkgcache=",
        "APT::Sandbox::User=root",
        &format!("APT::Architecture={arch}"),
        &format!("APT::Architectures={arch}"),
    ]
    .map(|option| format!("--option={option}"));
    let apt = |program: &str, arguments: &[&str]| {
        run::quietly(inside(root, program).args(&options).args(arguments))
    };
    apt("apt-get", &["update", "-q"])?;
    let names = apt("apt-cache", &["pkgnames", "linux-"])?;
    let release = newest(&names, version, arch)
        .with_context(|| format!("{suite} has no linux-headers-{version}…-{arch}"))?;
    let headers = format!("linux-headers-{release}");
    let depends = apt("apt-cache", &["depends", &headers])?;
    let mut packages = vec![headers.as_str()];
    packages.extend(
        depends
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Depends: "))
            .filter(|name| {
                name.starts_with("linux-headers-")
                    || name.starts_with("linux-kbuild-") && arch == "amd64"
            }),
    );
    packages.extend(names.lines().filter(|name| {
        let kind = name.strip_suffix(&format!("-{release}"));
        kind.is_some_and(|kind| ["linux-base", "linux-binary", "linux-modules"].contains(&kind))
            || *name == format!("linux-image-{release}")
    }));
    // Links to folders stay: /lib is one.
    let script = "cd $0 && rm -f *.deb && apt-get \"$@\" && for package in *.deb; do \
                  dpkg-deb --fsys-tarfile $package | tar -x -C / --keep-directory-symlink; done \
                  && rm -f *.deb";
    run::quietly(
        inside(root, "bash")
            .args(["-euo", "pipefail", "-c", script, &folder])
            .args(&options)
            .args(["download", "-q"])
            .args(&packages),
    )?;
    run::quietly(inside(root, "depmod").arg(&release))?;
    Ok(release)
}

/// The lines of apt's list for a suite: a release's newest kernels are in its security
/// updates, and of backports there are none.
fn sources(suite: &str) -> Result<String> {
    let mut lines = format!("deb {} {suite} main\n", mirror::find()?);
    if !suite.ends_with("-backports") {
        lines += &format!("deb {} {suite}-security main\n", mirror::security()?);
    }
    Ok(lines)
}

/// Packages for VMs of arm64: unpacked alone, as nothing of them runs here.
fn userland(root: &Path, cache: &Cache) -> Result<()> {
    let folder = root.join(&USERLAND[1..]);
    let proofs = [folder.join("usr/bin/busybox"), folder.join("usr/bin/kmod")];
    cache.once("userland for arm64", USERLAND_PACKAGES, &proofs, || {
        need_program("mmdebstrap", "mmdebstrap")?;
        tree::remove(&folder)?;
        run::quietly(
            Command::new("mmdebstrap")
                .args(["--quiet", "--variant=extract", "--architectures=arm64"])
                .arg(format!("--keyring={KEYRING}"))
                .arg(format!("--include={USERLAND_PACKAGES}"))
                .arg("trixie")
                .arg(&folder)
                .arg(format!("deb {} trixie main", mirror::find()?)),
        )
        .map(drop)
    })
}

/// The newest release of a version among names of packages: `linux-headers-<release>`,
/// for ordinary machines.
fn newest(names: &str, version: &str, arch: &str) -> Option<String> {
    names
        .lines()
        .filter_map(|name| name.strip_prefix("linux-headers-"))
        .filter(|release| {
            release
                .strip_prefix(version)
                .is_some_and(|rest| rest.starts_with(['.', '-']))
                && release.ends_with(&format!("-{arch}"))
                && !release.contains("-rt-")
                && !release.contains("-cloud-")
        })
        .max_by_key(|release| {
            release
                .split(|c: char| !c.is_ascii_digit())
                .filter_map(|number| number.parse::<u32>().ok())
                .collect::<Vec<_>>()
        })
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_release_is_found() {
        let names = "linux-headers-6.1.0-9-amd64\nlinux-headers-6.1.0-47-amd64\n\
                     linux-headers-6.1.0-50-rt-amd64\nlinux-headers-6.12.9+deb12-amd64\n\
                     linux-headers-6.1.0-51-cloud-amd64\nlinux-headers-6.1.0-52-common\n\
                     linux-headers-6.12.117+deb13-amd64\n";
        assert_eq!(newest(names, "6.1", "amd64").unwrap(), "6.1.0-47-amd64");
        assert_eq!(
            newest(names, "6.12", "amd64").unwrap(),
            "6.12.117+deb13-amd64"
        );
        assert_eq!(newest(names, "7.2", "amd64"), None);
    }
}
