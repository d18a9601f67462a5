// SPDX-License-Identifier: MIT OR Apache-2.0
//! The laboratory: root tree, modules, initramfs, the host's programs, and a
//! policy being served.

use crate::{
    aarch64, initramfs, kmod, libnl,
    process::Process,
    progress,
    run::{cargo, quietly, target, workspace},
    target::{Arch, Flavour, Target},
    tree::Tree,
    unikernel::{self, Unikernel},
    vm::{self, Vm},
};
use anyhow::{ensure, Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// The protocol of Solo5 unikernels, used for the demo too.
pub const PROTOCOL: &str = "0x7ade5c549b08e814";

/// Root tree and initramfs, which every scenario needs.
#[derive(Debug)]
pub struct Lab {
    /// The root tree.
    pub tree: Tree,
    /// Path of the initramfs inside of the tree.
    pub initramfs: String,
}

/// A policy being served. Its folder holds the sockets and logs.
#[derive(Debug)]
pub struct Wire<'a> {
    lab: &'a Lab,
    folder: PathBuf,
    /// Vectors that the devices need, as the server says.
    vectors: usize,
    _server: Process,
}

/// The folder of a policy being served, by its path inside of the tree.
pub const FOLDER: &str = "/run/muennet";

/// The programs that go into VMs.
const GUEST_PROGRAMS: [&str; 8] = [
    "probe",
    "meter",
    "stream",
    "reload",
    "xdp",
    "changing",
    "netlink",
    "muennet_cfg",
];

/// The packages that they lie in, as arguments for cargo.
pub const GUEST_PACKAGES: &[&str] = &[
    "--package",
    "muennet-examples",
    "--package",
    "muennet-test-tools",
    "--package",
    "muennet-cfg",
    "--package",
    "muennet-ip-link",
];

/// A program of the host.
pub fn program(name: &str) -> Result<PathBuf> {
    Ok(target("release")?.join(name))
}

/// Builds the host's programs.
pub fn build_programs() -> Result<()> {
    progress::step("host programs", || {
        let host = ["build", "--release", "--package", "muennet-host"];
        quietly(&mut cargo(&[&host, GUEST_PACKAGES].concat()))
    })
    .map(drop)
}

/// Packs the initramfs with `modules` and the programs; gives its path inside of the tree.
fn pack(tree: &Tree, modules: &[PathBuf]) -> Result<String> {
    let guest: fn(&str) -> Result<PathBuf> = match tree.arch() {
        Arch::Amd64 => program,
        Arch::Arm64 => aarch64::program,
    };
    progress::step("initramfs", || {
        let mut programs = GUEST_PROGRAMS
            .into_iter()
            .map(guest)
            .collect::<Result<Vec<_>>>()?;
        programs.push(libnl::build(tree)?);
        initramfs::pack(tree, modules, &programs, &guest("liblink_muennet.so")?)
    })
}

impl Lab {
    /// Makes everything that is not there yet.
    pub fn open() -> Result<Self> {
        Self::with(Flavour::Stock)
    }

    /// The same with another kernel.
    pub fn with(target: impl Into<Target>) -> Result<Self> {
        Self::of(Tree::with(target)?)
    }

    /// The same laboratory with another kernel.
    pub fn beside(&self, target: impl Into<Target>) -> Result<Self> {
        Self::of(self.tree.beside(target)?)
    }

    fn of(tree: Tree) -> Result<Self> {
        let modules = kmod::build(&tree)?;
        build_programs()?;
        if tree.arch() == Arch::Arm64 {
            progress::step("programs for arm64", aarch64::build_programs)?;
        }
        let initramfs = pack(&tree, &modules)?;
        Ok(Self { tree, initramfs })
    }

    /// Builds the modules anew from the sources in `sources`, into the folder `made`: VMs that
    /// boot from now on have them.
    pub fn build_from(&mut self, sources: &Path, made: &Path) -> Result<()> {
        let modules = kmod::build_from(sources, &self.tree, made)?;
        self.initramfs = pack(&self.tree, &modules)?;
        Ok(())
    }

    /// Serves a policy of tests/policies.
    pub fn serve(&self, policy: &str) -> Result<Wire<'_>> {
        self.serve_file(&workspace().join("tests/policies").join(policy))
    }

    /// Serves a policy of tests/policies with subject information of that version.
    pub fn serve_version(&self, policy: &str, version: u8) -> Result<Wire<'_>> {
        let text = fs::read_to_string(workspace().join("tests/policies").join(policy))?;
        let file = self.tree.folder(&self.tree.work()[1..])?.join(policy);
        fs::write(&file, format!("sinfo_version = {version}\n{text}"))?;
        self.serve_file(&file)
    }

    fn serve_file(&self, policy: &Path) -> Result<Wire<'_>> {
        let folder = self.tree.folder(&FOLDER[1..])?;
        vm::clean(&folder)?;
        let mut command = Command::new(program("muen-ivshmem")?);
        command
            .arg("--policy")
            .arg(policy)
            .arg("--dir")
            .arg(&folder);
        let mut server = Process::start(&mut command, &folder.join("server"))?;
        let start = Instant::now();
        while !server.said().contains("-device ivshmem-doorbell") {
            let waiting = start.elapsed() < Duration::from_secs(20) && server.is_running()?;
            ensure!(waiting, "muen-ivshmem does not serve:\n{}", server.said());
            std::thread::sleep(Duration::from_millis(5));
        }
        let said = server.said();
        let vectors = said
            .split_once("vectors=")
            .and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok())
            .context("muen-ivshmem does not say how many vectors a device needs")?;
        Ok(Wire {
            lab: self,
            folder,
            vectors,
            _server: server,
        })
    }
}

