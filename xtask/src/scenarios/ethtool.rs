// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reports of `ethtool` and debugfs on an interface, and changes by `ethtool`.

use crate::{
    lab::{carrier, load, Lab},
    vm::Vm,
};
use anyhow::{ensure, Context, Result};

/// Bytes of an element of the Ethernet mode, and elements in 4 MiB.
const ELEMENTS: &str = "2766";

/// A Linux VM that polls, and a Rust component.
pub fn ethtool(lab: &Lab) -> Result<()> {
    let wire = lab.serve("one-wire-poll.toml")?;
    let mut vm = wire.vm("linux")?;
    load(
        &mut vm,
        "testchannel_2",
        "testchannel_1",
        "192.168.7.1/24",
        "poll=2000",
    )?;
    contains(&mut vm, "ethtool net0", &["Link detected: no"])?;
    let echo = wire.echo()?;
    carrier(&mut vm)?;
    vm.until("ping -c 1 -W 1 192.168.7.2")?;
    contains(&mut vm, "ethtool net0", &["Link detected: yes"])?;
    contains(
        &mut vm,
        "ethtool -i net0",
        &[
            "driver: muennet\n",
            "bus-info: testchannel_2:testchannel_1\n",
        ],
    )?;
    let geometry = vm.ok("ethtool -g net0")?;
    ensure!(
        geometry.matches(ELEMENTS).count() == 4,
        "ethtool -g does not show {ELEMENTS} elements:\n{geometry}"
    );
    contains(
        &mut vm,
        "ethtool -k net0",
        &[
            "scatter-gather: on",
            "tx-checksum-ip-generic: on",
            "generic-receive-offload: on",
        ],
    )?;

    // The poll interval, and what it cannot be.
    contains(
        &mut vm,
        "ethtool -c net0",
        &["rx-usecs:\t2000\n", "rx-frames:\t64\n"],
    )?;
    vm.ok("ethtool -C net0 rx-usecs 500")?;
    contains(&mut vm, "ethtool -c net0", &["rx-usecs:\t500\n"])?;
    let polls = statistic(&mut vm, "rx_polls")?;
    vm.ok("sleep 0.2")?;
    ensure!(
        statistic(&mut vm, "rx_polls")? > polls,
        "nobody looks after the interval was changed"
    );
    for (asked, taken) in [("0", "50"), ("5000000", "5000000"), ("500", "500")] {
        vm.ok(&format!("ethtool -C net0 rx-usecs {asked}"))?;
        let shown = format!("rx-usecs:\t{taken}\n");
        contains(&mut vm, "ethtool -c net0", &[&shown])?;
    }
    contains(
        &mut vm,
        "ethtool net0",
        &["Speed: 10000Mb/s", "Duplex: Full"],
    )?;
    for wrong in ["rx-frames 10", "tx-usecs 5"] {
        let output = vm.run(&format!("ethtool -C net0 {wrong}"))?;
        ensure!(output.status != 0, "ethtool -C net0 {wrong} was taken");
    }

    // Counters follow the traffic.
    let (received, sent) = (
        statistic(&mut vm, "rx_frames")?,
        statistic(&mut vm, "tx_frames")?,
    );
    vm.ok("ping -c 10 -i 0.01 192.168.7.2")?;
    ensure!(
        statistic(&mut vm, "rx_frames")? >= received + 10
            && statistic(&mut vm, "tx_frames")? >= sent + 10,
        "ten pings are not counted"
    );
    for zero in [
        "rx_lost",
        "rx_faults",
        "rx_rejected_too_long",
        "tx_inactive",
    ] {
        ensure!(statistic(&mut vm, zero)? == 0, "{zero} is not 0");
    }
    ensure!(statistic(&mut vm, "rx_epochs")? == 1, "there was one epoch");

    // The file of debugfs, which root alone may read.
    contains(
        &mut vm,
        "cat /sys/kernel/debug/muennet/net0/info",
        &[
            "mode:     eth_dev\n",
            "input: testchannel_2\n",
            "output: testchannel_1\n",
            "  protocol: 0x7ade5c549b08e814\n",
            "  elements: 2766 of 1516 bytes\n",
            "carrier:  on\n",
            "rx_lost: 0\n",
        ],
    )?;

    // The peer's next start is another epoch.
    drop(echo);
    vm.until("ethtool net0 | grep -q 'Link detected: no'")?;
    let _echo = wire.echo()?;
    carrier(&mut vm)?;
    ensure!(
        statistic(&mut vm, "rx_epochs")? == 2,
        "the second epoch is not counted"
    );
    // Renamed, it is still found by its first name.
    vm.ok("ip link set net0 down && ip link set net0 name other")?;
    contains(
        &mut vm,
        "cat /sys/kernel/debug/muennet/net0/info",
        &["name:     other\n", "carrier:  off\n"],
    )?;
    vm.ok("rmmod muennet")?;
    let left = vm.run("ls -d /sys/kernel/debug/muennet")?;
    ensure!(left.status != 0, "rmmod left a folder in debugfs");
    vm.finish()
}

fn contains(vm: &mut Vm, command: &str, expected: &[&str]) -> Result<()> {
    let said = vm.ok(command)?;
    for line in expected {
        ensure!(
            said.contains(line),
            "\"{command}\" says no {line:?}:\n{said}"
        );
    }
    Ok(())
}

/// One of the numbers of `ethtool -S`.
pub fn statistic(vm: &mut Vm, name: &str) -> Result<u64> {
    statistic_of(vm, "net0", name)
}

/// One of the numbers of `ethtool -S`, of an interface.
pub fn statistic_of(vm: &mut Vm, interface: &str, name: &str) -> Result<u64> {
    statistic_in(&vm.ok(&format!("ethtool -S {interface}"))?, name)
}

/// One of the numbers in what `ethtool -S` said.
pub fn statistic_in(said: &str, name: &str) -> Result<u64> {
    let line = said
        .lines()
        .find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "))
        .with_context(|| format!("no {name} in:\n{said}"))?;
    Ok(line.parse()?)
}
