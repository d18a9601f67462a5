// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random frames from both sides of a bridge: it counts each of them, keeps on, and good
//! frames pass afterwards.

use super::{said, stage::Stage};
use crate::{
    lab::program,
    netns::{until, Netns},
    process::Process,
    run::{number_before, quietly},
    settings::number,
};
use anyhow::{ensure, Context, Result};
use std::{
    io::Write,
    process::{Command, Stdio},
};

/// Frames from each side; MUENNET_BRIDGED sets another number.
const FRAMES: u64 = 20_000;
/// Lies about the channel itself, one for so many frames.
const LIES: u64 = 10;
/// The first seed; MUENNET_SEED sets another.
const SEED: u64 = 1;

const BRIDGE: (&str, &str, &str) = ("linux", "testchannel_2", "testchannel_1");

pub(super) fn frames(stage: &Stage) -> Result<()> {
    let count = number("MUENNET_BRIDGED", FRAMES)?;
    let seed = number("MUENNET_SEED", SEED)?;
    let server = stage.serve("one-wire.toml")?;
    let netns = Netns::new("hostile")?;
    netns.interface("tap", "tap0", &["192.168.7.1/24"])?;
    let bridge = || -> Result<Process> {
        let mut command = stage.bridge(&netns, ["--tap", "tap0"], BRIDGE)?;
        let bridge = stage.start(&mut command, "bridge")?;
        bridge.until_said("bridged")?;
        Ok(bridge)
    };

    let bridging = bridge()?;
    let before = statistics(&netns)?;
    let mut peer = peer(stage, count, seed)?;
    let good = good_frames(stage, &netns, &mut peer)?;
    let interface = program("frames")?;
    let interface = format!(
        "{} --count {count} --seed {seed} interface tap0",
        interface.display()
    );
    // Longer ones than the bridge's elements take.
    netns.ok(&format!("ip link set tap0 mtu 1504 && {interface}"))?;
    let seen = quietly(
        Command::new(program("muennet-host")?)
            .args([
                "inspect",
                "--once",
                "--interval",
                "1",
                "--history",
                "--json",
            ])
            .args(["--channel", BRIDGE.2, "--observe"])
            .arg(stage.path("observe")),
    )?;
    ensure!(
        seen.contains("\"state\":\"up\"") && seen.contains("\"rejected\":0"),
        "of the frames from the interface a reader accepts not all:\n{seen}"
    );
    let ended = bridging.end()?;
    let after = statistics(&netns)?;
    let counts = Counts::read(&ended)?;
    ensure!(
        counts.elements() == count + good && counts.rejected > 0,
        "of {count} hostile and {good} good elements the bridge counts {counts:?}"
    );
    ensure!(
        counts.received == after.0 - before.0,
        "Linux received {} frames of {counts:?}",
        after.0 - before.0
    );
    ensure!(
        counts.sent + counts.unsendable == after.1 - before.1 && counts.unsendable > 0,
        "Linux sent {} frames of {counts:?}",
        after.1 - before.1
    );
    drop(peer);

    // Lies about the channel as well; then an honest component.
    netns.ok("ip link set tap0 mtu 1500")?;
    let bridging = bridge()?;
    let liar = liar(stage, count / LIES, seed)?;
    netns.ok(&interface)?;
    drop(liar);
    let echo = stage.echo()?;
    netns.until("ping -c 1 -W 1 192.168.7.2")?;
    echo.end()?;
    bridging.end()?;
    said(&format!(
        "seed {seed}: {count} random frames from each side, of which the bridge passed {} and {}",
        counts.received, counts.sent
    ));
    server.end().map(drop)
}

