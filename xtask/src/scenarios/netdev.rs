// SPDX-License-Identifier: MIT OR Apache-2.0
//! Usual settings of network interfaces: VLANs, bonds, multicast addresses, and
//! programs of tc, cBPF and XDP. A `net_hdr` interface, a child and an ipip tunnel
//! pass the same programs.

use super::{
    ethtool::statistic_of,
    modes::{ping, unload},
};
use crate::{
    lab::{Lab, PROTOCOL},
    vm::Vm,
};
use anyhow::{bail, ensure, Context, Result};

/// Looks at counters that are to agree.
const TRIES: usize = 100;

/// Two Linux VMs with three pairs of channels.
pub fn netdev(lab: &Lab) -> Result<()> {
    let wire = lab.serve("modes.toml")?;
    let mut a = wire.vm("linux-a")?;
    let mut b = wire.vm("linux-b")?;
    layer_3(&mut a, &mut b).context("programs on layer 3")?;
    vlan(&mut a, &mut b).context("VLANs")?;
    bond(&mut a, &mut b).context("an 802.3ad bond")?;
    a.finish()?;
    b.finish()
}

/// A `net_hdr` interface, a child of mark 5 and an ipip tunnel over the parent: `a`
/// sends, `b` has the programs.
fn layer_3(a: &mut Vm, b: &mut Vm) -> Result<()> {
    for (vm, input, output, own, peer) in [
        (&mut *a, "channel_in", "channel_out", 1, 2),
        (&mut *b, "channel_out", "channel_in", 2, 1),
    ] {
        vm.ok(&format!(
            "modprobe muennet name=net0 reader_protocol=2 writer_protocol=2 in={input} \
             out={output} flags=net_hdr"
        ))?;
        vm.ok(&format!(
            "ip addr add 10.1.0.{own} peer 10.1.0.{peer} dev net0; ip link set net0 up"
        ))?;
        vm.ok("ip link add link net0 name c1 type muennet mark 5")?;
        vm.ok(&format!(
            "ip addr add 10.2.0.{own} peer 10.2.0.{peer} dev c1; ip link set c1 up"
        ))?;
        vm.ok(
            "nft 'add table inet m; add chain inet m o { type filter hook output priority 0; }; \
               add rule inet m o oif c1 meta mark set 5'",
        )?;
        vm.ok(&format!(
            "ip tunnel add ipip0 mode ipip local 10.1.0.{own} remote 10.1.0.{peer}"
        ))?;
        vm.ok(&format!(
            "ip addr add 10.3.0.{own} peer 10.3.0.{peer} dev ipip0; ip link set ipip0 up"
        ))?;
        vm.ok("for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$f; done")?;
    }
    // A device with an Ethernet header, to redirect to.
    b.ok(
        "ip link add v0 address 02:00:00:00:00:01 type veth peer name v1 \
          address 02:00:00:00:00:02",
    )?;
    b.ok("ip addr add 10.9.0.2/32 dev v1; ip link set v0 up; ip link set v1 up")?;
    b.ok("echo 0 >/proc/sys/net/ipv4/conf/v1/rp_filter")?;
    for (interface, network) in [("net0", 1), ("c1", 2), ("ipip0", 3)] {
        ping(a, &format!("10.{network}.0.2")).context(interface)?;
        programs(a, b, interface, network).with_context(|| format!("on {interface}"))?;
    }
    for interface in ["net0", "c1"] {
        b.fails(
            &format!("ip link set {interface} address 02:00:00:00:00:42"),
            "not supported",
        )?;
        speed(b, interface, "10000")?;
    }
    b.ok("ip maddr add 33:33:00:00:00:42 dev net0")?;
    marks_stay_apart(a, b)?;
    changing_pages(a, b)?;
    unload(a, b)
}

/// Packets that a filter of tc matched, as its action counts them.
fn matched(vm: &mut Vm, interface: &str) -> Result<u64> {
    let said = vm.ok(&format!("tc -s filter show dev {interface} ingress"))?;
    let (_, packets) = said.split_once(" bytes ").context("no counter")?;
    Ok(packets
        .split_whitespace()
        .next()
        .context("no number")?
        .parse()?)
}

