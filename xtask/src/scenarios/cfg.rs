// SPDX-License-Identifier: MIT OR Apache-2.0
//! `muennet_cfg` as people and programs use it: the listing, what it says when the
//! kernel refuses, and the original's program beside it.

use crate::{lab::Lab, vm::Vm};
use anyhow::{ensure, Result};

/// One VM with an interface that may have children, and one that may not.
pub fn cfg(lab: &Lab) -> Result<()> {
    let wire = lab.serve("modes.toml")?;
    let mut vm = wire.vm("linux-a")?;
    refused(
        &mut vm,
        "muennet_cfg list",
        &[
            "cannot list interfaces",
            "knows no family",
            "modprobe muennet",
        ],
    )?;
    vm.ok(
        "modprobe muennet name=net0,net1 reader_protocol=2,2 writer_protocol=2,2 \
         in=channel_in,testchannel_1 out=channel_out,testchannel_2 flags=net_hdr,eth_dev",
    )?;
    shows(
        &mut vm,
        &[
            "net0: net_hdr, in channel_in, out channel_out, mtu 1500, no carrier\n",
            "net1: eth_dev, in testchannel_1, out testchannel_2, mtu 1500, no carrier\n",
            "    rx frames 0, lost 0, rejected 0, epochs 0; tx frames 0\n",
        ],
    )?;
    // The one makes what the other deletes.
    for (one, other) in [
        ("muennet_cfg", "muennet_cfg_libnl"),
        ("muennet_cfg_libnl", "muennet_cfg"),
    ] {
        both(&mut vm, one, other)?;
    }
    elsewhere(&mut vm)?;
    words(&mut vm)?;
    vm.ok("modprobe -r muennet")?;
    vm.finish()
}

fn both(vm: &mut Vm, one: &str, other: &str) -> Result<()> {
    vm.ok(&format!(
        "{one} add_child net0 c1 && {one} add_child net0 c2"
    ))?;
    vm.ok(&format!(
        "for mark in 9 5 7 8; do {one} add_mark c1 $mark || exit; done"
    ))?;
    shows(
        vm,
        &[
            "│   rx frames 0,",
            "├── c1: marks 5, 7-9; rx frames 0; tx frames 0\n",
            "└── c2: no marks; rx frames 0; tx frames 0\n",
        ],
    )?;
    let json = vm.ok("muennet_cfg list --json | tr -d ' \\n'")?;
    for words in [
        "[{\"name\":\"net0\",\"ifindex\":",
        "\"mode\":\"net_hdr\",\"in\":\"channel_in\",\"out\":\"channel_out\",\"mtu\":1500",
        "\"children\":[{\"name\":\"c1\",",
        "\"marks\":[5,7,8,9]}",
    ] {
        ensure!(json.contains(words), "{words} is not in:\n{json}");
    }
    for program in [one, other] {
        for command in [
            "add_child net0 c1",
            "add_child net1 c3",
            "add_child lo c3",
            "add_mark c2 5",
            "add_mark c9 1",
            "del_mark c2 5",
            "del_child net0",
            "del_child c9",
        ] {
            let output = vm.run(&format!("{program} {command}"))?;
            ensure!(
                output.status == 1,
                "{program} {command} ended with {}:\n{}",
                output.status,
                output.text
            );
        }
    }
    vm.ok(&format!("{other} del_mark c1 8 && {other} del_child c2"))?;
    shows(vm, &["└── c1: marks 5, 7, 9; rx"])?;
    vm.ok(&format!("{other} del_child c1"))?;
    let left = vm.ok("muennet_cfg list")?;
    ensure!(!left.contains("──"), "children are left:\n{left}");
    Ok(())
}

/// A namespace sees its children, though their parent is in another one.
fn elsewhere(vm: &mut Vm) -> Result<()> {
    vm.ok("ip netns add n1 && ip netns exec n1 muennet_cfg add_child net0 c1")?;
    vm.ok("ip netns exec n1 muennet_cfg add_mark c1 5")?;
    let there = vm.ok("ip netns exec n1 muennet_cfg list")?;
    let expected = "net0: in another network namespace\n\
                    └── c1: mark 5; rx frames 0; tx frames 0\n";
    ensure!(
        there == expected,
        "in the child's namespace it lists:\n{there}"
    );
    let here = vm.ok("muennet_cfg list")?;
    ensure!(
        !here.contains("c1"),
        "in its parent's namespace it lists:\n{here}"
    );
    vm.ok("ip netns del n1").map(drop)
}

/// Its error texts hold the kernel's reason, and advice.
fn words(vm: &mut Vm) -> Result<()> {
    refused(
        vm,
        "muennet_cfg add_child net9 c1",
        &[
            "muennet_cfg: cannot add child c1 to net9: there is no parent of this name",
            "(No such device)\n",
            "muennet_cfg list shows the interfaces",
        ],
    )?;
    refused(
        vm,
        "su -s /bin/sh tcpdump -c 'muennet_cfg list'",
        &["Operation not permitted", "needs CAP_NET_ADMIN"],
    )?;
    let wrong = vm.run("muennet_cfg add_mark c1 4294967296")?;
    ensure!(
        wrong.status == 2
            && wrong
                .text
                .contains("a mark is a number from 0 to 4294967295"),
        "a mark that is none ended with {}:\n{}",
        wrong.status,
        wrong.text
    );
    // Who reads one line and closes the pipe sees no error.
    let cut = vm.ok("muennet_cfg list | head -n 1")?;
    ensure!(cut.lines().count() == 1, "head shows:\n{cut}");
    Ok(())
}

fn shows(vm: &mut Vm, lines: &[&str]) -> Result<()> {
    let said = vm.ok("muennet_cfg list")?;
    for line in lines {
        ensure!(said.contains(line), "\"{line}\" is not in:\n{said}");
    }
    Ok(())
}

fn refused(vm: &mut Vm, command: &str, words: &[&str]) -> Result<()> {
    let output = vm.run(command)?;
    ensure!(
        output.status == 1 && words.iter().all(|words| output.text.contains(words)),
        "\"{command}\" ended with {}:\n{}",
        output.status,
        output.text
    );
    Ok(())
}
