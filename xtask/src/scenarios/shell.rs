// SPDX-License-Identifier: MIT OR Apache-2.0
//! The VM to play in: what its welcome says works.

use crate::{
    lab::{Lab, PROTOCOL},
    shell::shell_in,
};
use anyhow::{ensure, Result};
use std::io::{pipe, PipeReader, PipeWriter, Read, Write};

/// Types the lines of the welcome, and leaves.
pub fn shell(lab: &Lab) -> Result<()> {
    let ((input, keyboard), (screen, output)) = (pipe()?, pipe()?);
    let user = std::thread::spawn(move || type_lines(keyboard, screen));
    shell_in(lab, input.into(), output.into())?;
    let Ok(said) = user.join() else {
        anyhow::bail!("typing failed");
    };
    let said = said?;
    ensure!(said.contains("3 received"), "no answer to ping:\n{said}");
    Ok(())
}

/// Types as a user does, who waits for the prompt; gives all that the screen showed.
fn type_lines(mut keyboard: PipeWriter, mut screen: PipeReader) -> Result<String> {
    let mut shown = Vec::new();
    while !shown.ends_with(b"# ") {
        let mut byte = [0];
        ensure!(screen.read(&mut byte)? == 1, "no prompt comes");
        shown.extend(byte);
    }
    for line in [
        &format!(
            "modprobe muennet name=net0 in=testchannel_2 out=testchannel_1 flags=eth_dev \
             reader_protocol={PROTOCOL} writer_protocol={PROTOCOL}"
        ),
        "ip addr add 192.168.7.1/24 dev net0; ip link set net0 up",
        "ping -c 3 -W 10 192.168.7.2",
        "exit",
    ] {
        writeln!(keyboard, "{line}")?;
    }
    screen.read_to_end(&mut shown)?;
    Ok(String::from_utf8_lossy(&shown).into_owned())
}