fn programs(a: &mut Vm, b: &mut Vm, interface: &str, network: u32) -> Result<()> {
    let address = format!("10.{network}.0.2");
    // An IP header begins at offset 0: as tcpdump shows it, and as cBPF reads it, both
    // ways.
    b.ok(&format!(
        "timeout 20 tcpdump -U -n -c 2 -i {interface} 'icmp and ip[9] == 1' >/tmp/dump 2>&1 &"
    ))?;
    b.until("grep -q listening /tmp/dump")?;
    ping(a, &address)?;
    b.until("grep -q 'echo reply' /tmp/dump")?;
    b.ok(&format!("tc qdisc add dev {interface} clsact"))?;
    let first_byte = "4,48 0 0 0,21 0 1 69,6 0 0 4294967295,6 0 0 0";
    for hook in ["ingress", "egress"] {
        b.ok(&format!(
            "tc filter add dev {interface} {hook} bpf bytecode '{first_byte}' action drop"
        ))?;
        let output = a.run(&format!("ping -c 3 -i 0.02 -W 1 {address}"))?;
        ensure!(
            output.text.contains("100% packet loss"),
            "cBPF at {hook} does not see the IP header at offset 0:\n{}",
            output.text
        );
        b.ok(&format!("tc filter del dev {interface} {hook}"))?;
    }
    // Redirected to an Ethernet device, with a header pushed in front.
    b.ok(&format!(
        "tc filter add dev {interface} ingress matchall \
         action vlan push_eth dst_mac 02:00:00:00:00:02 src_mac 02:00:00:00:00:01 pipe \
         action mirred egress redirect dev v0"
    ))?;
    let gateway = format!("ip route replace 10.9.0.2/32 dev {interface}");
    a.ok(&gateway)?;
    let before = matched(b, interface)?;
    ping(a, "10.9.0.2").context("redirected by tc")?;
    let passed = matched(b, interface)? - before;
    ensure!(passed >= 10, "tc redirected {passed} packets of 10");
    b.ok(&format!("tc qdisc del dev {interface} clsact"))?;
    // Dropped by generic XDP.
    ping(a, &address)?;
    b.ok(&format!(
        "xdp {interface} >/tmp/xdp 2>&1 & echo $! >/tmp/xdp.pid"
    ))?;
    b.until("grep -q attached /tmp/xdp")?;
    let output = a.run(&format!("ping -c 3 -i 0.02 -W 1 {address}"))?;
    ensure!(
        output.text.contains("100% packet loss"),
        "XDP does not see the IP header at offset 0:\n{}",
        output.text
    );
    b.ok("kill $(cat /tmp/xdp.pid)")?;
    ping(a, &address)
}

/// The full segments of one TCP connection get one of two marks by turns: GRO merges none of
/// different marks, so that each mark's packets are counted as they were sent. Short packets
/// get none: an acknowledgement in between would give two segments in order one mark.
fn marks_stay_apart(a: &mut Vm, b: &mut Vm) -> Result<()> {
    // TCP sends no more than a segment at once.
    a.ok("ip link set net0 gso_max_segs 1")?;
    let count = "counter inet n m7; add counter inet n m8";
    a.ok(&format!(
        "nft 'add table inet n; add {count}; \
         add chain inet n o {{ type filter hook output priority 0; }}; \
         add rule inet n o oif net0 meta length > 1000 meta mark set numgen inc mod 2 offset 7; \
         add rule inet n o oif net0 meta mark 7 counter name m7; \
         add rule inet n o oif net0 meta mark 8 counter name m8'"
    ))?;
    b.ok(&format!(
        "nft 'add table inet n; add {count}; \
         add chain inet n i {{ type filter hook input priority 0; }}; \
         add rule inet n i iif net0 meta mark 7 counter name m7; \
         add rule inet n i iif net0 meta mark 8 counter name m8'"
    ))?;
    let numbers = |vm: &mut Vm| -> Result<String> {
        vm.ok("nft list counters table inet n | grep -o 'packets [0-9]*'")
    };
    b.ok("iperf3 -s -1 -D --pidfile /tmp/iperf3")?;
    b.until("netstat -ltn | grep -q :5201")?;
    // Less than the channel holds: nothing is lost.
    a.ok("iperf3 -c 10.1.0.2 -n 400K")?;
    // The connection's last packets may still be on their way.
    let (mut sent, mut received) = (numbers(a)?, numbers(b)?);
    for _ in 0..TRIES {
        if sent == received && !sent.contains("packets 0") {
            return Ok(());
        }
        (sent, received) = (numbers(a)?, numbers(b)?);
    }
    bail!("packets of two marks sent:\n{sent}received:\n{received}")
}