/// The component's side: it has written random elements.
fn peer(stage: &Stage, count: u64, seed: u64) -> Result<Process> {
    let mut command = Command::new(program("frames")?);
    command
        .args(["--count", &count.to_string(), "--seed", &seed.to_string()])
        .args(["channel", "--channel", BRIDGE.1, "--ivshmem"])
        .arg(stage.path("echo.sock"));
    let mut peer = Process::start_with_input(&mut command, &stage.path("frames"), Stdio::piped())?;
    until("the end of the random elements", || {
        ensure!(peer.is_running()?, "{}", peer.said());
        Ok(peer.said().contains("told"))
    })?;
    Ok(peer)
}

/// Has good frames sent until Linux sees one; how many there were.
fn good_frames(stage: &Stage, netns: &Netns, peer: &mut Process) -> Result<u64> {
    let mut command = netns.command("tcpdump");
    command
        .args(["-n", "-c", "1", "-i", "tap0", "-Z", "root"])
        .arg("ether proto 0x88b5 and ether src 02:00:00:00:00:09");
    let mut dump = stage.start(&mut command, "tcpdump")?;
    dump.until_said("listening on")?;
    let mut input = peer.input().context("no input")?;
    let mut good = 0;
    until("a good frame behind the random ones", || {
        good += 1;
        input.write_all(b"\n")?;
        std::thread::sleep(std::time::Duration::from_millis(50));
        Ok(!dump.is_running()?)
    })?;
    // With its input the component would end, and its epoch with it.
    std::mem::forget(input);
    // Those that were sent last are read as well.
    let all = format!("[ $(cat {RECEIVED}) -gt 0 ] && x=$(cat {RECEIVED}) && sleep 0.2 && [ $x = $(cat {RECEIVED}) ]");
    netns.until(&all)?;
    Ok(good)
}

/// Lies about counters, sizes and lengths.
fn liar(stage: &Stage, count: u64, seed: u64) -> Result<Process> {
    let protocol = 0x7ade_5c54_9b08_e814_u64.to_string();
    let mut command = Command::new(program("peer")?);
    command.arg("--ivshmem").arg(stage.path("echo.sock")).args([
        "mutate",
        BRIDGE.1,
        "--mode",
        "eth-dev",
        "--protocol",
        &protocol,
        "--count",
        &count.to_string(),
        "--seed",
        &seed.to_string(),
    ]);
    let mut liar = stage.start(&mut command, "peer")?;
    until("the end of the lies", || {
        ensure!(liar.is_running()?, "{}", liar.said());
        Ok(liar.said().contains("told"))
    })?;
    Ok(liar)
}

const RECEIVED: &str = "/sys/class/net/tap0/statistics/rx_packets";

/// Frames that Linux received and sent.
fn statistics(netns: &Netns) -> Result<(u64, u64)> {
    let said = netns.ok(&format!(
        "cat {RECEIVED} /sys/class/net/tap0/statistics/tx_packets"
    ))?;
    let mut numbers = said.lines().map(str::parse);
    let received = numbers.next().context("no counter")??;
    Ok((received, numbers.next().context("no counter")??))
}

/// Counters that the bridge prints at its end.
#[derive(Debug)]
struct Counts {
    received: u64,
    sent: u64,
    lost: u64,
    rejected: u64,
    refused: u64,
    unsendable: u64,
    skipped: u64,
}

impl Counts {
    fn read(said: &str) -> Result<Self> {
        let of = |unit| {
            // Frames not to be sent stand behind those that were lost.
            let said = match unit {
                " sent, " => said
                    .rsplit_once(" lost,")
                    .map_or(said, |(before, _)| before),
                _ => said,
            };
            number_before(said, unit).with_context(|| format!("no number of{unit}:\n{said}"))
        };
        Ok(Self {
            received: of(" frames received,")?,
            sent: of(" sent, ")?,
            lost: of(" lost,")?,
            rejected: of(" rejected,")?,
            refused: of(" refused by Linux")?,
            unsendable: of(" not to be sent")?,
            skipped: of(" skipped")?,
        })
    }

    /// All elements of the channel.
    fn elements(&self) -> u64 {
        self.received + self.lost + self.rejected + self.refused + self.skipped
    }
}
