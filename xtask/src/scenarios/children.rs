// SPDX-License-Identifier: MIT OR Apache-2.0
//! Children and marks: three children in three namespaces, each with its own
//! traffic; marks by the hundred, moved under load; and who may do it.

use crate::{lab::Lab, vm::Vm};
use anyhow::{ensure, Context, Result};

/// Pings that are sent with each mark.
const PINGS: u64 = 20;

/// Two Linux VMs: `a` has the children, `b` sends with marks.
pub fn children(lab: &Lab) -> Result<()> {
    let wire = lab.serve("children.toml")?;
    let mut a = wire.vm("linux-a")?;
    let mut b = wire.vm("linux-b")?;
    a.ok(
        "modprobe muennet name=net0 reader_protocol=2 writer_protocol=2 in=b_to_a out=a_to_b \
          flags=net_hdr",
    )?;
    b.ok(
        "modprobe muennet name=net0 reader_protocol=2 writer_protocol=2 in=a_to_b out=b_to_a \
          flags=net_hdr",
    )?;
    a.ok("ip addr add 10.0.0.1/32 dev net0; ip link set net0 up")?;
    b.ok("ip addr add 10.0.0.2/32 dev net0; ip link set net0 up")?;
    b.ok("ip route add 10.0.0.0/16 dev net0")?;
    a.ok("ip route add 10.0.0.0/16 dev net0")?;
    a.until("grep -q 1 /sys/class/net/net0/carrier")?;

    made(&mut a)?;
    delivered(&mut a, &mut b)?;
    netfilter(&mut a, &mut b)?;
    many(&mut a, &mut b)?;
    refused(&mut a)?;
    links(&mut a)?;
    rights(&mut a)?;
    races(&mut a, &mut b)?;
    a.finish()?;
    b.finish()
}

/// Three children, made in the three ways there are, in three namespaces.
fn made(a: &mut Vm) -> Result<()> {
    for n in 1..=3 {
        // Without IPv6, whose own packets would be counted among the answers.
        a.ok(&format!(
            "ip netns add n{n} && ip netns exec n{n} sh -c \
             'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'"
        ))?;
    }
    a.ok("muennet_cfg add_child net0 c1 && muennet_cfg add_mark c1 1 && ip link set c1 netns n1")?;
    // In the caller's namespace, wherever the parent is.
    a.ok("ip netns exec n2 muennet_cfg add_child net0 c2")?;
    a.ok("ip netns exec n2 muennet_cfg add_mark c2 2")?;
    a.ok("ip link add link net0 name c3 type muennet mark 3 && ip link set c3 netns n3")?;
    for n in 1..=3 {
        a.ok(&format!(
            "ip -n n{n} addr add 10.0.{n}.1/32 dev c{n} && ip -n n{n} link set c{n} up && \
             ip -n n{n} route add 10.0.0.0/24 dev c{n}"
        ))?;
        a.ok(&format!("ip -n n{n} -d link show c{n} | grep -q LOWER_UP"))?;
    }
    Ok(())
}

/// Packets that a child counted.
fn received(a: &mut Vm, n: u32) -> Result<u64> {
    counter(a, n, "rx_packets")
}

fn counter(a: &mut Vm, n: u32, which: &str) -> Result<u64> {
    let said = a.ok(&format!(
        "ip netns exec n{n} cat /sys/class/net/c{n}/statistics/{which}"
    ))?;
    said.trim().parse().context("not a number")
}

/// Each child gets what has its mark, and answers by its parent.
fn delivered(a: &mut Vm, b: &mut Vm) -> Result<()> {
    for n in 1..=3 {
        let mut before = [0; 3];
        for (child, before) in (1..).zip(&mut before) {
            *before = received(a, child)?;
        }
        let sent = counter(a, n, "tx_packets")?;
        let said = b.ok(&format!("ping -c {PINGS} -i 0.01 -m {n} 10.0.{n}.1"))?;
        ensure!(said.contains(" 0% packet loss"), "{said}");
        for (child, before) in (1..).zip(before) {
            let came = received(a, child)? - before;
            let expected = if child == n { PINGS } else { 0 };
            ensure!(
                came == expected,
                "c{child} got {came} packets of mark {n}, not {expected}"
            );
        }
        let sent = counter(a, n, "tx_packets")? - sent;
        ensure!(sent == PINGS, "c{n} counted {sent} answers, not {PINGS}");
    }
    // A mark that is nobody's goes to the parent, to no child.
    let said = b.ok(&format!("ping -c {PINGS} -i 0.01 -m 77 10.0.0.1"))?;
    ensure!(said.contains(" 0% packet loss"), "{said}");
    let wrong = b.run("ping -c 3 -i 0.01 -W 1 -m 2 10.0.1.1")?;
    ensure!(wrong.status != 0, "mark 2 reached c1:\n{}", wrong.text);
    Ok(())
}

