// SPDX-License-Identifier: MIT OR Apache-2.0
//! The unikernel: the demo, how fast it starts, and what it says when it cannot run.

use super::{
    again::{Again, AGAIN},
    ethtool::statistic,
    pings,
};
use crate::{
    demo,
    lab::{carrier, load, Lab, Wire},
    run::number_before,
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

/// The ways in which the unikernel starts again.
#[derive(Debug, Clone, Copy)]
enum Boot {
    /// Its machine ends and another one starts.
    Anew,
    /// Its machine is reset: Linux sees another epoch alone.
    Reset,
}

/// The ways of the unikernel.
const BOOTS: [Boot; 2] = [Boot::Anew, Boot::Reset];

/// The unikernel, which starts again.
struct Lives<'a> {
    wire: &'a Wire<'a>,
    image: &'a Path,
    now: Unikernel,
    /// Starts of the machine of `now`.
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

    fn restart(&mut self, boot: Boot, vm: &mut Vm) -> Result<()> {
        match boot {
            Boot::Anew => {
                self.now.kill()?;
                vm.until("! grep -q 1 /sys/class/net/net0/carrier")?;
                self.now = self.wire.unikernel(self.image, "echo", demo::WORDS)?;
                self.starts = 1;
            }
            Boot::Reset => {
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
    for boot in BOOTS {
        let mut lives = Lives::begin(wire, image, vm)?;
        for _ in 0..RESTARTS {
            lives.restart(boot, vm)?;
            pings::answered(vm, ANSWERS)?;
            pings::none_twice(vm).with_context(|| format!("{boot:?} of the unikernel"))?;
        }
    }
    let _lives = Lives::begin(wire, image, vm)?;
    for again in AGAIN {
        linux_again(vm, again)?;
        pings::answered(vm, ANSWERS)?;
        pings::none_twice(vm).with_context(|| format!("{again:?} of Linux"))?;
    }
    pings::end(vm)
}

/// Beside a silent Linux, a unikernel that starts again has received nothing but frames that
/// were sent since; and it answers each request of a Linux that starts again.
fn silent(wire: &Wire<'_>, vm: &mut Vm, image: &Path) -> Result<()> {
    for boot in BOOTS {
        let mut lives = Lives::begin(wire, image, vm)?;
        each_answered(vm, BEFORE)?;
        let before = statistic(vm, "tx_frames")?;
        lives.restart(boot, vm)?;
        vm.until("curl --silent --fail http://192.168.7.2/ >/tmp/page")?;
        let sent = statistic(vm, "tx_frames")? - before;
        let page = vm.ok("grep received /tmp/page")?;
        let number = |unit| number_before(&page, unit);
        ensure!(
            number(" frames,").is_some_and(|received| (1..=sent).contains(&received))
                && number(" lost,") == Some(0)
                && number(" skipped").is_some_and(|skipped| skipped >= BEFORE),
            "after {boot:?}, of {sent} frames that were sent: {page}"
        );
        each_answered(vm, ANSWERS)?;
    }
    let _lives = Lives::begin(wire, image, vm)?;
    for again in AGAIN {
        linux_again(vm, again)?;
        each_answered(vm, ANSWERS).with_context(|| format!("{again:?} of Linux"))?;
    }
    Ok(())
}

/// Linux starts again.
fn linux_again(vm: &mut Vm, again: Again) -> Result<()> {
    again.stop(vm)?;
    again.start(vm, |vm| {
        load(vm, "testchannel_2", "testchannel_1", "192.168.7.1/24", "")
    })?;
    carrier(vm)?;
    vm.ok(NEIGHBOUR).map(drop)
}

/// Pings of which each is answered exactly once. One before them has the unikernel learn the
/// hardware address.
fn each_answered(vm: &mut Vm, number: u64) -> Result<()> {
    vm.until("ping -n -c 1 -W 1 192.168.7.2")?;
    pings::each_answered(vm, "192.168.7.2", number)
}

/// The self-test on aarch64.
pub fn self_test(lab: &Lab) -> Result<()> {
    let image = Image::Virt.build()?;
    crate::unikernel::self_test(&lab.tree, &image).map(drop)
}
