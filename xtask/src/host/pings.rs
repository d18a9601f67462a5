// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pings without pause, of which no answer may come twice: a program that starts again and
//! reads old frames would answer again.

use super::Stage;
use crate::{netns::Netns, process::Process};
use anyhow::{ensure, Result};

/// Begins to ping the component.
pub(super) fn begin(stage: &Stage, netns: &Netns) -> Result<Process> {
    let mut command = netns.command("ping");
    stage.start(command.args(["-n", "-i", "0.005", "192.168.7.2"]), "pings")
}

/// Ends the pings, of which some were answered.
pub(super) fn end(pings: Process) -> Result<()> {
    let said = pings.terminate();
    ensure!(
        said.contains("bytes from") && !said.contains("DUP!"),
        "answers of a former life:\n{said}"
    );
    Ok(())
}
