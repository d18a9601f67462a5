// SPDX-License-Identifier: MIT OR Apache-2.0
//! Network namespaces of this host, for tests that need interfaces of their own.

use crate::run::quietly;
use anyhow::{bail, Result};
use std::{
    process::Command,
    time::{Duration, Instant},
};

/// Nothing that is waited for takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A namespace, gone with the value.
#[derive(Debug)]
pub struct Netns {
    name: String,
}

impl Netns {
    /// Makes a namespace of which no packet goes out unasked.
    pub fn new(name: &str) -> Result<Self> {
        let name = format!("muennet-{}-{name}", std::process::id());
        quietly(Command::new("ip").args(["netns", "add", &name]))?;
        let netns = Self { name };
        netns.ok("sysctl -qw net.ipv6.conf.default.router_solicitations=0 \
                  net.ipv6.conf.default.accept_dad=0 && ip link set lo up")?;
        Ok(netns)
    }

    /// A command inside.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// Runs a shell command that must succeed; gives what it printed.
    pub fn ok(&self, line: &str) -> Result<String> {
        quietly(self.command("sh").args(["-c", line]))
    }

    /// Runs a shell command until it succeeds; gives how long that took.
    pub fn until(&self, line: &str) -> Result<Duration> {
        until(line, || Ok(self.ok(line).is_ok()))
    }

    /// Makes an interface that stays when the program behind it ends.
    pub fn interface(&self, kind: &str, name: &str, addresses: &[&str]) -> Result<()> {
        self.ok(&format!("ip tuntap add dev {name} mode {kind}"))?;
        for address in addresses {
            self.ok(&format!("ip addr add {address} dev {name}"))?;
        }
        self.ok(&format!("ip link set {name} up")).map(drop)
    }

    /// Waits for the interface to be in use by Linux; gives how long that took.
    pub fn up(&self, interface: &str) -> Result<Duration> {
        self.until(&format!(
            "ip link show {interface} | grep -Eq 'LOWER_UP.* state (UP|UNKNOWN)'"
        ))
    }

    /// Waits for the interface to have no carrier.
    pub fn down(&self, interface: &str) -> Result<Duration> {
        self.until(&format!("ip link show {interface} | grep -q NO-CARRIER"))
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        let _ = quietly(Command::new("ip").args(["netns", "del", &self.name]));
    }
}

/// Asks again and again until it is so; gives how long that took.
pub fn until(what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result<Duration> {
    let start = Instant::now();
    while !is_so()? {
        if start.elapsed() > PATIENCE {
            bail!("waited in vain for: {what}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(start.elapsed())
}
