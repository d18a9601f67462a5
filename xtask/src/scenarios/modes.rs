// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command lines of the original and of Muen's demo system, as they are, in all
//! modes: each gives interfaces that work.

use super::ethtool::statistic_in;
use crate::{lab::Lab, vm::Vm};
use anyhow::{ensure, Result};

/// MTUs of raw interfaces, and so the bytes of an element: the original takes any.
const RAW: [usize; 3] = [600, 64, 65535];

/// Two Linux VMs, and a component behind a bridge.
pub fn modes(lab: &Lab) -> Result<()> {
    let wire = lab.serve("modes.toml")?;
    let mut a = wire.vm("linux-a")?;
    let mut b = wire.vm("linux-b")?;

    // The original's first line, and how it is used.
    a.ok(
        "modprobe muennet name=net0 reader_protocol=2 writer_protocol=2 in=channel_in \
          out=channel_out flags=net_hdr",
    )?;
    b.ok(
        "modprobe muennet name=net0 reader_protocol=2 writer_protocol=2 in=channel_out \
          out=channel_in flags=net_hdr",
    )?;
    a.ok("ifconfig net0 192.168.1.1")?;
    a.ok("ip route add 192.168.1.0/24 dev net0")?;
    b.ok("ifconfig net0 192.168.1.2")?;
    b.ok("ip route add 192.168.1.0/24 dev net0")?;
    device(&mut a)?;
    traffic(&mut a, &mut b, "192.168.1.2")?;
    a.ok("ip -6 addr add fd00::1/64 dev net0")?;
    b.ok("ip -6 addr add fd00::2/64 dev net0")?;
    traffic(&mut a, &mut b, "fd00::2")?;
    told_in_batches(&mut a)?;
    told_in_batches(&mut b)?;
    unload(&mut a, &mut b)?;

    // The original's second line, and the demo system's at the other end.
    a.ok(
        "modprobe muennet name=net0,net1 reader_protocol=12,2 writer_protocol=8,2 \
          in=testchannel_1,testchannel_3 out=testchannel_2,testchannel_4 flags=net_hdr,net_hdr",
    )?;
    b.ok(
        "modprobe muennet name=net0,mirage1 reader_protocol=2,0x7ade5c549b08e814 \
          writer_protocol=2,0x7ade5c549b08e814 in='testchannel_4,mirage1|out' \
          out='testchannel_3,mirage1|in' flags=net_hdr,eth_dev",
    )?;
    a.ok("ifconfig net1 192.168.10.1; ip route add 192.168.10.0/24 dev net1")?;
    b.ok("ifconfig net0 up; ifconfig net0 192.168.10.3; ip route add 192.168.10.0/24 dev net0")?;
    ping(&mut a, "192.168.10.3")?;

    // A unikernel as a bridge port: foreign source addresses pass, and the port's
    // own address changes while it is up.
    let echo = wire.echo_at("mirage1|in", "mirage1|out", "192.168.20.2/24")?;
    b.ok("ip link add br0 type bridge")?;
    b.ok("ip link set mirage1 master br0; ip link set dev mirage1 up")?;
    b.ok("ip addr add 192.168.20.1/24 dev br0; ip link set br0 up")?;
    ping(&mut b, "192.168.20.2")?;
    b.ok("ip link set dev mirage1 address 02:00:00:00:00:42")?;
    ping(&mut b, "192.168.20.2")?;
    let links = b.ok("ip -d link show mirage1")?;
    ensure!(
        links.contains("promiscuity 1") && links.contains("02:00:00:00:00:42"),
        "a bridge port looks otherwise:\n{links}"
    );
    drop(echo);
    b.ok("ip link del br0")?;
    unload(&mut a, &mut b)?;

    // The demo system's other line, by path; a second one is refused.
    b.ok("cp /lib/modules/*/extra/muennet.ko /tmp; modprobe -r muennet")?;
    let line = "cd /tmp; insmod muennet.ko name=net1 reader_protocol=0x7ade5c549b08e814 \
                writer_protocol=0x7ade5c549b08e814 in=unikernel_out out=unikernel_in flags=eth_dev";
    b.ok(line)?;
    b.fails(line, "File exists")?;
    let echo = wire.echo_at("unikernel_in", "unikernel_out", "192.168.30.2/24")?;
    b.ok("ip addr add 192.168.30.1/24 dev net1; ip link set net1 up")?;
    ping(&mut b, "192.168.30.2")?;
    drop(echo);
    b.ok("rmmod muennet")?;

    for mtu in RAW {
        raw(&mut a, &mut b, mtu)?;
    }
    a.finish()?;
    b.finish()
}

