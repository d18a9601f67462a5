// SPDX-License-Identifier: MIT OR Apache-2.0
//! Path MTUs by mark: what becomes of a packet that is too long, and that a new
//! value counts at the next packet.

use crate::{
    lab::{Lab, Wire},
    vm::Vm,
};
use anyhow::{ensure, Result};

/// Two Linux VMs; `a` has a region with path MTUs, which another subject writes.
pub fn path_mtu(lab: &Lab) -> Result<()> {
    let wire = lab.serve("children.toml")?;
    let mut a = wire.vm("linux-a")?;
    let mut b = wire.vm("linux-b")?;
    a.ok(
        "modprobe muennet name=net0 reader_protocol=2 writer_protocol=2 in=b_to_a out=a_to_b \
          flags=net_hdr pmtu=mtus",
    )?;
    b.ok(
        "modprobe muennet name=net0 reader_protocol=2 writer_protocol=2 in=a_to_b out=b_to_a \
          flags=net_hdr",
    )?;
    for (vm, n) in [(&mut a, 1), (&mut b, 2)] {
        vm.ok(&format!(
            "ip addr add 10.0.0.{n}/32 dev net0; ip -6 addr add fd00::{n}/64 dev net0; \
             ip link set net0 up; ip route add 10.0.0.0/24 dev net0"
        ))?;
    }
    a.until("ping -c 1 -W 1 10.0.0.2 && ping -c 1 -W 1 fd00::2")?;

    // Without a limit, and with another mark's limit, all is as ever.
    set(&wire, 6, 600)?;
    passes(&mut a, "-m 5 -s 1400 -M do 10.0.0.2")?;
    passes(&mut a, "-m 300 -s 1400 -M do 10.0.0.2")?;

    // IPv4 without DF goes in fragments, which the other end joins.
    set(&wire, 5, 600)?;
    tcpdump(&mut b, "net0", "ip[6:2] & 0x3fff != 0 and ip[2:2] <= 600")?;
    passes(&mut a, "-m 5 -s 1400 -M dont 10.0.0.2")?;
    let seen = captured(&mut b)?;
    ensure!(
        seen.matches(" IP ").count() == 3 * 3,
        "three packets of 1428 bytes are nine fragments for an MTU of 600, not:\n{seen}"
    );

    // IPv4 with DF comes back, to whoever sent it.
    tcpdump(&mut a, "lo", "icmp[0] == 3 and icmp[1] == 4")?;
    refused(&mut a, "-m 5 -s 1400 -M do 10.0.0.2", "mtu = 600")?;
    let seen = captured(&mut a)?;
    ensure!(
        seen.contains("need to frag (mtu 600)"),
        "no fragmentation needed was seen, but:\n{seen}"
    );
    a.ok("ip route flush cache")?;

    // IPv6 comes back too.
    set(&wire, 5, 1280)?;
    tcpdump(&mut a, "lo", "icmp6 and ip6[40] == 2")?;
    refused(&mut a, "-m 5 -s 1400 -M do fd00::2", "mtu=1280")?;
    let seen = captured(&mut a)?;
    ensure!(
        seen.contains("packet too big, mtu 1280"),
        "no packet too big was seen, but:\n{seen}"
    );
    a.ok("ip -6 route flush cache")?;

    // A program that asks for the path's MTU finds it.
    set(&wire, 5, 700)?;
    a.ok("iptables -t mangle -A OUTPUT -o net0 -p udp -j MARK --set-mark 5")?;
    let said = a.ok("tracepath -n 10.0.0.2")?;
    ensure!(said.contains("pmtu 700"), "tracepath says:\n{said}");
    a.ok("ip route flush cache")?;

    // A new value counts at the next packet.
    for mtu in [1000, 1500, 900, 0, 600] {
        set(&wire, 5, mtu)?;
        let command = "-m 5 -s 1100 -M do 10.0.0.2";
        if mtu == 0 || mtu > 1128 {
            passes(&mut a, command)?;
        } else {
            refused(&mut a, command, &format!("mtu = {mtu}"))?;
        }
        a.ok("ip route flush cache")?;
    }

    // A child's packets have their marks' paths too.
    a.ok("ip link add link net0 name c1 type muennet mark 5")?;
    a.ok("ip addr add 10.0.0.3/32 dev c1; ip link set c1 up; ip route add 10.0.0.2 dev c1")?;
    passes(&mut a, "-I 10.0.0.3 -m 5 -s 1400 -M dont 10.0.0.2")?;
    refused(
        &mut a,
        "-I 10.0.0.3 -m 5 -s 1400 -M do 10.0.0.2",
        "mtu = 600",
    )?;

    let counted = a.ok("ethtool -S net0")?;
    for name in ["tx_fragmented", "tx_too_big"] {
        let counter = counted.lines().find(|line| line.contains(name));
        ensure!(
            counter.is_some_and(|line| !line.ends_with(" 0")),
            "{name} counts nothing:\n{counted}"
        );
    }
    a.finish()?;
    b.finish()
}

fn set(wire: &Wire<'_>, mark: u32, mtu: u32) -> Result<()> {
    let (mark, mtu) = (mark.to_string(), mtu.to_string());
    wire.peer("paths", &["path-mtu", "mtus", &mark, &mtu])
}

fn passes(vm: &mut Vm, arguments: &str) -> Result<()> {
    let said = vm.ok(&format!("ping -c 3 -i 0.05 -W 2 {arguments}"))?;
    ensure!(said.contains(" 0% packet loss"), "{said}");
    Ok(())
}

fn refused(vm: &mut Vm, arguments: &str, why: &str) -> Result<()> {
    let output = vm.run(&format!("ping -c 1 -W 1 {arguments}"))?;
    ensure!(
        output.status != 0 && output.text.contains(why),
        "\"ping {arguments}\" ended with {}, without \"{why}\":\n{}",
        output.status,
        output.text
    );
    Ok(())
}

/// Starts to look at packets.
fn tcpdump(vm: &mut Vm, interface: &str, filter: &str) -> Result<()> {
    vm.ok(&format!(
        "tcpdump -n -l --immediate-mode -i {interface} '{filter}' >/tmp/seen 2>/tmp/looking &"
    ))?;
    vm.until("grep -q 'listening on' /tmp/looking").map(drop)
}

/// Packets seen until now.
fn captured(vm: &mut Vm) -> Result<String> {
    vm.ok("sleep 0.3; killall tcpdump; sleep 0.1; cat /tmp/seen")
}
