// SPDX-License-Identifier: MIT OR Apache-2.0
//! The programs for Linux hosts, with real interfaces in network namespaces: the
//! bridge, and looking on.

mod component;
mod files;
mod hostile;
mod pings;
mod recording;
mod refusals;
mod restarts;
mod ring;
mod stage;

pub(crate) use stage::Stage;

use crate::{
    cache::{need_program, need_root},
    lab::{build_programs, program},
    netns::Netns,
    run::quietly,
};
use anyhow::{ensure, Context, Result};
use std::{process::Command, time::Duration};

/// Within so long the fastest restart has recovered.
pub const RECOVERED: Duration = Duration::from_secs(1);

/// All of it.
pub fn check() -> Result<()> {
    need_root()?;
    for (name, package) in [
        ("ip", "iproute2"),
        ("ping", "iputils-ping"),
        ("iperf3", "iperf3"),
        ("tcpdump", "tcpdump"),
        ("tshark", "tshark"),
        ("setpriv", "util-linux"),
    ] {
        need_program(name, package)?;
    }
    build_programs()?;
    let stage = Stage::new()?;
    component::check(&stage).context("a component behind a bridge")?;
    restarts::check(&stage).context("either end starts again")?;
    ring::check(&stage).context("a bridge beside a peer like the original")?;
    files::frames(&stage).context("two bridges over files")?;
    files::long_frames(&stage).context("frames longer than an element")?;
    hostile::frames(&stage).context("random frames through a bridge")?;
    refusals::ordinary_user(&stage).context("a bridge of an ordinary user")?;
    recording::to_a_pipe(&stage).context("a capture on the standard output")?;
    packets(&stage).context("two bridges for IP packets")?;
    refusals::command_lines(&stage).context("what cannot be is refused")
}

/// Two hosts joined by channels in IP mode, with events.
fn packets(stage: &Stage) -> Result<()> {
    let server = stage.serve("two-linux.toml")?;
    let (a, b) = (Netns::new("a")?, Netns::new("b")?);
    a.interface("tun", "tun0", &["192.168.8.1/24", "fd00::1/64"])?;
    b.interface("tun", "tun0", &["192.168.8.2/24", "fd00::2/64"])?;
    let mut first = stage.bridge(&a, ["--tun", "tun0"], ("linux-a", "b_to_a", "a_to_b"))?;
    let mut second = stage.bridge(&b, ["--tun", "tun0"], ("linux-b", "a_to_b", "b_to_a"))?;
    let one = stage.start(first.args(["--mark", "7"]), "bridge-a")?;
    let other = stage.start(&mut second, "bridge-b")?;
    a.up("tun0")?;
    b.up("tun0")?;
    a.until("ping -c 1 -W 1 192.168.8.2")?;
    a.until("ping -c 1 -W 1 fd00::2")?;
    let seen = quietly(
        Command::new(program("muennet-host")?)
            .args(["inspect", "--mode", "net_hdr", "--once", "--interval", "1"])
            .args(["--channel", "a_to_b", "--observe"])
            .arg(stage.path("observe")),
    )?;
    ensure!(
        seen.contains("mark 7") && seen.contains("IPv6") && seen.contains("linux-a → linux-b"),
        "the mark is not seen:\n{seen}"
    );
    let rate = iperf3(stage, &b, &a, "fd00::1")?;
    said(&format!(
        "iperf3 across two TUNs and events, IPv6: {rate:.0} Mbit/s"
    ));
    one.end()?;
    other.end()?;
    server.end().map(drop)
}

/// Megabits per second from one host to the other, where `address` is.
fn iperf3(stage: &Stage, from: &Netns, to: &Netns, address: &str) -> Result<f64> {
    let mut serving = to.command("iperf3");
    let serving = stage.start(serving.args(["-s", "-1", "--forceflush"]), "iperf3")?;
    serving.until_said("listening")?;
    let said = from.ok(&format!("iperf3 -c {address} -t 2 -f m"))?;
    megabits(&said)
}

/// The rate that arrived, in megabits per second, as iperf3 says it.
pub fn megabits(said: &str) -> Result<f64> {
    let line = said.lines().rfind(|line| line.contains("receiver"));
    let words: Vec<_> = line.unwrap_or_default().split_whitespace().collect();
    let unit = words.iter().position(|word| *word == "Mbits/sec");
    let rate = unit.and_then(|at| words.get(at.checked_sub(1)?));
    let rate: f64 = rate
        .with_context(|| format!("no result of iperf3:\n{said}"))?
        .parse()?;
    ensure!(rate > 0.0, "nothing arrived:\n{said}");
    Ok(rate)
}

/// A line below the layer's.
pub fn said(what: &str) {
    println!("      {what}");
}
