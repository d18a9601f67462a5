// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random netlink requests, made from the specifications of the driver's family and of its
//! link kind: of an ordinary user, of root in another user namespace, and of root. The kernel
//! complains of nothing, nobody without the right changes anything, and the interfaces go on.

use super::hostile::honest;
use crate::{
    lab::{carrier, Lab, PROTOCOL},
    settings::number,
    vm::Vm,
};
use anyhow::{ensure, Context, Result};

/// Requests of each sender; MUENNET_MESSAGES sets another number.
const MESSAGES: u64 = 3000;
/// Requests of one run of the program.
const AT_ONCE: u64 = 5000;
/// The first seed; MUENNET_SEED sets another.
const SEED: u64 = 1;

/// A program of the VM that sends requests, with the children that are there.
const PROGRAM: &str = "netlink --parent net_hdr --child kept --child moved";
const USER: &str = "setpriv --reuid 1000 --regid 1000 --clear-groups";
/// Interfaces, addresses, children and marks, without what traffic changes.
const STATE: &str = "ip -d -o link; ip -o addr; muennet_cfg list | sed 's/rx frames.*//'";

/// Operations that change nothing, and need no right for links.
const READS: [&str; 2] = ["getlink", "dump-links"];

/// A VM with an honest peer, and an interface that has children.
pub fn netlink(lab: &Lab) -> Result<()> {
    let messages = number("MUENNET_MESSAGES", MESSAGES)?;
    let seed = number("MUENNET_SEED", SEED)?;
    let wire = lab.serve("hostile.toml")?;
    let mut vm = wire.vm("linux")?;
    let _echo = wire.echo()?;
    vm.ok(&format!(
        "modprobe muennet name=net0,net_hdr in=testchannel_2,net_hdr out=testchannel_1 \
         reader_protocol={PROTOCOL},2 writer_protocol={PROTOCOL} flags=eth_dev,net_hdr"
    ))?;
    vm.ok("ip addr add 192.168.7.1/24 dev net0; ip link set net0 up; ip link set net_hdr up")?;
    carrier(&mut vm)?;
    let index = vm.ok("cat /sys/class/net/net_hdr/ifindex")?;
    vm.ok("ip link add link net_hdr name kept type muennet mark 1")?;
    // A kind or family that nobody knows starts no program each time.
    vm.ok("echo >/proc/sys/kernel/modprobe")?;
    // Addresses that IPv6 makes are there.
    vm.until("! ip -o addr | grep -q tentative")?;

    let before = vm.ok(STATE)?;
    let accepted = send(&mut vm, ("an ordinary user", USER), messages, seed)?;
    unchanged(&mut vm, &before).context("an ordinary user")?;
    for (operation, count) in &accepted {
        ensure!(
            *count == 0 || READS.contains(&operation.as_str()),
            "of an ordinary user, {count} requests of {operation} were accepted"
        );
    }

    // The namespace has a child of its own: all but that is not its to change.
    vm.ok(&format!(
        "{USER} unshare -U -r -n sleep 100000 >/dev/null 2>&1 & echo $! >/tmp/other"
    ))?;
    vm.until("grep -q 1000 /proc/$(cat /tmp/other)/uid_map")?;
    vm.ok("ip link add link net_hdr name moved type muennet mark 2")?;
    vm.ok("ip link set moved netns $(cat /tmp/other)")?;
    let before = vm.ok(STATE)?;
    let inside = "nsenter -t $(cat /tmp/other) -U -n";
    send(
        &mut vm,
        ("root of a user namespace", inside),
        messages,
        seed,
    )?;
    unchanged(&mut vm, &before).context("root of a user namespace")?;
    vm.ok("kill $(cat /tmp/other)")?;

    let accepted = send(&mut vm, ("root", ""), messages, seed)?;
    for (operation, count) in &accepted {
        ensure!(
            *count > 0,
            "of root, no request of {operation} was accepted: {accepted:?}"
        );
    }

    // Root may well have set it down, or another MTU.
    vm.ok(&format!(
        "ip link set $(ip -o link | sed -n 's/^{}: \\([^:@]*\\).*/\\1/p') down name net_hdr; \
         ip link set net_hdr mtu 1500 up",
        index.trim()
    ))?;
    honest(&wire, &mut vm, ("net_hdr", "net-hdr"))?;
    vm.until("ping -c 1 -W 1 192.168.7.2")?;
    // Nothing that was asked for keeps the module.
    vm.ok("rmmod muennet")?;
    vm.finish()
}

/// Sends requests of somebody, as whom a command runs behind some words; gives how many of
/// each operation were accepted.
fn send(
    vm: &mut Vm,
    (who, words): (&str, &str),
    messages: u64,
    seed: u64,
) -> Result<Vec<(String, u64)>> {
    let mut accepted = Vec::<(String, u64)>::new();
    let (mut sent, mut seed) = (0, seed);
    while sent < messages {
        let count = AT_ONCE.min(messages - sent);
        let said = vm
            .ok(&format!(
                "{words} {PROGRAM} --messages {count} --seed {seed}"
            ))
            .with_context(|| format!("{count} messages of {who}, seed {seed}"))?;
        let all = said
            .lines()
            .filter_map(|line| line.strip_prefix("accepted "));
        let all = all.filter_map(|line| line.split_once(' '));
        for (place, (operation, number)) in all.enumerate() {
            let number: u64 = number.parse()?;
            match accepted.get_mut(place) {
                Some((_, sum)) => *sum += number,
                None => accepted.push((operation.to_owned(), number)),
            }
        }
        ensure!(!accepted.is_empty(), "nothing is told:\n{said}");
        (sent, seed) = (sent + count, seed + 1);
    }
    let sum: u64 = accepted.iter().map(|(_, count)| count).sum();
    println!(
        "      {who}: {sent} messages, {sum} accepted, seeds up to {}",
        seed - 1
    );
    Ok(accepted)
}

fn unchanged(vm: &mut Vm, before: &str) -> Result<()> {
    let after = vm.ok(STATE)?;
    ensure!(before == after, "before:\n{before}\nafter:\n{after}");
    Ok(())
}
