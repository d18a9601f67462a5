// SPDX-License-Identifier: MIT OR Apache-2.0
//! A policy of 500 subjects: a VM that is one of them has all its interrupts, though the
//! server tells it of every other subject's events first.

use super::ethtool::statistic_of;
use crate::{
    lab::{Lab, PROTOCOL},
    run::target,
};
use anyhow::{ensure, Context, Result};
use std::fmt::Write;

const SUBJECTS: usize = 500;
/// Channels with an event to the VM.
const CHANNELS: usize = 16;

/// The VM, and a peer for the last of its channels.
pub fn subjects(lab: &Lab) -> Result<()> {
    let policy = target("subjects.toml")?;
    std::fs::write(&policy, self::policy()?)?;
    let wire = lab.serve(policy.to_str().context("a path that is no text")?)?;
    let mut vm = wire.vm("linux")?;
    let list = |what: &dyn Fn(usize) -> String| {
        let items: Vec<_> = (0..CHANNELS).map(what).collect();
        items.join(",")
    };
    let protocols = list(&|_| PROTOCOL.to_owned());
    vm.ok(&format!(
        "modprobe muennet name={} in={} reader_protocol={protocols} flags={}",
        list(&|n| format!("net{n}")),
        list(&|n| format!("to_linux_{n}")),
        list(&|_| "eth_dev".to_owned()),
    ))?;
    vm.ok("for n in /sys/class/net/net*; do ip link set ${n##*/} up || exit; done")?;
    let interrupts = vm.ok("cat /proc/interrupts")?;
    let found = interrupts
        .lines()
        .filter(|line| line.ends_with(" muennet"))
        .count();
    ensure!(
        found == CHANNELS,
        "the VM has {found} interrupts of {CHANNELS}:\n{interrupts}"
    );
    // Each of them is rung.
    for n in 0..CHANNELS {
        let interface = format!("net{n}");
        let before = statistic_of(&mut vm, &interface, "rx_events")?;
        let _peer = wire.peer_that_stays(
            &format!("s{n}"),
            &[
                "honest",
                &format!("to_linux_{n}"),
                "--mode",
                "eth-dev",
                "--protocol",
                &protocol()?,
            ],
        )?;
        vm.until(&format!(
            "ethtool -S {interface} >/tmp/s; [ $(sed -n 's/^ *rx_frames: //p' /tmp/s) -ge 10 ] && \
             [ $(sed -n 's/^ *rx_events: //p' /tmp/s) -gt {before} ]"
        ))?;
    }
    vm.finish()
}

/// The protocol as the peer for tests takes it.
fn protocol() -> Result<String> {
    Ok(u64::from_str_radix(&PROTOCOL[2..], 16)?.to_string())
}

/// Channels with events to the VM, which is the last subject, and from one of the others to
/// the next.
fn policy() -> Result<String> {
    let mut text = String::new();
    for n in 0..SUBJECTS - 1 {
        writeln!(text, "[[subject]]\nname = \"s{n}\"")?;
    }
    writeln!(text, "[[subject]]\nname = \"linux\"")?;
    let mut channel = |name: &str, writer: &str, reader: &str| {
        writeln!(
            text,
            "[[channel]]\nname = \"{name}\"\nsize = \"16K\"\nwriter = \"{writer}\"\n\
             reader = \"{reader}\"\nevent = true"
        )
    };
    for n in 0..CHANNELS {
        channel(&format!("to_linux_{n}"), &format!("s{n}"), "linux")?;
    }
    for n in 0..SUBJECTS - 2 {
        channel(&format!("on_{n}"), &format!("s{n}"), &format!("s{}", n + 1))?;
    }
    Ok(text)
}
