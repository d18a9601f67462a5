// SPDX-License-Identifier: MIT OR Apache-2.0
//! A folder in memory, and the commands whose sockets, channels and logs lie there.

use crate::{lab::program, netns::Netns, process::Process, run::workspace};
use anyhow::Result;
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

/// Bytes of a channel file.
const CHANNEL: u64 = 4 << 20;

/// A folder in memory for sockets, channels and logs; gone with the value.
pub(crate) struct Stage {
    folder: PathBuf,
}

impl Stage {
    /// Makes the folder.
    pub(crate) fn new() -> Result<Self> {
        let folder = PathBuf::from(format!("/dev/shm/muennet-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Two files for channels, new and empty.
    pub(crate) fn channels(&self) -> Result<[PathBuf; 2]> {
        let files = ["a_to_b", "b_to_a"].map(|name| self.path(name));
        for file in &files {
            File::create(file)?.set_len(CHANNEL)?;
        }
        Ok(files)
    }

    /// Starts a command whose words go to the file `log`.
    pub(crate) fn start(&self, command: &mut Command, log: &str) -> Result<Process> {
        Process::start(command, &self.path(log))
    }

    /// Serves a policy of tests/policies.
    pub(super) fn serve(&self, policy: &str) -> Result<Process> {
        let mut command = Command::new(program("muen-ivshmem")?);
        command
            .arg("--policy")
            .arg(workspace().join("tests/policies").join(policy))
            .arg("--dir")
            .arg(&self.folder)
            .arg("--observe");
        let server = self.start(&mut command, "server")?;
        server.until_said("-device ivshmem-doorbell")?;
        Ok(server)
    }

    /// The echo server as the subject of one-wire.toml, at 192.168.7.2.
    pub(super) fn echo(&self) -> Result<Process> {
        let mut command = Command::new(program("echo")?);
        command
            .arg("--ivshmem")
            .arg(self.path("echo.sock"))
            .args(["--in", "testchannel_1", "--out", "testchannel_2"])
            .args(["--address", "192.168.7.2/24"]);
        self.start(&mut command, "echo")
    }

    /// A bridge command as a subject: `interface` is its option and value.
    pub(super) fn bridge(
        &self,
        netns: &Netns,
        interface: [&str; 2],
        (subject, input, output): (&str, &str, &str),
    ) -> Result<Command> {
        let mut command = netns.command(program("muennet-host")?);
        command
            .arg("bridge")
            .args(interface)
            .arg("--ivshmem")
            .arg(self.path(&format!("{subject}.sock")))
            .args(["--in", input, "--out", output]);
        Ok(command)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A bridge from a TAP to channels in files.
pub(super) fn file_bridge(netns: &Netns, input: &Path, output: &Path) -> Result<Command> {
    let mut command = netns.command(program("muennet-host")?);
    command
        .args(["bridge", "--tap", "tap0", "--poll", "100", "--in-file"])
        .arg(input)
        .arg("--out-file")
        .arg(output);
    Ok(command)
}