/// Marks are netfilter's marks, both ways.
fn netfilter(a: &mut Vm, b: &mut Vm) -> Result<()> {
    let count = |vm: &mut Vm, inside: &str, mark: u32| -> Result<()> {
        vm.ok(&format!(
            "{inside} nft 'add table inet marks; add counter inet marks seen; \
             add chain inet marks input {{ type filter hook input priority 0; }}; \
             add rule inet marks input meta mark {mark} counter name seen'"
        ))
        .map(drop)
    };
    let seen = |vm: &mut Vm, inside: &str| -> Result<u64> {
        let said = vm.ok(&format!("{inside} nft list counter inet marks seen"))?;
        let packets = said.split_once("packets ").context("no counter")?.1;
        let packets = packets.split_whitespace().next().context("no number")?;
        Ok(packets.parse()?)
    };
    let inside = "ip netns exec n1";
    count(a, inside, 1)?;
    count(b, "", 7)?;
    a.ok("ip netns exec n1 iptables -t mangle -A OUTPUT -o c1 -j MARK --set-mark 7")?;
    b.ok(&format!("ping -c {PINGS} -i 0.01 -m 1 10.0.1.1"))?;
    for (end, packets) in [("n1", seen(a, inside)?), ("b", seen(b, "")?)] {
        ensure!(
            packets == PINGS,
            "{end} saw the mark on {packets} packets, not {PINGS}"
        );
    }
    Ok(())
}

/// A hundred marks on one child, and one mark that moves under load.
fn many(a: &mut Vm, b: &mut Vm) -> Result<()> {
    a.ok("for m in $(seq 100 199); do ip netns exec n1 muennet_cfg add_mark c1 $m || exit; done")?;
    let shown = a.ok("ip -n n1 -d link show c1")?;
    ensure!(shown.contains(" 199 "), "ip -d link lacks marks:\n{shown}");
    let said = b.ok(
        "for m in $(seq 100 199); do ping -c 1 -W 2 -m $m 10.0.1.1 >/dev/null && echo ok; done",
    )?;
    let answered = said.lines().count();
    ensure!(answered == 100, "{answered} of 100 marks reached c1");

    // No packet of the mark comes to a child after the mark was taken from it.
    b.ok("ping -f -q -m 150 10.0.1.1 >/dev/null 2>&1 &")?;
    for _ in 0..10 {
        for (from, to) in [(1, 2), (2, 1)] {
            a.until(&format!(
                "x=$(ip netns exec n{from} cat /sys/class/net/c{from}/statistics/rx_packets); \
                 sleep 0.02; \
                 [ $(ip netns exec n{from} cat /sys/class/net/c{from}/statistics/rx_packets) != $x ]"
            ))?;
            a.ok(&format!(
                "ip netns exec n{from} muennet_cfg del_mark c{from} 150"
            ))?;
            let before = received(a, from)?;
            a.ok(&format!(
                "ip netns exec n{to} muennet_cfg add_mark c{to} 150"
            ))?;
            let strays = received(a, from)? - before;
            ensure!(
                strays == 0,
                "{strays} packets came to c{from} without its mark"
            );
        }
    }
    b.ok("killall ping").map(drop)
}

/// Impossible children are refused, with a reason.
fn refused(a: &mut Vm) -> Result<()> {
    for (command, why) in [
        ("muennet_cfg add_child net0 c1234567890123456", ""),
        ("muennet_cfg add_child lo c9", "no parent of this name"),
        ("muennet_cfg add_child net0 lo", "already"),
        ("muennet_cfg del_child net0", "not a child"),
        ("muennet_cfg del_child c9", "no interface of this name"),
        ("ip netns exec n1 muennet_cfg add_mark c1 2", "held by c2"),
        ("ip netns exec n1 muennet_cfg add_mark c1 1", "already"),
        ("ip netns exec n1 muennet_cfg add_mark c1 0", ""),
        (
            "ip netns exec n1 muennet_cfg del_mark c1 2",
            "does not hold mark 2",
        ),
        ("ip link add link lo name c9 type muennet", "muennet"),
        ("ip link add name c9 type muennet", "link"),
        (
            "ip link add link net0 name c9 type muennet mark 2",
            "held by c2",
        ),
    ] {
        let output = a.run(command)?;
        ensure!(
            output.status != 0 && output.text.contains(why) && !output.text.contains("\\x"),
            "\"{command}\" ended with {}, without \"{why}\":\n{}",
            output.status,
            output.text
        );
    }
    let left = a.run("ip link show c9")?;
    ensure!(left.status != 0, "a refused child is there:\n{}", left.text);
    Ok(())
}