/// Pages that change while they are sent: each segment has the checksum of the bytes that
/// left, so that none is thrown away.
fn changing_pages(a: &mut Vm, b: &mut Vm) -> Result<()> {
    const BYTES: u64 = 8 << 20;
    a.ok("ethtool -k net0 | grep -q 'tx-checksum-ip-generic: on' && \
          ethtool -k net0 | grep -q '^scatter-gather: on'")?;
    for way in ["sendfile", "zerocopy"] {
        let wrong = "grep ^Tcp: /proc/net/snmp | tail -1 | awk '{ print $NF }'";
        let before = b.ok(wrong)?;
        b.ok("nc -l -p 5001 | wc -c >/tmp/count &")?;
        b.until("netstat -ltn | grep -q :5001")?;
        let sent = a.ok(&format!("changing --by {way} 10.1.0.2:5001"))?;
        ensure!(sent.trim() == BYTES.to_string(), "{way} sent {sent} bytes");
        b.until(&format!("grep -qx {BYTES} /tmp/count"))?;
        let after = b.ok(wrong)?;
        ensure!(
            before == after,
            "{way}: TCP found {} wrong checksums, {} before",
            after.trim(),
            before.trim()
        );
    }
    changing_datagrams(a, b)
}

/// Datagrams of 1400 bytes from pages that change: those that arrive, some may be lost, have
/// their length and a right checksum.
fn changing_datagrams(a: &mut Vm, b: &mut Vm) -> Result<()> {
    const LOOKED_AT: usize = 300;
    // No program is there to take them.
    b.ok(
        "nft 'add table inet z; add chain inet z i { type filter hook input priority 0; }; \
          add rule inet z i iif net0 udp dport 5002 drop'",
    )?;
    b.ok(&format!(
        "timeout 200 tcpdump -n -vv -c {LOOKED_AT} -i net0 udp port 5002 >/tmp/dump 2>&1 &"
    ))?;
    b.until("grep -q listening /tmp/dump")?;
    a.ok("changing --by datagrams --times 2 10.1.0.2:5002")?;
    b.until(&format!(
        "grep -q '^{LOOKED_AT} packets captured' /tmp/dump"
    ))?;
    // The last one of each megabyte is shorter: 1048576 = 748 * 1400 + 1376.
    let right = b.ok("grep -cE '\\[udp sum ok\\] UDP, length (1400|1376)$' /tmp/dump")?;
    ensure!(
        right.trim() == LOOKED_AT.to_string(),
        "of {LOOKED_AT} datagrams {} have their length and checksum:\n{}",
        right.trim(),
        b.ok("grep -v 'udp sum ok' /tmp/dump | tail -n 20")?
    );
    b.ok("nft delete table inet z").map(drop)
}

fn speed(vm: &mut Vm, interface: &str, expected: &str) -> Result<()> {
    let said = vm.ok(&format!(
        "cat /sys/class/net/{interface}/speed /sys/class/net/{interface}/duplex"
    ))?;
    ensure!(
        said == format!("{expected}\nfull\n"),
        "{interface} has speed and duplex {said}"
    );
    Ok(())
}

