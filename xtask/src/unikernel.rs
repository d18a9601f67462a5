// SPDX-License-Identifier: MIT OR Apache-2.0
//! The unikernel: its images, and running them.

use crate::{
    muen,
    process::Process,
    run::{quietly, target, workspace},
    rust_src,
    tree::Tree,
    vm,
};
use anyhow::{ensure, Context, Result};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{ChildStdin, Command, Stdio},
    time::{Duration, Instant},
};

/// Bytes that an image may have.
const MAX_IMAGE: u64 = 512 * 1024;
const PATIENCE: Duration = Duration::from_secs(60);

/// Which machine an image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Image {
    /// QEMU's PC with an ivshmem device.
    Qemu,
    /// A native subject of Muen.
    Muen,
    /// A native subject of Muen on arm64.
    MuenArm64,
    /// QEMU's machine virt, aarch64: the self-test.
    Virt,
}

impl Image {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Qemu, Self::Muen, Self::MuenArm64, Self::Virt];

    fn target(self) -> &'static str {
        match self {
            Self::Qemu | Self::Muen => "x86_64-unknown-none",
            Self::MuenArm64 | Self::Virt => "aarch64-unknown-none",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Qemu => "unikernel-qemu",
            Self::Muen => "unikernel-muen",
            Self::MuenArm64 => "unikernel-muen-arm64",
            Self::Virt => "unikernel-virt",
        }
    }

    fn cargo(self, command: &str) -> Result<Command> {
        let mut cargo = rust_src::cargo_freestanding(&[command, "--release"], self.target())?;
        cargo
            .current_dir(workspace().join("examples/unikernel"))
            .arg("--target-dir")
            .arg(folder()?);
        if matches!(self, Self::Muen | Self::MuenArm64) {
            cargo.args(["--features", "muen"]);
        }
        Ok(cargo)
    }

    /// Builds the image, and sees to it that it is small.
    pub fn build(self) -> Result<PathBuf> {
        quietly(&mut self.cargo("build")?)?;
        let built = folder()?.join(self.target()).join("release/unikernel");
        let image = folder()?.join(self.name());
        let mut bytes = fs::read(&built).with_context(|| format!("{}", built.display()))?;
        if self == Self::Muen {
            muen::plain_rodata(&mut bytes)?;
        }
        fs::write(&image, &bytes)?;
        // CAST: usize has at most 64 bits.
        let size = bytes.len() as u64;
        ensure!(
            size < MAX_IMAGE,
            "the image {} has {size} bytes, not below {MAX_IMAGE}",
            image.display()
        );
        Ok(image)
    }

    /// Lints it as the rest is linted.
    pub fn lint(self) -> Result<()> {
        quietly(self.cargo("clippy")?.args(["--", "-D", "warnings"])).map(drop)
    }
}

/// Where the images are built.
fn folder() -> Result<PathBuf> {
    target("unikernel")
}

/// Puts an image into a folder of the tree; gives its path inside of the tree.
pub fn place(tree: &Tree, folder: &str, image: &Path) -> Result<String> {
    let name = image.file_name().context("the image has no name")?;
    let inside = format!("{folder}/{}", name.to_string_lossy());
    fs::copy(image, tree.root().join(&inside[1..]))?;
    Ok(inside)
}

/// A unikernel that runs as a subject.
#[derive(Debug)]
pub struct Unikernel {
    qemu: Process,
    monitor: ChildStdin,
    console: PathBuf,
    started: Instant,
}

impl Unikernel {
    /// Boots the image as the subject `name`, whose socket lies in `folder`, a folder
    /// of the tree by its path inside.
    pub fn boot(
        tree: &Tree,
        image: &Path,
        folder: &str,
        name: &str,
        vectors: usize,
        words: &str,
    ) -> Result<Self> {
        Self::boot_with(tree, image, folder, name, vectors, words, &[])
    }

    /// The same with more arguments for QEMU.
    pub fn boot_with(
        tree: &Tree,
        image: &Path,
        folder: &str,
        name: &str,
        vectors: usize,
        words: &str,
        more: &[&str],
    ) -> Result<Self> {
        let kernel = place(tree, folder, image)?;
        let outside = tree.root().join(&folder[1..]);
        let socket = format!("{folder}/{name}.sock");
        let mut command = tree.command("qemu-system-x86_64");
        command
            .args(vm::machine(64, &socket, vectors))
            // Nothing but what it uses: the firmware looks at all there is.
            .args(["-nodefaults", "-kernel", &kernel, "-append", words])
            .args(more)
            .args(["-qmp", "stdio"])
            .args(["-serial", &format!("file:{folder}/{name}.console")]);
        let log = outside.join(format!("{name}.qemu"));
        let started = Instant::now();
        let mut qemu = Process::start_with_input(&mut command, &log, Stdio::piped())?;
        Ok(Self {
            monitor: qemu.input().context("QEMU's monitor")?,
            qemu,
            console: outside.join(format!("{name}.console")),
            started,
        })
    }

    /// When QEMU was started.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// Its log until now.
    pub fn console(&self) -> String {
        let bytes = fs::read(&self.console).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Ends the machine at once.
    pub fn kill(&mut self) -> Result<()> {
        self.qemu.kill()
    }

    /// Resets the machine, which boots again. Nobody clears its channels: the peer sees
    /// another epoch alone.
    pub fn reset(&mut self) -> Result<()> {
        self.started = Instant::now();
        // QEMU was told to end where a machine resets itself.
        for command in [
            r#"{"execute":"qmp_capabilities"}"#,
            r#"{"execute":"set-action","arguments":{"reboot":"reset"}}"#,
            r#"{"execute":"system_reset"}"#,
        ] {
            writeln!(self.monitor, "{command}").context("QEMU's monitor")?;
        }
        Ok(())
    }

    /// Waits for it to log `text`.
    pub fn until_said(&mut self, text: &str) -> Result<()> {
        self.until_said_times(text, 1)
    }

    /// Waits for it to log `text` so many times.
    pub fn until_said_times(&mut self, text: &str, times: usize) -> Result<()> {
        while self.console().matches(text).count() < times {
            ensure!(
                self.started.elapsed() < PATIENCE && self.qemu.is_running()?,
                "the unikernel does not say \"{text}\":\n{}\n{}",
                self.console(),
                self.qemu.said()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Waits for it to end by itself; gives what it logged.
    pub fn ended(mut self) -> Result<String> {
        self.qemu.wait(PATIENCE);
        let console = self.console();
        ensure!(
            !self.qemu.is_running()?,
            "the unikernel does not end:\n{console}"
        );
        Ok(console)
    }
}

/// Runs the self-test on aarch64; gives what it logged.
pub fn self_test(tree: &Tree, image: &Path) -> Result<String> {
    let folder = "/run/muennet";
    tree.folder(&folder[1..])?;
    let kernel = place(tree, folder, image)?;
    let said = quietly(
        tree.command("timeout")
            .args(["300", "qemu-system-aarch64", "-machine", "virt"])
            .args(["-cpu", "cortex-a57", "-m", "64", "-nographic"])
            .args(["-semihosting", "-kernel", &kernel]),
    )?;
    ensure!(
        said.lines().any(|line| line.trim() == "unikernel: PASS"),
        "the self-test does not pass:\n{said}"
    );
    Ok(said)
}
