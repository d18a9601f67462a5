// SPDX-License-Identifier: MIT OR Apache-2.0
//! A VM to play in, with an echo server at the other end of its wire.

use crate::lab::{Lab, PROTOCOL};
use anyhow::{ensure, Result};
use std::process::Stdio;

/// Boots the VM on this terminal and waits for its end.
pub fn shell() -> Result<()> {
    shell_in(&Lab::open()?, Stdio::inherit(), Stdio::inherit())
}

/// The same in a laboratory that is there, with `input` and `output` as the terminal.
pub fn shell_in(lab: &Lab, input: Stdio, output: Stdio) -> Result<()> {
    let wire = lab.serve("one-wire.toml")?;
    let _echo = wire.echo()?;
    eprintln!(
        "A VM with the modules, and an echo server at the other end of its wire. In it:\n\n  \
         modprobe muennet name=net0 in=testchannel_2 out=testchannel_1 flags=eth_dev \
         reader_protocol={PROTOCOL} writer_protocol={PROTOCOL}\n  \
         ip addr add 192.168.7.1/24 dev net0; ip link set net0 up; ping -c 3 192.168.7.2\n\n\
         Leave with exit, or with Ctrl-a x at any time.\n"
    );
    let mut command = wire.shell("linux")?;
    let status = command.stdin(input).stdout(output).status()?;
    ensure!(status.success(), "QEMU ended with {status}");
    Ok(())
}