/// VLAN 7 over an Ethernet interface: its largest frames are told of and dropped, or pass
/// where the elements have room for the tag.
fn vlan(a: &mut Vm, b: &mut Vm) -> Result<()> {
    for flags in ["eth_dev", "eth_dev+vlan"] {
        for (vm, input, output, own) in [
            (&mut *a, "channel_in", "channel_out", 1),
            (&mut *b, "channel_out", "channel_in", 2),
        ] {
            vm.ok("dmesg -c >/dev/null")?;
            vm.ok(&format!(
                "modprobe muennet name=net0 reader_protocol={PROTOCOL} \
                 writer_protocol={PROTOCOL} in={input} out={output} flags={flags}"
            ))?;
            vm.ok("ip link set net0 up; ip link add link net0 name net0.7 type vlan id 7")?;
            vm.ok(&format!(
                "ip addr add 10.5.0.{own}/24 dev net0.7; ip link set net0.7 up"
            ))?;
        }
        ping(a, "10.5.0.2")?;
        ping(a, "-M do -s 1468 10.5.0.2")?;
        let largest = "-M do -s 1472 10.5.0.2";
        if flags == "eth_dev" {
            let output = a.run(&format!("ping -c 3 -i 0.02 -W 1 {largest}"))?;
            ensure!(
                output.text.contains("100% packet loss"),
                "frames of 1518 bytes passed in elements for 1514:\n{}",
                output.text
            );
            let log = a.ok("dmesg")?;
            let told = log.matches(
                "net0: not sent: a frame of 1518 bytes is longer than the 1514 that an element \
                 takes; for VLANs give both ends room for the tag (flags=eth_dev+vlan",
            );
            ensure!(told.count() == 1, "not told once of long frames:\n{log}");
        } else {
            ping(a, largest)?;
            let info = a.ok("cat /sys/kernel/debug/muennet/net0/info; muennet_cfg list")?;
            ensure!(
                info.matches("eth_dev+vlan").count() == 2 && info.contains("of 1520 bytes"),
                "the room for the tag is not shown:\n{info}"
            );
            iperf3(a, b)?;
            iperf3(b, a)?;
            let features = a.ok("ethtool -k net0.7")?;
            ensure!(
                features.contains("scatter-gather: on"),
                "the VLAN has no scatter-gather:\n{features}"
            );
        }
        unload(a, b)?;
    }
    Ok(())
}

/// TCP over the VLAN, nothing of it too long.
fn iperf3(from: &mut Vm, to: &mut Vm) -> Result<()> {
    to.ok("iperf3 -s -1 -D")?;
    to.until("netstat -ltn | grep -q :5201")?;
    let address = to.ok("ip -o -4 addr show net0.7 | awk '{print $4}' | cut -d/ -f1")?;
    from.ok(&format!("iperf3 -c {} -n 4M", address.trim()))?;
    let long = statistic_of(from, "net0", "tx_rejected_too_long")?;
    ensure!(long == 0, "{long} frames were too long");
    Ok(())
}

/// Two interfaces at each end as one by LACP.
fn bond(a: &mut Vm, b: &mut Vm) -> Result<()> {
    for (vm, input, output, own) in [
        (
            &mut *a,
            "channel_in,testchannel_1",
            "channel_out,testchannel_2",
            1,
        ),
        (
            &mut *b,
            "channel_out,testchannel_2",
            "channel_in,testchannel_1",
            2,
        ),
    ] {
        vm.ok(&format!(
            "modprobe muennet name=net0,net1 reader_protocol={PROTOCOL},{PROTOCOL} \
             writer_protocol={PROTOCOL},{PROTOCOL} in={input} out={output} \
             flags=eth_dev,eth_dev"
        ))?;
        vm.ok("ip maddr add 01:00:5e:00:00:42 dev net0")?;
        vm.ok("ip maddr show dev net0 | grep -q 01:00:5e:00:00:42")?;
        vm.ok("ip link add bond7 type bond mode 802.3ad miimon 50 lacp_rate fast")?;
        vm.ok("ip link set net0 master bond7; ip link set net1 master bond7")?;
        vm.ok(&format!(
            "ip addr add 10.4.0.{own}/24 dev bond7; ip link set bond7 up"
        ))?;
    }
    a.until("[ $(grep -c 'Number of ports: 2' /proc/net/bonding/bond7) = 1 ]")?;
    speed(a, "net0", "10000")?;
    // Both ports of both ends send.
    for vm in [&mut *a, &mut *b] {
        vm.until("grep -q 20000 /sys/class/net/bond7/speed")?;
    }
    ping(a, "10.4.0.2")?;
    for vm in [&mut *a, &mut *b] {
        vm.ok("ip link del bond7")?;
    }
    unload(a, b)
}
