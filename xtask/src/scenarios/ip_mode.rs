// SPDX-License-Identifier: MIT OR Apache-2.0
//! IP mode (net_hdr) between Linux and a component: both versions of IP, and marks
//! both ways.

use crate::{
    lab::{carrier, Lab, PROTOCOL},
    unikernel::Image,
    vm::Vm,
};
use anyhow::{ensure, Context, Result};

/// The mark that Linux gives what it sends to the UDP server.
const MARK: u32 = 0x2a;
/// Datagrams with the mark.
const DATAGRAMS: u64 = 100;

/// Linux and the unikernel.
pub fn ip_mode(lab: &Lab) -> Result<()> {
    let image = Image::Qemu.build()?;
    let wire = lab.serve("one-wire.toml")?;
    let words = "in=testchannel_1 out=testchannel_2 mode=net_hdr address=192.168.7.2/24 \
                 address=fd00:7::2/64 shutdown=allowed";
    let unikernel = wire.unikernel(&image, "echo", words)?;
    let mut vm = wire.vm("linux")?;
    vm.ok(&format!(
        "modprobe muennet name=net0 reader_protocol={PROTOCOL} writer_protocol={PROTOCOL} \
         in=testchannel_2 out=testchannel_1 flags=net_hdr"
    ))?;
    vm.ok("ip addr add 192.168.7.1/24 dev net0; ip addr add fd00:7::1/64 dev net0 nodad")?;
    vm.ok("ip link set net0 up")?;
    carrier(&mut vm)?;
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
        marks(&mut vm, address)?;
    }
    vm.ok("curl --silent --show-error --fail --data '' 'http://[fd00:7::2]/shutdown'")?;
    unikernel.ended()?;
    vm.finish()
}

/// What Linux marks comes to the component with the mark, which answers with the
/// mark of the question, which Linux sees.
fn marks(vm: &mut Vm, address: &str) -> Result<()> {
    vm.ok(&format!(
        "nft 'add table inet marks; add counter inet marks sent; add counter inet marks seen; \
         add chain inet marks output {{ type route hook output priority mangle; }}; \
         add rule inet marks output udp dport 7 meta mark set {MARK} counter name sent; \
         add chain inet marks input {{ type filter hook input priority 0; }}; \
         add rule inet marks input udp sport 7 meta mark {MARK} counter name seen'"
    ))?;
    vm.ok(&format!("probe udp {address}:7 --to {DATAGRAMS}"))?;
    for counter in ["sent", "seen"] {
        let said = vm.ok(&format!("nft list counter inet marks {counter}"))?;
        let packets: u64 = said
            .split_once("packets ")
            .and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok())
            .context("no counter")?;
        ensure!(
            packets == DATAGRAMS,
            "{address}: {packets} packets with mark {MARK:#x} were {counter}, not {DATAGRAMS}"
        );
    }
    vm.ok("nft delete table inet marks").map(drop)
}