impl Wire<'_> {
    /// Boots a VM as the subject `name`.
    pub fn vm(&self, name: &str) -> Result<Vm> {
        self.vm_with(name, &[])
    }

    /// Boots a VM as the subject `name`, with more arguments for QEMU.
    pub fn vm_with(&self, name: &str, more: &[&str]) -> Result<Vm> {
        Vm::boot(
            &self.lab.tree,
            &self.lab.initramfs,
            FOLDER,
            name,
            self.vectors,
            more,
        )
    }

    /// Boots a VM of another laboratory as the subject `name`.
    pub fn vm_of(&self, lab: &Lab, name: &str) -> Result<Vm> {
        Vm::boot(&lab.tree, &lab.initramfs, FOLDER, name, self.vectors, &[])
    }

    /// The folder with the subjects' sockets.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A command that boots a VM with a shell on its own input and output.
    pub fn shell(&self, name: &str) -> Result<Command> {
        Ok(vm::on_terminal(
            &self.lab.tree,
            &self.lab.initramfs,
            &format!("{FOLDER}/{name}.sock"),
            self.vectors,
        ))
    }

    /// Boots the unikernel as the subject `name`, with the `words` of its command line.
    pub fn unikernel(&self, image: &Path, name: &str, words: &str) -> Result<Unikernel> {
        Unikernel::boot(&self.lab.tree, image, FOLDER, name, self.vectors, words)
    }

    /// Boots the image for Muen as the subject "uni" of the policy rehearsal, under the
    /// `monitor`; its command line is `words`.
    pub fn rehearsal(&self, monitor: &Path, image: &Path, words: &str) -> Result<Unikernel> {
        let tree = &self.lab.tree;
        let initrd = unikernel::place(tree, FOLDER, image)?;
        let more = ["-initrd", &initrd];
        Unikernel::boot_with(tree, monitor, FOLDER, "uni", self.vectors, words, &more)
    }

    /// Starts a program that takes a subject's place from its environment, as the subject
    /// "echo" of the policy one-wire.
    pub fn component(&self, program: &Path) -> Result<Process> {
        let mut command = Command::new(program);
        command
            .env("MUEN_SOCKET", self.folder.join("echo.sock"))
            .env("MUEN_IN", "testchannel_1")
            .env("MUEN_OUT", "testchannel_2");
        Process::start(&mut command, &self.folder.join("component"))
    }

    /// Runs the peer for tests (tests/tools) as the subject `name`, to its end.
    pub fn peer(&self, name: &str, arguments: &[&str]) -> Result<()> {
        quietly(&mut self.peer_command(name, arguments)?).map(drop)
    }

    /// Has the peer for tests tell what it is to; it stays until it is dropped.
    pub fn peer_that_stays(&self, name: &str, arguments: &[&str]) -> Result<Process> {
        let mut command = self.peer_command(name, arguments)?;
        let mut peer = Process::start(&mut command, &self.folder.join("peer"))?;
        while !peer.said().contains("told") {
            ensure!(peer.is_running()?, "the peer fails:\n{}", peer.said());
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(peer)
    }

    fn peer_command(&self, name: &str, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(program("peer")?);
        command
            .arg("--ivshmem")
            .arg(self.folder.join(format!("{name}.sock")))
            .args(arguments);
        Ok(command)
    }

    /// Starts the echo server as the subject "echo" of the policy one-wire.
    pub fn echo(&self) -> Result<Process> {
        self.echo_at("testchannel_1", "testchannel_2", "192.168.7.2/24")
    }

    /// Starts the echo server as the subject "echo", on these channels.
    pub fn echo_at(&self, input: &str, output: &str, address: &str) -> Result<Process> {
        let mut command = Command::new(program("echo")?);
        command
            .arg("--ivshmem")
            .arg(self.folder.join("echo.sock"))
            .args(["--in", input, "--out", output])
            .args(["--address", address]);
        // While the server takes leave of the one before, it refuses the next.
        let start = Instant::now();
        loop {
            let mut echo = Process::start(&mut command, &self.folder.join("echo"))?;
            while echo.is_running()? {
                if echo.said().contains("port 7") {
                    return Ok(echo);
                }
                std::thread::sleep(Duration::from_millis(2));
            }
            ensure!(
                start.elapsed() < Duration::from_secs(10),
                "the echo server does not start:\n{}",
                echo.said()
            );
        }
    }
}

/// Loads the module in a VM and gives it its address: the line of the documents.
pub fn load(vm: &mut Vm, input: &str, output: &str, address: &str, more: &str) -> Result<()> {
    vm.ok(&format!(
        "modprobe muennet name=net0 reader_protocol={PROTOCOL} writer_protocol={PROTOCOL} \
         in={input} out={output} flags=eth_dev {more}"
    ))?;
    vm.ok(&format!("ip addr add {address} dev net0"))?;
    vm.ok("ip link set net0 up")?;
    Ok(())
}

/// The subject information that the stand-in for Muen found has this version.
pub fn has_version(vm: &mut Vm, version: u8) -> Result<()> {
    let log = vm.ok("dmesg")?;
    ensure!(
        log.contains(&format!("information of version {version}, ")),
        "the stand-in should have found version {version}:\n{log}"
    );
    Ok(())
}

/// Waits for the carrier to be there.
pub fn carrier(vm: &mut Vm) -> Result<()> {
    vm.until("grep -q 1 /sys/class/net/net0/carrier").map(drop)
}
