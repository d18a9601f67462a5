// SPDX-License-Identifier: MIT OR Apache-2.0
//! A peer that begins epochs, spoils its header and rings, thousands of times a second:
//! the carrier changes at a bounded rate, whatever the number of children, and the rest of
//! the system goes on with its network configuration.

use crate::{
    lab::{Lab, Wire},
    settings::number,
    vm::Vm,
};
use anyhow::{ensure, Context, Result};
use std::time::{Duration, Instant};

/// Seconds of one storm; MUENNET_STORM sets another number.
const SECONDS: u64 = 4;
/// Faults, epochs or events a second.
const RATE: u64 = 3000;
/// Children, one storm each.
const CHILDREN: [usize; 3] = [0, 100, 250];
/// The least time between two losses of the carrier, in seconds.
const INTERVAL: f64 = 0.1;
/// Storms, until one is not disturbed.
const TRIES: usize = 3;
/// Links set down and up by one process, to measure how long that takes.
const BATCH: usize = 40;

/// A VM with two processors, and a peer that storms.
pub fn storm(lab: &Lab) -> Result<()> {
    let seconds = number("MUENNET_STORM", SECONDS)?;
    let wire = lab.serve("children.toml")?;
    let mut vm = wire.vm_with("linux-a", &["-smp", "2"])?;
    vm.ok(
        "modprobe muennet name=net0 reader_protocol=2 writer_protocol=2 in=b_to_a out=a_to_b \
         flags=net_hdr && ip link set net0 up",
    )?;
    vm.ok(&format!(
        "modprobe bridge && ip link add other type bridge && for i in $(seq {BATCH}); do \
         echo link set other up; echo link set other down; done >/tmp/other"
    ))?;
    let mut children = 0;
    for number in CHILDREN {
        vm.ok(&format!(
            "for i in $(seq {} {number}); do echo link add link net0 name c$i type muennet \
             mark $i; echo link set c$i up; done >/tmp/more; ip -batch /tmp/more",
            children + 1
        ))?;
        children = number;
        blow(&wire, &mut vm, seconds)
            .with_context(|| format!("a storm with {children} children"))?;
    }
    vm.finish()
}

/// A storm, or another where something else on this machine was in the way.
fn blow(wire: &Wire<'_>, vm: &mut Vm, seconds: u64) -> Result<()> {
    let mut tries = 0;
    loop {
        let (quiet, stormy) = one(wire, vm, seconds)?;
        tries += 1;
        if stormy < 2.0 * quiet {
            return Ok(());
        }
        ensure!(
            tries < TRIES,
            "an unrelated link is set up and down in {stormy:.2} ms in a storm, {quiet:.2} ms else"
        );
    }
}

/// One storm: milliseconds in which an unrelated link is set up and down, without and with it.
fn one(wire: &Wire<'_>, vm: &mut Vm, seconds: u64) -> Result<(f64, f64)> {
    let quiet = configuring(vm, Duration::from_secs(1))?;
    let (changes, epochs, start) = (changes(vm)?, counter(vm, "rx_epochs")?, uptime(vm)?);
    let count = (seconds * RATE).to_string();
    let mut peer = wire.peer_that_stays(
        "linux-b",
        &[
            "storm", "b_to_a", "--mode", "net-hdr", "--of", "epochs", "--of", "faults", "--of",
            "epochs", "--of", "ends", "--of", "bells", "--count", &count,
        ],
    )?;
    let stormy = configuring(vm, Duration::from_secs(seconds * 3 / 4))?;
    let begin = Instant::now();
    while !peer.said().contains("blew") {
        ensure!(peer.is_running()?, "the peer failed:\n{}", peer.said());
        ensure!(
            begin.elapsed() < Duration::from_secs(60 + seconds),
            "the storm does not end"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    // The last state is shown, on the interface and on the last child.
    vm.until(
        "for i in net0 $(ls /sys/class/net | grep '^c' | tail -n 1); do \
         grep -q 1 /sys/class/net/$i/carrier || exit; done",
    )?;
    let (after, end) = (self::changes(vm)?, uptime(vm)?);
    let allowed = 2.0 * ((end - start) / INTERVAL + 1.0);
    let seen = counter(vm, "rx_epochs")? - epochs;
    println!(
        "      {seen} epochs seen, carrier changed {} times in {:.1} s; an unrelated link: \
         {quiet:.2} ms quiet, {stormy:.2} ms in the storm",
        after - changes,
        end - start,
    );
    ensure!(
        (after - changes) as f64 <= allowed,
        "the carrier changed {} times in {:.1} s, at most {allowed:.0} are allowed",
        after - changes,
        end - start,
    );
    ensure!(seen > 1 && after > changes, "the storm was not noticed");
    drop(peer);
    Ok((quiet, stormy))
}

/// Milliseconds in which an unrelated link is set up and down, by the VM's clock: the best
/// of all batches in `time`, as what else runs on the machine only adds to it.
fn configuring(vm: &mut Vm, time: Duration) -> Result<f64> {
    let begin = Instant::now();
    let mut best = f64::MAX;
    while begin.elapsed() < time {
        let said = vm.ok("cat /proc/uptime; ip -batch /tmp/other; cat /proc/uptime")?;
        let mut times = said
            .lines()
            .filter_map(|line| line.split(' ').next()?.parse().ok());
        let (from, to): (f64, f64) = times
            .next()
            .zip(times.next())
            .with_context(|| format!("no times:\n{said}"))?;
        best = best.min((to - from) * 1000.0 / BATCH as f64);
    }
    Ok(best)
}

fn changes(vm: &mut Vm) -> Result<u64> {
    let said = vm.ok("cat /sys/class/net/net0/carrier_changes")?;
    said.trim().parse().with_context(|| said.clone())
}

fn counter(vm: &mut Vm, name: &str) -> Result<u64> {
    let said = vm.ok(&format!("ethtool -S net0 | sed -n 's/^ *{name}: //p'"))?;
    said.trim().parse().with_context(|| said.clone())
}

/// The VM's clock, in seconds.
fn uptime(vm: &mut Vm) -> Result<f64> {
    let said = vm.ok("cut -d ' ' -f 1 /proc/uptime")?;
    said.trim().parse().with_context(|| said.clone())
}
