// SPDX-License-Identifier: MIT OR Apache-2.0
//! IP mode (net_hdr) between Linux and a component: both versions of IP, and marks
//! both ways.

use crate::{
    lab::{carrier, has_version, Lab, PROTOCOL},
    unikernel::Image,
    vm::Vm,
};
use anyhow::{ensure, Context, Result};

/// The mark that Linux gives its questions.
const MARK: u32 = 0x2a;
/// Packets with the mark.
const COUNT: u64 = 100;

/// Linux and the unikernel.
pub fn ip_mode(lab: &Lab) -> Result<()> {
    let image = Image::Qemu.build()?;
    // As every tagged release of Muen writes it.
    let wire = lab.serve_version("one-wire.toml", 3)?;
    let words = "in=testchannel_1 out=testchannel_2 mode=net_hdr address=192.168.7.2/24 \
                 address=fd00:7::2/64 shutdown=allowed";
    let mut unikernel = wire.unikernel(&image, "echo", words)?;
    unikernel.until_said("at fd00:7::2/64")?;
    let mut vm = wire.vm("linux")?;
    vm.ok(&format!(
        "modprobe muennet name=net0 reader_protocol={PROTOCOL} writer_protocol={PROTOCOL} \
         in=testchannel_2 out=testchannel_1 flags=net_hdr"
    ))?;
    vm.ok("ip addr add 192.168.7.1/24 dev net0; ip addr add fd00:7::1/64 dev net0 nodad")?;
    vm.ok("ip link set net0 up")?;
    carrier(&mut vm)?;
    has_version(&mut vm, 3)?;
    for (address, datagram) in [("192.168.7.2", 1472), ("[fd00:7::2]", 1452)] {
        let bare = address.trim_matches(['[', ']']);
        let ping = vm.ok(&format!("ping -c 10 -i 0.05 {bare}"))?;
        ensure!(ping.contains(" 0% packet loss"), "{ping}");
        vm.ok(&format!("probe tcp {address}:7 --bytes 2097152"))?;
        vm.ok(&format!("probe udp {address}:7 --to {datagram}"))?;
        let page = vm.ok(&format!(
            "curl --silent --show-error --fail http://{address}/"
        ))?;
        ensure!(page.contains("subject   echo"), "another page:\n{page}");
    }
    marked(
        &mut vm,
        "udp sport 7",
        &format!("probe udp 192.168.7.2:7 --to {COUNT}"),
    )?;
    for (answers, address) in [
        ("icmp type echo-reply", "192.168.7.2"),
        ("icmpv6 type echo-reply", "fd00:7::2"),
    ] {
        let ping = format!("ping -c {COUNT} -i 0.01 -m {MARK} {address}");
        marked(&mut vm, answers, &ping)?;
    }
    vm.ok("curl --silent --show-error --fail --data '' 'http://[fd00:7::2]/shutdown'")?;
    unikernel.ended()?;
    vm.finish()
}

/// Has `command` send so many questions with the mark, and counts the answers, which
/// match `answers`, that come back with it: the component had it, and gave it back.
/// (smoltcp 0.14 forgets the marks of what its sockets send over IPv6, not of pings.)
fn marked(vm: &mut Vm, answers: &str, command: &str) -> Result<()> {
    vm.ok(&format!(
        "nft 'add table inet marks; add counter inet marks seen; \
         add chain inet marks output {{ type route hook output priority mangle; }}; \
         add rule inet marks output udp dport 7 meta mark set {MARK}; \
         add chain inet marks input {{ type filter hook input priority 0; }}; \
         add rule inet marks input {answers} meta mark {MARK} counter name seen'"
    ))?;
    vm.ok(command)?;
    let said = vm.ok("nft list counter inet marks seen")?;
    let packets: u64 = said
        .split_once("packets ")
        .and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok())
        .context("no counter")?;
    ensure!(
        packets == COUNT,
        "{packets} answers to \"{command}\" have the mark {MARK:#x}, not {COUNT}"
    );
    vm.ok("nft delete table inet marks").map(drop)
}
