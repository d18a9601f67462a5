// SPDX-License-Identifier: MIT OR Apache-2.0
//! One wire in all its states: either end first, restarts, the interface down and
//! up, and what `ip` and `tcpdump` show of it.

use super::ethtool::statistic;
use crate::{
    lab::{carrier, has_version, load, Lab, Wire},
    process::Process,
    progress::Seconds,
    target::Arch,
    vm::Vm,
};
use anyhow::{ensure, Context, Result};
use std::time::Instant;

/// The vector of Linux' interrupt 0: ISA_IRQ_VECTOR(0) on x86_64.
fn first_vector(arch: Arch) -> u32 {
    match arch {
        Arch::Amd64 => 0x30,
        Arch::Arm64 => 0,
    }
}

/// The channels have vectors.
pub fn interrupt(lab: &Lab) -> Result<()> {
    let arch = lab.tree.arch();
    let wire = lab.serve("one-wire.toml")?;
    let mut vm = states(&wire, "")?;
    has_version(&mut vm, 5)?;
    numbered(&mut vm, arch)?;

    // The other layout of struct muen_cpu_affinity.
    vm.ok("modprobe -r muennet && modprobe muen_ivshmem aligned=1")?;
    load(
        &mut vm,
        "testchannel_2",
        "testchannel_1",
        "192.168.7.1/24",
        "",
    )?;
    let echo = wire.echo()?;
    carrier(&mut vm)?;
    ping(&mut vm)?;
    numbered(&mut vm, arch)?;
    every_answer_interrupts(&mut vm)?;
    drop(echo);
    peer_that_wastes_an_event(&wire, &mut vm)?;
    vm.finish()
}

/// Starts of the peer.
const STARTS: usize = 20;

/// A peer like the original spends its first event on noticing that Linux is up. Linux
/// rings when the peer comes up, so that the first ping is answered, at every start.
fn peer_that_wastes_an_event(wire: &Wire<'_>, vm: &mut Vm) -> Result<()> {
    vm.ok("modprobe -r muennet")?;
    // Without IPv6 nothing is sent, and nothing rings, before the ping.
    vm.ok(
        "modprobe muennet name=net0 reader_protocol=2 writer_protocol=2 \
         in=testchannel_2 out=testchannel_1 flags=net_hdr && \
         echo 1 >/proc/sys/net/ipv6/conf/net0/disable_ipv6 && \
         ip addr add 192.168.7.1/24 dev net0 && ip link set net0 up",
    )?;
    let mut slowest = 0.0_f64;
    for start in 1..=STARTS {
        no_carrier(vm)?;
        let arguments = [
            "original",
            "testchannel_2",
            "--mode",
            "net-hdr",
            "--input",
            "testchannel_1",
        ];
        let peer = wire.peer_that_stays("echo", &arguments)?;
        peer.until_said("noticed")
            .with_context(|| format!("start {start}: the peer was not rung"))?;
        carrier(vm)?;
        let said = vm
            .ok("ping -c 1 -W 5 192.168.7.2")
            .with_context(|| format!("start {start}: the first ping"))?;
        let time = said.split_once("time=").context("no time")?.1;
        let time = time.split_whitespace().next().context("no number")?;
        slowest = slowest.max(time.parse()?);
    }
    println!("      {STARTS} starts of the peer: the first ping answered in {slowest} ms or less");
    Ok(())
}

/// Interrupts came, by the number that Linux has for the vector.
fn numbered(vm: &mut Vm, arch: Arch) -> Result<()> {
    let interrupts = vm.ok("grep muennet /proc/interrupts")?;
    let mut words = interrupts.split_whitespace();
    let irq: Option<u32> = words
        .next()
        .and_then(|word| word.trim_end_matches(':').parse().ok());
    let irq = irq.with_context(|| format!("no interrupt:\n{interrupts}"))?;
    ensure!(
        words.next() != Some("0"),
        "no interrupt came:\n{interrupts}"
    );
    let info = vm.ok("cat /sys/kernel/debug/muennet/net0/info")?;
    let line = format!("irq:      {irq} (vector {})", irq + first_vector(arch));
    ensure!(
        info.contains(&line),
        "debugfs should show \"{line}\":\n{info}"
    );
    Ok(())
}

/// The interrupt is unmasked behind each poll: answers that come one by one interrupt anew.
/// The watch timer alone would deliver them as well, so interrupts are counted.
fn every_answer_interrupts(vm: &mut Vm) -> Result<()> {
    let before = statistic(vm, "rx_events")?;
    vm.ok("ping -c 10 -i 0.2 192.168.7.2")?;
    let after = statistic(vm, "rx_events")?;
    ensure!(
        after >= before + 5,
        "ten answers made {} interrupts",
        after - before
    );
    Ok(())
}

