// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the two sides run and meet: cores, channel files, a pair of TAPs.

use anyhow::{ensure, Context, Result};
use rustix::thread::{sched_setaffinity, CpuSet};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

/// Bytes of a channel.
pub const CHANNEL: u64 = 4 << 20;

/// Keeps the calling thread on one core.
pub fn stay_on(core: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).with_context(|| format!("there is no core {core} to run on"))
}

/// Two channel files in memory, and a file for a cache line each way; gone with
/// the value.
#[derive(Debug)]
pub struct Files {
    folder: PathBuf,
}

impl Files {
    /// Makes them.
    pub fn new() -> Result<Self> {
        let folder = PathBuf::from(format!("/dev/shm/muennet-bench-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let files = Self { folder };
        for (name, len) in [("there", CHANNEL), ("back", CHANNEL), ("line", 4096)] {
            File::create(files.folder.join(name))?.set_len(len)?;
        }
        Ok(files)
    }

    /// Their folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Two TAPs joined by a bridge, in a namespace of their own that goes with the value.
#[derive(Debug)]
pub struct Taps {
    namespace: String,
}

impl Taps {
    /// The interfaces' names.
    pub const NAMES: [&'static str; 2] = ["tap0", "tap1"];

    /// Makes them.
    pub fn new() -> Result<Self> {
        let taps = Self {
            namespace: format!("muennet-bench-{}", std::process::id()),
        };
        ip(&["netns", "add", &taps.namespace])?;
        let [one, other] = Self::NAMES;
        for line in [
            "link add br0 type bridge forward_delay 0".to_owned(),
            "link set br0 up".to_owned(),
            format!("tuntap add dev {one} mode tap"),
            format!("tuntap add dev {other} mode tap"),
            format!("link set {one} master br0 up"),
            format!("link set {other} master br0 up"),
        ] {
            let mut arguments = vec!["-n", &taps.namespace];
            arguments.extend(line.split_whitespace());
            ip(&arguments)?;
        }
        Ok(taps)
    }

    /// A command that runs `program` beside them.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.namespace])
            .arg(program);
        command
    }
}

impl Drop for Taps {
    fn drop(&mut self) {
        let _ = ip(&["netns", "del", &self.namespace]);
    }
}

fn ip(arguments: &[&str]) -> Result<()> {
    let output = Command::new("ip").args(arguments).output();
    let output = output.context("cannot run ip; install iproute2")?;
    ensure!(
        output.status.success(),
        "ip {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
