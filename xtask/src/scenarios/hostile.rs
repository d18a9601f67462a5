// SPDX-License-Identifier: MIT OR Apache-2.0
//! A peer that lies: each lie of the protocol's description, then random ones by the
//! hundred thousand, in every mode. The VM and its other interface go on as if
//! nothing were, the log stays short, and an honest peer is heard at once.

use super::ethtool::statistic_of;
use crate::{
    lab::{carrier, Lab, Wire, PROTOCOL},
    process::Process,
    settings::number,
    vm::Vm,
};
use anyhow::{ensure, Context, Result};

/// Random lies in each mode.
const LIES: u64 = 34_000;
/// Frames of the honest peer that follows.
const HONEST: u64 = 10;
/// Lines that all of it may add to the log: the network's own limit of ten every
/// five seconds, for as long as it takes.
const LINES: usize = 600;

const MODES: [(&str, &str); 3] = [
    ("raw", "raw"),
    ("net_hdr", "net-hdr"),
    ("eth_dev", "eth-dev"),
];

/// The consequence of a lie.
#[derive(Clone, Copy)]
enum Then {
    /// No carrier, and this many faults or more.
    Fault,
    /// This counter counts.
    Counted(&'static str),
    /// Whatever comes of it is all right.
    Anything,
}

/// Lies about the header and its counters, for every mode.
const HEADER: &[(&str, Then)] = &[
    ("transport", Then::Fault),
    ("protocol", Then::Fault),
    ("size-zero", Then::Fault),
    ("size-small", Then::Fault),
    ("size-huge", Then::Fault),
    ("elements-zero", Then::Fault),
    ("elements-one-more", Then::Fault),
    ("elements-overflow", Then::Fault),
    ("written-backwards", Then::Fault),
    ("start-behind", Then::Fault),
    ("written-max", Then::Counted("rx_overruns")),
    ("written-jumps", Then::Counted("rx_overruns")),
    ("flipping-header", Then::Anything),
];

/// Lies about frames, for modes that have a length.
const LENGTHS: &[(&str, Then)] = &[
    ("length-max", Then::Counted("rx_rejected_too_long")),
    ("length-one-more", Then::Counted("rx_rejected_too_long")),
    ("length-short", Then::Counted("rx_rejected_too_short")),
    ("length-zero", Then::Counted("rx_rejected_too_short")),
    ("flipping-length", Then::Anything),
    ("flood", Then::Counted("rx_rejected_too_long")),
];

/// Lies about IP packets.
const IP: &[(&str, Then)] = &[
    ("unknown-protocol", Then::Counted("rx_rejected_protocol")),
    ("version", Then::Counted("rx_rejected_version")),
    ("ip-longer", Then::Counted("rx_rejected_length_mismatch")),
    ("ipv6-longest", Then::Counted("rx_rejected_length_mismatch")),
];

/// The VM, its honest peer, and the hostile one.
pub fn hostile(lab: &Lab) -> Result<()> {
    let lies = number("MUENNET_LIES", LIES)?;
    let wire = lab.serve("hostile.toml")?;
    let mut vm = wire.vm("linux")?;
    let echo = wire.echo()?;
    vm.ok(&format!(
        "modprobe muennet name=net0,raw,net_hdr,eth_dev in=testchannel_2,raw,net_hdr,eth_dev \
         out=testchannel_1 reader_protocol={PROTOCOL},2,2,2 writer_protocol={PROTOCOL} \
         flags=eth_dev,,net_hdr,eth_dev"
    ))?;
    vm.ok("ip addr add 192.168.7.1/24 dev net0; ip link set net0 up")?;
    carrier(&mut vm)?;
    vm.until("ping -c 1 -W 1 192.168.7.2")?;
    for (interface, _) in MODES {
        vm.ok(&format!("ip link set {interface} up"))?;
    }
    let before = vm.ok("dmesg")?.lines().count();
    vm.ok("ping -i 0.02 192.168.7.2 >/tmp/pings 2>&1 &")?;

    for mode in MODES {
        let lists: &[&[(&str, Then)]] = match mode.0 {
            "raw" => &[HEADER],
            "net_hdr" => &[HEADER, LENGTHS, IP],
            _ => &[HEADER, LENGTHS],
        };
        for (lie, then) in lists.iter().copied().flatten() {
            told(&wire, &mut vm, mode, lie, *then)
                .with_context(|| format!("the lie {lie} on {}", mode.0))?;
        }
        honest(&wire, &mut vm, mode)?;
    }
    for (seed, mode) in ('1'..).zip(MODES) {
        let (count, seed) = (lies.to_string(), seed.to_string());
        drop(say(
            &wire,
            "mutate",
            mode,
            &["--count", &count, "--seed", &seed],
        )?);
        honest(&wire, &mut vm, mode)?;
    }

    // The other interface never noticed.
    let said = vm.ok("kill -INT $(pidof ping); sleep 0.2; cat /tmp/pings")?;
    let loss = said
        .lines()
        .find_map(|line| {
            line.split(", ")
                .find_map(|part| part.strip_suffix("% packet loss"))
        })
        .with_context(|| format!("no result of ping:\n{said}"))?;
    let loss: f64 = loss.parse()?;
    ensure!(
        loss < 1.0,
        "the honest interface lost {loss} % of its pings"
    );
    let log = vm.ok("dmesg")?;
    let lines = log.lines().count() - before;
    ensure!(
        lines < LINES,
        "the log grew by {lines} lines:\n{}",
        crate::run::tail(&log, 30)
    );
    drop(echo);
    vm.finish()
}

/// Has the hostile peer do something on a mode's channel; it stays to be looked at.
fn say(
    wire: &Wire<'_>,
    what: &str,
    (channel, mode): (&str, &str),
    more: &[&str],
) -> Result<Process> {
    let mut arguments = vec![what, channel, "--mode", mode];
    arguments.extend_from_slice(more);
    wire.peer_that_stays("hostile", &arguments)
}

/// One lie, and what comes of it; then an honest peer.
fn told(wire: &Wire<'_>, vm: &mut Vm, mode: (&str, &str), lie: &str, then: Then) -> Result<()> {
    let interface = mode.0;
    let counter = match then {
        Then::Fault => "rx_faults",
        Then::Counted(counter) => counter,
        Then::Anything => "rx_epochs",
    };
    let before = statistic_of(vm, interface, counter)?;
    let peer = say(wire, "lie", mode, &["--lie", lie])?;
    vm.until(&format!(
        "[ $(ethtool -S {interface} | sed -n 's/^ *{counter}: //p') -gt {before} ] || \
         {{ cat /sys/kernel/debug/muennet/{interface}/info; false; }}"
    ))?;
    if matches!(then, Then::Fault) {
        vm.until(&format!("ip link show {interface} | grep -q NO-CARRIER"))?;
    }
    drop(peer);
    honest(wire, vm, mode)
}

/// An honest peer takes over: all of its frames arrive.
pub(super) fn honest(wire: &Wire<'_>, vm: &mut Vm, mode: (&str, &str)) -> Result<()> {
    let interface = mode.0;
    // What the lie left is looked at no more, once its epoch is gone.
    let epochs = statistic_of(vm, interface, "rx_epochs")?;
    let before = statistic_of(vm, interface, "rx_frames")?;
    let _peer = say(wire, "honest", mode, &["--frames", &HONEST.to_string()])?;
    vm.until(&format!(
        "ethtool -S {interface} >/tmp/s; \
         [ $(sed -n 's/^ *rx_epochs: //p' /tmp/s) -gt {epochs} ] && \
         [ $(sed -n 's/^ *rx_frames: //p' /tmp/s) -ge $(({before} + {HONEST})) ]"
    ))
    .context("the honest peer after it is not heard")?;
    vm.ok(&format!("ip link show {interface} | grep -q LOWER_UP"))
        .map(drop)
}
