// SPDX-License-Identifier: MIT OR Apache-2.0
//! The unikernel: the demo, how fast it starts, and what it says when it cannot run.

use super::pings;
use crate::{
    demo,
    lab::{load, Lab, Wire},
    unikernel::Image,
    vm::Vm,
};
use anyhow::{ensure, Context, Result};
use std::{path::Path, time::Duration};

/// From the start of QEMU to the first ping answered.
const START: Duration = Duration::from_secs(1);
/// Starts of which the fastest counts: the machine may have other things to do.
const STARTS: usize = 5;
/// The unikernel's hardware address, known to Linux, so that no request is lost for it.
const NEIGHBOUR: &str = "ip neigh replace 192.168.7.2 lladdr 02:00:00:00:00:02 dev net0";
/// Starts under pings without pause, and the answers that are looked at after each.
const RESTARTS: usize = 3;
const ANSWERS: usize = 50;

/// All of it.
pub fn unikernel(lab: &Lab) -> Result<()> {
    let image = Image::Qemu.build()?;
    demo::unikernel_in(lab, &image)?;

    let wire = lab.serve("one-wire.toml")?;
    for (words, said) in [
        (
            "mode=ethernet",
            "cannot run: \"mode=ethernet\" is not understood",
        ),
        ("in=nowhere", "\"nowhere\""),
        ("out=testchannel_1", "\"testchannel_1\""),
    ] {
        let mut unikernel = wire.unikernel(&image, "echo", words)?;
        unikernel.until_said("cannot run: ")?;
        unikernel.until_said(said)?;
    }

    let mut vm = wire.vm("linux")?;
    load(
        &mut vm,
        "testchannel_2",
        "testchannel_1",
        "192.168.7.1/24",
        "",
    )?;
    let mut fastest = Duration::MAX;
    for _ in 0..STARTS {
        let (_unikernel, took) = demo::first_ping(&wire, &mut vm, &image)?;
        fastest = fastest.min(took);
        if fastest < START {
            break;
        }
    }
    ensure!(
        fastest < START,
        "the first ping was answered {} ms after the start",
        fastest.as_millis()
    );
    nothing_twice(&wire, &mut vm, &image)?;
    vm.finish()
}

/// Killed and started again under pings without pause, the unikernel answers none of its
/// former life; nor does it answer twice where Linux starts again. Started beside a Linux that
/// is silent, it has received nothing but what was sent since.
fn nothing_twice(wire: &Wire<'_>, vm: &mut Vm, image: &Path) -> Result<()> {
    vm.ok(NEIGHBOUR)?;
    pings::begin(vm, "192.168.7.2")?;
    for _ in 0..RESTARTS {
        let _unikernel = wire.unikernel(image, "echo", demo::WORDS)?;
        pings::answered(vm, ANSWERS)?;
        pings::none_twice(vm)?;
    }
    let unikernel = wire.unikernel(image, "echo", demo::WORDS)?;
    for reload in [false, true] {
        if reload {
            vm.ok("rmmod muennet")?;
            load(vm, "testchannel_2", "testchannel_1", "192.168.7.1/24", "")?;
        } else {
            vm.ok("ip link set net0 down; ip link set net0 up")?;
        }
        vm.ok(NEIGHBOUR)?;
        pings::answered(vm, ANSWERS)?;
        pings::none_twice(vm).context("Linux started again")?;
    }
    drop(unikernel);
    pings::end(vm)?;
    let _unikernel = wire.unikernel(image, "echo", demo::WORDS)?;
    vm.until("curl --silent --fail http://192.168.7.2/ >/tmp/page")?;
    let page = vm.ok("grep received /tmp/page")?;
    let frames: Option<u64> = page.split_whitespace().nth(1).and_then(|n| n.parse().ok());
    ensure!(
        frames.is_some_and(|frames| frames < ANSWERS as u64) && page.contains(" 0 lost"),
        "beside a silent Linux: {page}"
    );
    Ok(())
}

/// The self-test on aarch64.
pub fn self_test(lab: &Lab) -> Result<()> {
    let image = Image::Virt.build()?;
    crate::unikernel::self_test(&lab.tree, &image).map(drop)
}
