// SPDX-License-Identifier: MIT OR Apache-2.0
//! The unikernel: the demo, how fast it starts, and what it says when it cannot run.

use super::{ethtool::statistic, pings};
use crate::{
    demo,
    lab::{carrier, load, Lab, Wire},
    unikernel::{Image, Unikernel},
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
/// Pings before a start beside a silent peer.
const BEFORE: u64 = 300;
/// Starts of each kind under pings without pause.
const RESTARTS: usize = 2;
/// Answers that are looked at after a start.
const ANSWERS: u64 = 50;

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
    busy(&wire, &mut vm, &image).context("starts again under pings")?;
    silent(&wire, &mut vm, &image).context("starts again beside a silent peer")?;
    vm.finish()
}

/// How the unikernel starts again.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// Its machine ends and another one starts.
    Restart,
    /// Its machine is reset: Linux sees another epoch alone.
    Quick,
}

/// The ways of the unikernel.
const WAYS: [Way; 2] = [Way::Restart, Way::Quick];
/// The ways of Linux: the interface, the interface in one call of `ip`, the module.
const LINUX: [&str; 3] = [
    "ip link set net0 down; ip link set net0 up",
    "printf 'link set net0 down\\nlink set net0 up\\n' | ip -batch -",
    "rmmod muennet",
];

/// The unikernel, which starts again.
struct Lives<'a> {
    wire: &'a Wire<'a>,
    image: &'a Path,
    now: Unikernel,
    /// How often the machine of `now` started.
    starts: usize,
}

impl<'a> Lives<'a> {
    fn begin(wire: &'a Wire<'a>, image: &'a Path, vm: &mut Vm) -> Result<Self> {
        let mut lives = Self {
            wire,
            image,
            now: wire.unikernel(image, "echo", demo::WORDS)?,
            starts: 1,
        };
        lives.up(vm)?;
        Ok(lives)
    }

    fn restart(&mut self, way: Way, vm: &mut Vm) -> Result<()> {
        match way {
            Way::Restart => {
                self.now.kill()?;
                vm.until("! grep -q 1 /sys/class/net/net0/carrier")?;
                self.now = self.wire.unikernel(self.image, "echo", demo::WORDS)?;
                self.starts = 1;
            }
            Way::Quick => {
                self.now.reset()?;
                self.starts += 1;
            }
        }
        self.up(vm)
    }

    /// Waits until both ends are up.
    fn up(&mut self, vm: &mut Vm) -> Result<()> {
        // A machine that boots reads its subject, then the peer.
        self.now.until_said_times("up after", self.starts)?;
        self.now.until_said_times("link up", self.starts)?;
        carrier(vm)?;
        vm.ok(NEIGHBOUR).map(drop)
    }
}

/// Under pings without pause, whichever end starts again, no answer comes twice.
fn busy(wire: &Wire<'_>, vm: &mut Vm, image: &Path) -> Result<()> {
    vm.ok(NEIGHBOUR)?;
    pings::begin(vm, "192.168.7.2")?;
    for way in WAYS {
        let mut lives = Lives::begin(wire, image, vm)?;
        for _ in 0..RESTARTS {
            lives.restart(way, vm)?;
            pings::answered(vm, ANSWERS)?;
            pings::none_twice(vm).with_context(|| format!("{way:?} of the unikernel"))?;
        }
    }
    let _lives = Lives::begin(wire, image, vm)?;
    for again in LINUX {
        linux_again(vm, again)?;
        pings::answered(vm, ANSWERS)?;
        pings::none_twice(vm).with_context(|| format!("Linux: {again}"))?;
    }
    pings::end(vm)
}

/// Beside a silent Linux, a unikernel that starts again has received nothing but frames that
/// were sent since; and it answers each request of a Linux that starts again.
fn silent(wire: &Wire<'_>, vm: &mut Vm, image: &Path) -> Result<()> {
    for way in WAYS {
        let mut lives = Lives::begin(wire, image, vm)?;
        each_answered(vm, BEFORE)?;
        let before = statistic(vm, "tx_frames")?;
        lives.restart(way, vm)?;
        vm.until("curl --silent --fail http://192.168.7.2/ >/tmp/page")?;
        let sent = statistic(vm, "tx_frames")? - before;
        let page = vm.ok("grep received /tmp/page")?;
        let number = |unit: &str| -> Option<u64> {
            let (before, _) = page.split_once(unit)?;
            before.split_whitespace().next_back()?.parse().ok()
        };
        ensure!(
            number(" frames,").is_some_and(|received| (1..=sent).contains(&received))
                && number(" lost,") == Some(0)
                && number(" skipped").is_some_and(|skipped| skipped >= BEFORE),
            "after {way:?}, of {sent} frames that were sent: {page}"
        );
        each_answered(vm, ANSWERS)?;
    }
    let _lives = Lives::begin(wire, image, vm)?;
    for again in LINUX {
        linux_again(vm, again)?;
        each_answered(vm, ANSWERS).with_context(|| format!("Linux: {again}"))?;
    }
    Ok(())
}

/// Linux starts again in one of its ways.
fn linux_again(vm: &mut Vm, again: &str) -> Result<()> {
    vm.ok(again)?;
    if again.starts_with("rmmod") {
        load(vm, "testchannel_2", "testchannel_1", "192.168.7.1/24", "")?;
    }
    carrier(vm)?;
    vm.ok(NEIGHBOUR).map(drop)
}

/// Pings of which each is answered exactly once. One before them has the unikernel learn the
/// hardware address.
fn each_answered(vm: &mut Vm, number: u64) -> Result<()> {
    vm.until("ping -n -c 1 -W 1 192.168.7.2")?;
    let said = vm.ok(&format!("ping -n -c {number} -i 0.01 192.168.7.2"))?;
    ensure!(
        said.contains(&format!("{number} received")) && !said.contains("duplicates"),
        "{said}"
    );
    Ok(())
}

/// The self-test on aarch64.
pub fn self_test(lab: &Lab) -> Result<()> {
    let image = Image::Virt.build()?;
    crate::unikernel::self_test(&lab.tree, &image).map(drop)
}
