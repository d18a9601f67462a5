// SPDX-License-Identifier: MIT OR Apache-2.0
//! The example for modprobe.d, and the order in which the modules go.

use crate::{lab::Lab, run::workspace, vm::Vm};
use anyhow::{ensure, Result};
use std::fs;

/// One VM.
pub fn modprobe(lab: &Lab) -> Result<()> {
    let wire = lab.serve("one-wire.toml")?;
    let mut vm = wire.vm("linux")?;
    example(&mut vm)?;
    order(&mut vm)?;
    vm.finish()
}

/// The platform stays while the driver needs it; modprobe -r takes both.
fn order(vm: &mut Vm) -> Result<()> {
    vm.fails("rmmod muen_ivshmem", "in use by: muennet")?;
    vm.ok("modprobe -r muennet")?;
    let left = vm.ok("cat /proc/modules; ip -o link")?;
    ensure!(
        !left.contains("muen") && !left.contains("net0"),
        "modprobe -r leaves:\n{left}"
    );
    Ok(())
}

/// The example for modprobe.d makes the interface it names.
fn example(vm: &mut Vm) -> Result<()> {
    let text = fs::read_to_string(workspace().join("linux-kmod/modprobe.d/muennet.conf"))?;
    ensure!(
        !text.contains(['\'', '\\', '%']),
        "the example has letters that printf would change"
    );
    vm.ok(&format!(
        "mkdir -p /etc/modprobe.d && printf '{}' >/etc/modprobe.d/muennet.conf",
        text.replace('\n', "\\n")
    ))?;
    vm.ok("modprobe muennet")?;
    let said = vm.ok("ethtool -i net0")?;
    ensure!(
        said.contains("bus-info: testchannel_2:testchannel_1"),
        "modprobe with the example made:\n{said}"
    );
    Ok(())
}
