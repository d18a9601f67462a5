// SPDX-License-Identifier: MIT OR Apache-2.0
//! A bridge rings its peer when that comes up: a peer like the original notices an epoch by
//! an event alone.

use super::Stage;
use crate::{lab::program, netns::Netns};
use anyhow::{Context, Result};
use std::process::Command;

/// The protocol of the peer for tests, hexadecimal.
const PROTOCOL: &str = "2";
/// Starts of the peer, each of which must be rung.
const STARTS: usize = 5;

pub(super) fn check(stage: &Stage) -> Result<()> {
    let server = stage.serve("one-wire.toml")?;
    let netns = Netns::new("ring")?;
    // Nothing is sent, so nothing else rings.
    netns.ok("sysctl -qw net.ipv6.conf.default.disable_ipv6=1")?;
    netns.interface("tun", "tun0", &["192.168.7.1/24"])?;
    let subject = ("linux", "testchannel_2", "testchannel_1");
    let mut bridge = stage.bridge(&netns, ["--tun", "tun0"], subject)?;
    bridge.args(["--reader-protocol", PROTOCOL]);
    bridge.args(["--writer-protocol", PROTOCOL]);
    let bridge = stage.start(&mut bridge, "bridge")?;
    bridge.until_said("bridged")?;
    for start in 1..=STARTS {
        let mut peer = Command::new(program("peer")?);
        peer.arg("--ivshmem")
            .arg(stage.path("echo.sock"))
            .args(["original", "testchannel_2"])
            .args(["--mode", "net-hdr", "--input", "testchannel_1"]);
        let peer = stage.start(&mut peer, "peer")?;
        peer.until_said("noticed")
            .with_context(|| format!("start {start}: the peer was not rung"))?;
        netns.up("tun0")?;
        netns.ok("ping -n -c 1 -W 5 192.168.7.2")?;
        drop(peer);
        netns.down("tun0")?;
    }
    bridge.end()?;
    server.end().map(drop)
}
