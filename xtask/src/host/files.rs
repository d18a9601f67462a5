// SPDX-License-Identifier: MIT OR Apache-2.0
//! Hosts joined by channels that are plain files, without events.

use super::{
    iperf3, said,
    stage::{file_bridge, Stage},
};
use crate::netns::Netns;
use anyhow::{ensure, Result};
use std::path::Path;

/// Two hosts joined by channels that are plain files, without events.
pub(super) fn frames(stage: &Stage) -> Result<()> {
    let [a_to_b, b_to_a] = &stage.channels()?;
    let (a, b) = (Netns::new("a")?, Netns::new("b")?);
    let bridge = |netns: &Netns, input: &Path, output: &Path, log| {
        stage.start(&mut file_bridge(netns, input, output)?, log)
    };
    a.interface("tap", "tap0", &["192.168.7.1/24"])?;
    b.interface("tap", "tap0", &["192.168.7.2/24"])?;
    let one = bridge(&a, b_to_a, a_to_b, "bridge-a")?;
    let other = bridge(&b, a_to_b, b_to_a, "bridge-b")?;
    a.up("tap0")?;
    b.up("tap0")?;
    a.until("ping -c 1 -W 1 192.168.7.2")?;
    let rate = iperf3(stage, &a, &b, "192.168.7.2")?;
    said(&format!(
        "iperf3 across two TAPs and files: {rate:.0} Mbit/s"
    ));
    one.end()?;
    b.down("tap0")?;
    other.end().map(drop)
}

/// TAPs whose MTU is above that of their bridges by a VLAN's tag: their longest frames
/// pass with room for the tag, and without it the bridge says what to do, once.
pub(super) fn long_frames(stage: &Stage) -> Result<()> {
    let [a_to_b, b_to_a] = &stage.channels()?;
    let (a, b) = (Netns::new("a")?, Netns::new("b")?);
    a.interface("tap", "tap0", &["192.168.7.1/24"])?;
    b.interface("tap", "tap0", &["192.168.7.2/24"])?;
    for room in [&[][..], &["--vlan"]] {
        let bridge = |netns: &Netns, input: &Path, output: &Path, log| {
            stage.start(file_bridge(netns, input, output)?.args(room), log)
        };
        let one = bridge(&a, b_to_a, a_to_b, "bridge-a")?;
        let other = bridge(&b, a_to_b, b_to_a, "bridge-b")?;
        for netns in [&a, &b] {
            netns.up("tap0")?;
            netns.ok("ip link set tap0 mtu 1504")?;
        }
        a.until("ping -c 1 -W 1 192.168.7.2")?;
        let longest = "ping -c 3 -i 0.05 -W 1 -M do -s 1476 192.168.7.2";
        let passed = a.ok(longest).is_ok();
        ensure!(
            passed != room.is_empty(),
            "frames of 1518 bytes with {room:?} passed: {passed}"
        );
        let ended = one.end()?;
        b.down("tap0")?;
        other.end()?;
        let told = ended.matches(
            "not sent: a frame of 1518 bytes is longer than the 1514 that an element takes; \
             for VLANs give both ends room for the tag",
        );
        ensure!(
            told.count() == usize::from(room.is_empty()),
            "with {room:?} the bridge said:\n{ended}"
        );
    }
    Ok(())
}
