// SPDX-License-Identifier: MIT OR Apache-2.0
//! The unikernel: the demo, how fast it starts, and what it says when it cannot run.

use crate::{
    demo,
    lab::{load, Lab},
    unikernel::Image,
};
use anyhow::{ensure, Result};
use std::time::Duration;

/// From the start of QEMU to the first ping answered.
const START: Duration = Duration::from_secs(1);
/// Starts of which the fastest counts: the machine may have other things to do.
const STARTS: usize = 5;

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
    vm.finish()
}

/// The self-test on aarch64.
pub fn self_test(lab: &Lab) -> Result<()> {
    let image = Image::Virt.build()?;
    crate::unikernel::self_test(&lab.tree, &image).map(drop)
}