/// The channels have none: a timer looks.
pub fn poll(lab: &Lab) -> Result<()> {
    let wire = lab.serve_version("one-wire-poll.toml", 4)?;
    let mut vm = states(&wire, "poll=250")?;
    has_version(&mut vm, 4)?;
    let output = vm.run("grep muennet /proc/interrupts")?;
    ensure!(
        output.status != 0,
        "polling needs no interrupt:\n{}",
        output.text
    );
    vm.finish()
}

fn states(wire: &Wire<'_>, more: &str) -> Result<Vm> {
    let mut vm = wire.vm("linux")?;

    // Linux first.
    load(
        &mut vm,
        "testchannel_2",
        "testchannel_1",
        "192.168.7.1/24",
        more,
    )?;
    vm.ok("ip monitor link >/tmp/links 2>&1 &")?;
    no_carrier(&mut vm)?;
    let echo = wire.echo()?;
    carrier(&mut vm)?;
    ping(&mut vm)?;

    capture(&mut vm)?;
    counters(&mut vm)?;
    let echo = restart(wire, &mut vm, echo)?;

    // The interface down and up: the peer sees it.
    vm.ok("ip link set net0 down")?;
    echo.until_said("link down")?;
    vm.ok("ip link set net0 up")?;
    carrier(&mut vm)?;
    ping(&mut vm)?;

    // The peer first.
    vm.ok("rmmod muennet")?;
    load(
        &mut vm,
        "testchannel_2",
        "testchannel_1",
        "192.168.7.1/24",
        more,
    )?;
    carrier(&mut vm)?;
    ping(&mut vm)?;
    drop(echo);
    Ok(vm)
}

fn no_carrier(vm: &mut Vm) -> Result<()> {
    vm.until("ip link show net0 | grep -q NO-CARRIER").map(drop)
}

/// One ping, with others in reserve: the first may be the one that a start loses.
fn ping(vm: &mut Vm) -> Result<()> {
    vm.ok("ping -c 1 -W 5 192.168.7.2 || ping -c 3 192.168.7.2")
        .map(drop)
}

/// The echo server dies without a word and comes again.
fn restart(wire: &Wire<'_>, vm: &mut Vm, echo: Process) -> Result<Process> {
    vm.ok(": >/tmp/links")?;
    drop(echo);
    no_carrier(vm)?;
    let echo = wire.echo()?;
    let start = Instant::now();
    carrier(vm)?;
    vm.ok("ping -c 1 -W 1 192.168.7.2 || ping -c 3 -W 1 192.168.7.2")?;
    let took = start.elapsed();
    println!("      ping {} after the restart", Seconds(took));
    ensure!(took.as_secs() < 10, "the restart took {}", Seconds(took));
    let links = vm.ok("cat /tmp/links")?;
    let down = links.find("NO-CARRIER").context("carrier never down")?;
    ensure!(
        links[down..].contains("LOWER_UP"),
        "the carrier did not come again:\n{links}"
    );
    Ok(echo)
}

/// tcpdump shows the frames of a ping.
fn capture(vm: &mut Vm) -> Result<()> {
    vm.ok("tcpdump -i net0 -n -e -c 4 icmp >/tmp/capture 2>/tmp/tcpdump & echo $! >/tmp/pid")?;
    vm.until("grep -q listening /tmp/tcpdump")?;
    vm.ok("ping -c 2 -i 0.2 192.168.7.2")?;
    vm.until("test $(wc -l </tmp/capture) -ge 4")?;
    let frames = vm.ok("cat /tmp/capture")?;
    for direction in [
        "192.168.7.1 > 192.168.7.2: ICMP echo request",
        "192.168.7.2 > 192.168.7.1: ICMP echo reply",
    ] {
        ensure!(
            frames.matches(direction).count() == 2,
            "tcpdump shows no two frames \"{direction}\":\n{frames}"
        );
    }
    ensure!(
        frames.contains("02:00:00:00:00:02"),
        "the peer's address is missing:\n{frames}"
    );
    Ok(())
}

/// `ip -s -s link` counts every frame, both ways.
fn counters(vm: &mut Vm) -> Result<()> {
    let (received, sent) = packets(vm)?;
    vm.ok("ping -c 20 -i 0.01 192.168.7.2")?;
    let (received_now, sent_now) = packets(vm)?;
    ensure!(
        received_now >= received + 20 && sent_now >= sent + 20,
        "20 pings moved the counters from {received} and {sent} to {received_now} and {sent_now}"
    );
    Ok(())
}

/// Packets received and sent, of `ip -s -s link`.
fn packets(vm: &mut Vm) -> Result<(u64, u64)> {
    let shown = vm.ok("ip -s -s link show net0")?;
    let count = |heading: &str| -> Result<u64> {
        let mut lines = shown.lines();
        lines
            .find(|line| line.trim_start().starts_with(heading))
            .context("no heading")?;
        let line = lines.next().context("no line")?;
        Ok(line
            .split_whitespace()
            .nth(1)
            .context("no packets")?
            .parse()?)
    };
    let both = || -> Result<_> { Ok((count("RX:")?, count("TX:")?)) };
    both().with_context(|| format!("ip shows:\n{shown}"))
}