/// Properties of a net_hdr interface.
fn device(vm: &mut Vm) -> Result<()> {
    let link = vm.ok("ip -d link show net0")?;
    ensure!(
        link.contains("POINTOPOINT") && link.contains("NOARP") && link.contains("MULTICAST"),
        "the interface's flags are others:\n{link}"
    );
    ensure!(
        link.contains("link/none") && link.contains("mtu 1500"),
        "the interface is another:\n{link}"
    );
    let driver = vm.ok("ethtool -i net0")?;
    ensure!(
        driver.contains("driver: muennet\n")
            && driver.contains("bus-info: channel_in:channel_out\n"),
        "ethtool -i says:\n{driver}"
    );
    Ok(())
}

/// Pings, TCP and UDP from `a` to `b`.
fn traffic(a: &mut Vm, b: &mut Vm, address: &str) -> Result<()> {
    ping(a, address)?;
    b.ok("iperf3 -s -D --pidfile /tmp/iperf3")?;
    b.until("netstat -ltn | grep -q :5201")?;
    a.ok(&format!("iperf3 -c {address} -n 2M"))?;
    a.ok(&format!("iperf3 -c {address} -n 2M -R"))?;
    let said = a.ok(&format!("iperf3 -c {address} -u -b 20M -n 1M -J"))?;
    ensure!(
        said.contains("\"lost_percent\":\t0"),
        "datagrams were lost on an idle wire:\n{said}"
    );
    b.ok("kill $(tr -d '\\0' </tmp/iperf3)").map(drop)
}

/// TCP sends batches: the peer is rung behind each, not behind each packet.
fn told_in_batches(vm: &mut Vm) -> Result<()> {
    let said = vm.ok("ethtool -S net0")?;
    let number = |name| statistic_in(&said, name);
    let rings = number("tx_events")? + number("tx_events_deferred")?;
    let sent = number("tx_frames")?;
    ensure!(
        rings < sent,
        "{} rang {rings} times for {sent} packets",
        vm.name()
    );
    Ok(())
}

/// Ten pings that are all answered, once the peer is up. `address` may have options before it.
pub(super) fn ping(vm: &mut Vm, address: &str) -> Result<()> {
    vm.until(&format!("ping -c 1 -W 1 {address}"))?;
    let said = vm.ok(&format!("ping -c 10 -i 0.02 {address}"))?;
    ensure!(said.contains(" 0% packet loss"), "{said}");
    Ok(())
}

/// Unloads the driver at both ends.
pub(super) fn unload(a: &mut Vm, b: &mut Vm) -> Result<()> {
    a.ok("rmmod muennet")?;
    b.ok("rmmod muennet").map(drop)
}

/// Raw interfaces that work one way: elements arrive as they were sent.
fn raw(a: &mut Vm, b: &mut Vm, mtu: usize) -> Result<()> {
    // Linux sends nothing of its own, when it likes.
    a.ok(&format!(
        "sysctl -qw net.ipv6.conf.default.disable_ipv6=1 && \
         modprobe muennet name=tx0 writer_protocol=5 out=channel_out mtu={mtu} && \
         sysctl -qw net.ipv6.conf.default.disable_ipv6=0"
    ))?;
    b.ok(&format!(
        "modprobe muennet name=rx0 reader_protocol=5 in=channel_out mtu={mtu}"
    ))?;
    b.ok("ip link set rx0 up")?;
    b.until("ip link show rx0 | grep -q NO-CARRIER")?;
    a.ok("ip link set tx0 up")?;
    b.until("grep -q 1 /sys/class/net/rx0/carrier")?;
    a.ok("grep -q 1 /sys/class/net/tx0/carrier")?;
    // There is no hardware address to be set.
    a.fails("ip link set tx0 address 02:00:00:00:00:42", "not supported")?;

    let lengths = [mtu, 1, 17, mtu - 1, mtu, 33];
    b.ok(&format!(
        "probe packets receive rx0 --count {} >/tmp/packets 2>&1 &",
        lengths.len()
    ))?;
    b.until("grep -q waiting /tmp/packets")?;
    for length in lengths {
        a.ok(&format!("probe packets send tx0 --bytes {length}"))?;
    }
    b.until("grep -q done /tmp/packets")?;
    let said = b.ok("cat /tmp/packets")?;
    let expected: String = lengths
        .iter()
        .map(|length| format!("{mtu} bytes, {length} as sent, then zeros\n"))
        .collect();
    ensure!(
        said.contains(&expected),
        "the elements that arrived:\n{said}instead of\n{expected}"
    );
    // Longer than an element: refused by the interface's MTU.
    a.fails(
        &format!("probe packets send tx0 --bytes {}", mtu + 1),
        "Message too long",
    )?;
    unload(a, b)
}
