// SPDX-License-Identifier: MIT OR Apache-2.0
//! A component behind a bridge: traffic, recorders, and restarts of all parts.

use super::{pings, recording::Recorders, said, stage::Stage, RECOVERED};
use crate::{lab::program, netns::Netns};
use anyhow::{ensure, Result};
use std::time::{Duration, Instant};

/// Restarts of each side; the fastest counts, since others use the machine too.
const RESTARTS: usize = 3;

/// A TAP in a namespace and the echo server, as the subjects of a policy: traffic,
/// what a recorder and tcpdump see of it, and restarts of all parts.
pub(super) fn check(stage: &Stage) -> Result<()> {
    let server = stage.serve("one-wire.toml")?;
    let netns = Netns::new("tap")?;
    // Both captures are to hold the same, so Linux itself is to be silent.
    netns.ok("sysctl -qw net.ipv6.conf.default.disable_ipv6=1")?;
    netns.interface("tap", "tap0", &["192.168.7.1/24"])?;
    let linux = ("linux", "testchannel_2", "testchannel_1");
    let bridge = || {
        let bridge = stage.start(
            &mut stage.bridge(&netns, ["--tap", "tap0"], linux)?,
            "bridge",
        )?;
        bridge.until_said("bridged")?;
        Ok::<_, anyhow::Error>(bridge)
    };
    let echo = || stage.echo();
    let answers = || netns.until("ping -c 1 -W 1 192.168.7.2");

    let mut bridging = bridge()?;
    netns.down("tap0")?;
    let recorders = Recorders::start(stage, &netns)?;
    let mut echoing = echo()?;
    netns.up("tap0")?;
    answers()?;
    let probe = program("probe")?;
    let probe = probe.display();
    // In all fewer frames than a channel holds: the recorder loses none, however
    // slow it is.
    netns.ok("ping -c 5 -i 0.05 192.168.7.2")?;
    netns.ok(&format!("{probe} tcp 192.168.7.2:7 --bytes 300000"))?;
    netns.ok(&format!("{probe} udp 192.168.7.2:7 --to 1472"))?;
    let frames = recorders.compare(stage)?;
    said(&format!(
        "inspect and tcpdump recorded the same {frames} frames"
    ));

    let mut took = [Duration::MAX; 3];
    for _ in 0..RESTARTS {
        drop(echoing);
        netns.down("tap0")?;
        let start = Instant::now();
        echoing = echo()?;
        netns.up("tap0")?;
        answers()?;
        took[0] = took[0].min(start.elapsed());

        drop(bridging);
        netns.down("tap0")?;
        let start = Instant::now();
        bridging = bridge()?;
        netns.up("tap0")?;
        answers()?;
        took[1] = took[1].min(start.elapsed());
    }
    // Without pause, so that requests lie in the channel at each start.
    let pings = pings::begin(stage, &netns)?;
    for _ in 0..RESTARTS {
        drop(echoing);
        netns.down("tap0")?;
        echoing = echo()?;
        netns.up("tap0")?;
        answers()?;
        drop(bridging);
        netns.down("tap0")?;
        bridging = bridge()?;
        netns.up("tap0")?;
        answers()?;
    }
    pings::end(pings)?;
    // Beside a component that is silent now: its old frames stay old.
    drop(bridging);
    netns.down("tap0")?;
    netns.ok("ip neigh replace 192.168.7.2 lladdr 02:00:00:00:00:02 dev tap0 nud permanent")?;
    bridging = bridge()?;
    netns.up("tap0")?;
    let ended = bridging.end()?;
    ensure!(
        ended.contains("0 frames received, ") && ended.contains(" sent, 0 lost, "),
        "a bridge beside a silent component:\n{ended}"
    );
    netns.down("tap0")?;
    bridging = bridge()?;
    netns.up("tap0")?;
    answers()?;
    // The server: the bridge finds it again by itself.
    drop(server);
    netns.down("tap0")?;
    drop(echoing);
    let start = Instant::now();
    let server = stage.serve("one-wire.toml")?;
    echoing = echo()?;
    netns.up("tap0")?;
    answers()?;
    took[2] = start.elapsed();
    ensure!(
        took[0] <= RECOVERED && took[1] <= RECOVERED,
        "killed and started again, it takes {took:?} until ping is answered"
    );
    said(&format!(
        "killed and started again, ping is answered after {} ms (component), {} ms (bridge), \
         {} ms (server)",
        took[0].as_millis(),
        took[1].as_millis(),
        took[2].as_millis()
    ));
    let last = bridging.end()?;
    ensure!(last.contains("frames received"), "{last}");
    echoing.end()?;
    server.end().map(drop)
}