/// Children as links, and what becomes of their marks.
fn links(a: &mut Vm) -> Result<()> {
    a.ok("ip link add link net0 name c4 type muennet mark 42")?;
    a.ok("muennet_cfg add_mark c4 43")?;
    let shown = a.ok("ip -d link show c4")?;
    ensure!(
        shown.contains("c4@net0") && shown.contains("muennet marks 42 43"),
        "ip -d link says:\n{shown}"
    );
    let json = a.ok("ip -d -j link show c4")?;
    ensure!(
        json.contains("\"marks\":[42,43]"),
        "ip -d -j link says:\n{json}"
    );
    a.ok("ip link del c4")?;
    // Its marks are free again.
    a.ok(
        "muennet_cfg add_child net0 c5 && muennet_cfg add_mark c5 42 && muennet_cfg add_mark c5 43",
    )?;
    a.ok("muennet_cfg del_child c5")?;
    // A namespace that ends takes its children along.
    a.ok("ip netns add n4 && ip netns exec n4 muennet_cfg add_child net0 c6")?;
    a.ok("ip netns exec n4 muennet_cfg add_mark c6 44 && ip netns del n4")?;
    a.until("muennet_cfg add_child net0 c7 2>&1; muennet_cfg add_mark c7 44")?;
    a.ok("muennet_cfg del_child c7").map(drop)
}

/// Users without the right are refused.
fn rights(a: &mut Vm) -> Result<()> {
    a.ok("ip link add link net0 name c8 type muennet mark 50")?;
    let all = [
        "add_child net0 c9",
        "del_child c8",
        "add_mark c8 51",
        "del_mark c8 50",
        "list",
    ];
    for command in all {
        a.fails(
            &format!("setpriv --reuid 1000 --clear-groups muennet_cfg {command}"),
            "not permitted",
        )?;
    }
    // Root of another user namespace: the parent is not its to touch, nor are the
    // marks of a child that was given to it.
    a.ok("unshare -U -r -n sleep 1000 >/dev/null 2>&1 & echo $! >/tmp/other")?;
    a.until("[ \"$(cat /proc/$(cat /tmp/other)/uid_map | wc -l)\" = 1 ]")?;
    a.ok("ip link set c8 netns $(cat /tmp/other)")?;
    for command in ["add_child net0 c9", "add_mark c8 51", "del_mark c8 50"] {
        a.fails(
            &format!("nsenter -t $(cat /tmp/other) -U -n muennet_cfg {command}"),
            "not permitted",
        )?;
    }
    a.ok("nsenter -t $(cat /tmp/other) -U -n ip link del c8")?;
    a.ok("kill $(cat /tmp/other)").map(drop)
}

/// Children come and go under load, and with the module.
fn races(a: &mut Vm, b: &mut Vm) -> Result<()> {
    b.ok("ping -f -q -m 60 10.0.1.1 >/dev/null 2>&1 &")?;
    a.ok("for i in $(seq 50); do \
          ip link add link net0 name c9 type muennet mark 60 && ip link set c9 up && \
          muennet_cfg add_mark c9 61 && ip link set c9 down && ip link set c9 up && \
          ip link del c9 || exit; done")?;
    a.ok("ip link add link net0 name c9 type muennet mark 60 && ip link set c9 up")?;
    a.until("[ $(cat /sys/class/net/c9/statistics/rx_packets) -gt 0 ]")?;
    // The children follow their parent: no carrier while there is no peer.
    b.ok("ip link set net0 down")?;
    a.until("ip link show c9 | grep -q NO-CARRIER")?;
    b.ok("ip link set net0 up; ip route add 10.0.0.0/16 dev net0")?;
    a.until("ip link show c9 | grep -q LOWER_UP")?;
    b.ok("killall ping; ping -f -q -m 60 10.0.1.1 >/dev/null 2>&1 &")?;
    a.ok("rmmod muennet")?;
    let left = a.ok("ip -o link; ip -n n1 -o link; ip -n n2 -o link; ip -n n3 -o link")?;
    ensure!(
        !left.contains(": c") && !left.contains("net0"),
        "after rmmod there is still:\n{left}"
    );
    b.ok("killall ping").map(drop)
}
