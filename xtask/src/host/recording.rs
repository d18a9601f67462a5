// SPDX-License-Identifier: MIT OR Apache-2.0
//! Recordings by inspect, beside those of tcpdump, and to a pipe.

use super::stage::Stage;
use crate::{
    lab::program,
    netns::{until, Netns},
    process::Process,
    run::quietly,
};
use anyhow::{bail, ensure, Context, Result};
use std::{path::Path, process::Command};

/// inspect and tcpdump at work.
pub(super) struct Recorders {
    inspect: Process,
    tcpdump: Process,
}

impl Recorders {
    const SEEN: &'static str = "seen.pcapng";
    const DUMPED: &'static str = "dumped.pcap";

    pub(super) fn start(stage: &Stage, netns: &Netns) -> Result<Self> {
        let mut inspect = Command::new(program("muennet-host")?);
        inspect
            .arg("inspect")
            .arg("--observe")
            .arg(stage.path("observe"))
            .args(["--json", "--interval", "100", "--pcap"])
            .arg(stage.path(Self::SEEN));
        let mut tcpdump = netns.command("tcpdump");
        tcpdump
            // Room for all frames, however slow it is.
            .args(["-B", "32768", "-s", "2048", "-U", "--immediate-mode"])
            .args(["-i", "tap0", "-Z", "root", "-w"])
            .arg(stage.path(Self::DUMPED));
        let recorders = Self {
            inspect: stage.start(&mut inspect, "inspect")?,
            tcpdump: stage.start(&mut tcpdump, "tcpdump")?,
        };
        recorders.inspect.until_said("\"state\"")?;
        recorders.tcpdump.until_said("listening on")?;
        Ok(recorders)
    }

    /// Waits until both hold the same; gives the number of frames.
    pub(super) fn compare(self, stage: &Stage) -> Result<usize> {
        let both = |filter: &str| {
            let seen = frames(&stage.path(Self::SEEN), filter)?;
            let dumped = frames(&stage.path(Self::DUMPED), filter)?;
            Ok::<_, anyhow::Error>((seen, dumped))
        };
        let (to, from) = (
            "eth.src != 02:00:00:00:00:02",
            "eth.src == 02:00:00:00:00:02",
        );
        let mut count = 0;
        // What is still on its way into a file makes it end in the midst of a frame.
        let same = until("the same frames in both files", || {
            for filter in [to, from] {
                match both(filter) {
                    Ok((seen, dumped)) if seen == dumped => count += seen.len(),
                    _ => {
                        count = 0;
                        return Ok(false);
                    }
                }
            }
            // The last datagram there and back.
            Ok(count > 2 * 1472)
        });
        if same.is_err() {
            let ((to_seen, to_dumped), (from_seen, from_dumped)) = (both(to)?, both(from)?);
            bail!(
                "inspect recorded {} and {} frames, tcpdump {} and {}",
                to_seen.len(),
                from_seen.len(),
                to_dumped.len(),
                from_dumped.len()
            );
        }
        let said = self.inspect.end()?;
        ensure!(said.contains("recorded, 0 lost"), "{said}");
        self.tcpdump.end()?;
        Ok(count)
    }
}

/// The bytes of a capture's frames, in hexadecimal, as tshark reads them.
fn frames(file: &Path, filter: &str) -> Result<Vec<String>> {
    let text = quietly(
        Command::new("tshark")
            .arg("-r")
            .arg(file)
            .args(["-Y", filter, "-x"]),
    )?;
    Ok(text.split("\n\n").map(str::to_owned).collect())
}

/// `inspect --pcap -` prints a capture and nothing else, which another program reads as
/// it comes.
pub(super) fn to_a_pipe(stage: &Stage) -> Result<()> {
    let server = stage.serve("one-wire.toml")?;
    let netns = Netns::new("pipe")?;
    netns.interface("tap", "tap0", &["192.168.7.1/24"])?;
    let linux = ("linux", "testchannel_2", "testchannel_1");
    let bridge = stage.start(
        &mut stage.bridge(&netns, ["--tap", "tap0"], linux)?,
        "bridge",
    )?;
    bridge.until_said("bridged")?;
    let echo = stage.echo()?;
    netns.up("tap0")?;
    for output in ["-", "/dev/stdout"] {
        // tshark refuses a stream with anything else in it, and ends after one frame.
        let line = format!(
            "{} inspect --observe {} --pcap {output} | \
             timeout 30 tshark -l -i - -c 1 -T fields -e eth.src 2>&1",
            program("muennet-host")?.display(),
            stage.path("observe").display()
        );
        let mut command = netns.command("sh");
        let mut reading = stage.start(command.args(["-c", &line]), "tshark")?;
        reading.until_said("Capturing")?;
        // Seen however late the recorder came up: sent until it is.
        until("a frame that tshark read", || {
            netns.ok("ping -c 1 -W 1 192.168.7.2")?;
            let address = netns.ok("cat /sys/class/net/tap0/address")?;
            Ok(reading.said().contains(address.trim()))
        })
        .with_context(|| reading.said())?;
        // The recorder ends with its reader, also when no more frames come.
        until("the end of the recorder", || Ok(!reading.is_running()?))?;
    }
    echo.end()?;
    bridge.end()?;
    server.end().map(drop)
}
