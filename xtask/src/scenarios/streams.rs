// SPDX-License-Identifier: MIT OR Apache-2.0
//! TCP both ways at once between two Linux VMs, every byte of which is compared, in
//! Ethernet and in net_hdr mode.

use crate::{
    lab::{Lab, PROTOCOL},
    settings::number,
    vm::Vm,
};
use anyhow::{ensure, Context, Result};
use std::{thread, time::Duration};

/// Seconds of a stream, if MUENNET_SECONDS does not say.
const SECONDS: u64 = 120;
/// Bytes each way that are the least to speak of.
const LEAST: u64 = 1 << 20;
/// The pause between two questions to the VMs whether they are done.
const LOOK: Duration = Duration::from_secs(1);

/// Two Linux VMs.
pub fn streams(lab: &Lab) -> Result<()> {
    let wire = lab.serve("two-linux.toml")?;
    let (a, b) = (wire.vm("linux-a")?, wire.vm("linux-b")?);
    between(a, b, SECONDS)
}

/// The VMs of the subjects linux-a and linux-b, for `seconds` if MUENNET_SECONDS does not
/// say: half of it in each mode.
pub fn between(mut a: Vm, mut b: Vm, seconds: u64) -> Result<()> {
    let seconds = number("MUENNET_SECONDS", seconds)?;
    for mode in ["eth_dev", "net_hdr"] {
        both_ways(&mut a, &mut b, mode, seconds / 2).with_context(|| format!("in mode {mode}"))?;
    }
    a.finish()?;
    b.finish()
}

fn both_ways(a: &mut Vm, b: &mut Vm, mode: &str, seconds: u64) -> Result<()> {
    for (vm, channels, address) in [
        (&mut *a, "in=b_to_a out=a_to_b", "192.168.7.1"),
        (&mut *b, "in=a_to_b out=b_to_a", "192.168.7.2"),
    ] {
        vm.ok(&format!(
            "modprobe muennet name=net0 reader_protocol={PROTOCOL} writer_protocol={PROTOCOL} \
             {channels} flags={mode}"
        ))?;
        vm.ok(&format!(
            "ip addr add {address}/24 dev net0; ip link set net0 up"
        ))?;
    }
    a.until("ping -c 1 -W 1 192.168.7.2")?;
    let start = |what| {
        format!(
            "( stream {what} 192.168.7.2:7000 --seconds {seconds}; echo status $? ) \
             >/tmp/said 2>&1 &"
        )
    };
    b.ok(&start("serve"))?;
    b.until("netstat -ltn | grep -q :7000")?;
    a.ok(&start("ask"))?;
    let (a_sent, a_received) = totals(a)?;
    let (b_sent, b_received) = totals(b)?;
    ensure!(
        a_sent == b_received && b_sent == a_received,
        "{a_sent} and {b_sent} bytes were sent, {b_received} and {a_received} came"
    );
    ensure!(
        a_sent.min(b_sent) >= LEAST,
        "only {a_sent} and {b_sent} bytes were sent"
    );
    println!(
        "      {mode}: {} and {} MiB in {seconds} s, every byte right",
        a_sent >> 20,
        b_sent >> 20
    );
    Ok(())
}

/// Waits for a VM's stream to end; bytes sent and received.
fn totals(vm: &mut Vm) -> Result<(u64, u64)> {
    while vm.run("grep -q status /tmp/said")?.status != 0 {
        thread::sleep(LOOK);
    }
    let said = vm.ok("cat /tmp/said")?;
    ensure!(said.contains("status 0"), "a stream failed:\n{said}");
    vm.ok("rmmod muennet")?;
    let mut numbers = said.split_whitespace().filter_map(|word| word.parse().ok());
    let total = numbers.next().zip(numbers.next());
    total.with_context(|| format!("no totals in:\n{said}"))
}
