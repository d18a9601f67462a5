// SPDX-License-Identifier: MIT OR Apache-2.0
//! A bridge and a component over files, of which either starts first and either starts
//! again: beside a silent peer every frame is counted, and under pings no answer comes twice.
//! Nobody clears a file, so the peer of a killed program sees one epoch follow another.

use super::{
    pings,
    stage::{file_bridge, Stage},
};
use crate::{
    lab::program,
    netns::{until, Netns},
    process::Process,
    run::number_before,
};
use anyhow::{ensure, Context, Result};
use std::{path::PathBuf, process::Command};

/// Pings whose frames lie in each channel when a program starts again.
const BEFORE: u64 = 500;
/// Pings that must be answered after a start.
const AFTER: u64 = 10;
/// Frames of ARP that go with pings, each way.
const ARP: u64 = 1;
/// Starts under pings without pause.
const TIMES: usize = 3;

/// An end of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Bridge,
    Component,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Bridge => Self::Component,
            Self::Component => Self::Bridge,
        }
    }
}

/// The ways in which an end starts again.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// It deactivates its channel and ends.
    Restart,
    /// It is killed: its peer sees another epoch, and no end of the one before.
    Quick,
}

/// Frames that an end counted.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    received: u64,
    lost: u64,
    rejected: u64,
    skipped: u64,
}

impl Counts {
    /// Nothing was lost or rejected.
    fn good(received: u64, skipped: u64) -> Self {
        Self {
            received,
            lost: 0,
            rejected: 0,
            skipped,
        }
    }

    /// Reads the line that a program ends with.
    fn read(said: &str) -> Result<Self> {
        let count = |unit: &str| {
            number_before(said, unit).with_context(|| format!("no number of{unit}:\n{said}"))
        };
        Ok(Self {
            received: count(" frames received")?,
            lost: count(" lost")?,
            rejected: count(" rejected")?,
            skipped: count(" skipped")?,
        })
    }
}

/// All of it.
pub(super) fn check(stage: &Stage) -> Result<()> {
    for side in [Side::Bridge, Side::Component] {
        first(stage, side).with_context(|| format!("{side:?} first"))?;
        for way in [Way::Restart, Way::Quick] {
            silent(stage, side, way)
                .with_context(|| format!("{way:?} of {side:?}, beside a silent peer"))?;
            busy(stage, side, way).with_context(|| format!("{way:?} of {side:?}, under pings"))?;
        }
    }
    Ok(())
}

/// One end is there before the other, which loses nothing; then the same under pings.
fn first(stage: &Stage, side: Side) -> Result<()> {
    let wire = Wire::new(stage, side)?;
    wire.pings(AFTER)?;
    let all = AFTER + ARP;
    wire.end([Counts::good(all, 0), Counts::good(all, 0)])?;

    let netns = namespace()?;
    let pings = pings::begin(stage, &netns)?;
    let wire = Wire::within(stage, netns, side)?;
    pings.until_said("bytes from")?;
    pings::end(pings)?;
    wire.pings(AFTER)
}

/// One end starts again after pings, and counts what comes from then on alone.
fn silent(stage: &Stage, side: Side, way: Way) -> Result<()> {
    let mut wire = Wire::new(stage, Side::Bridge)?;
    wire.pings(BEFORE)?;
    wire.restart(side, way)?;
    wire.pings(AFTER)?;
    let (before, after) = (BEFORE + ARP, AFTER + ARP);
    let [again, stayed] = [Counts::good(after, before), Counts::good(before + after, 0)];
    wire.end(match side {
        Side::Bridge => [again, stayed],
        Side::Component => [stayed, again],
    })
}

/// One end starts again and again under pings.
fn busy(stage: &Stage, side: Side, way: Way) -> Result<()> {
    let mut wire = Wire::new(stage, Side::Bridge)?;
    let pings = pings::begin(stage, &wire.netns)?;
    for _ in 0..TIMES {
        wire.restart(side, way)?;
        wire.netns.until("ping -n -c 1 -W 1 192.168.7.2")?;
    }
    pings::end(pings)?;
    wire.pings(AFTER)
}

/// A namespace with a TAP, which sends nothing but pings and what they need.
fn namespace() -> Result<Netns> {
    let netns = Netns::new("restarts")?;
    netns.ok("sysctl -qw net.ipv6.conf.default.disable_ipv6=1")?;
    netns.interface("tap", "tap0", &["192.168.7.1/24"])?;
    Ok(netns)
}

/// Two programs, joined by files.
struct Wire<'a> {
    stage: &'a Stage,
    netns: Netns,
    /// The bridge writes the first and reads the second.
    files: [PathBuf; 2],
    /// By [`Side`].
    programs: [Process; 2],
}

impl<'a> Wire<'a> {
    /// New channels, and both programs on them, one of them `first`.
    fn new(stage: &'a Stage, first: Side) -> Result<Self> {
        Self::within(stage, namespace()?, first)
    }

    fn within(stage: &'a Stage, netns: Netns, first: Side) -> Result<Self> {
        let files = stage.channels()?;
        let one = start(stage, &netns, &files, first)?;
        let other = start(stage, &netns, &files, first.other())?;
        let wire = Self {
            stage,
            netns,
            files,
            programs: match first {
                Side::Bridge => [one, other],
                Side::Component => [other, one],
            },
        };
        wire.until_up(first, 1)?;
        wire.until_up(first.other(), 1)?;
        Ok(wire)
    }

    /// Counts how often an end saw its peer come up.
    fn ups(&self, side: Side) -> usize {
        let words: &[&str] = match side {
            Side::Bridge => &["carrier on", "the peer started anew"],
            Side::Component => &["link up"],
        };
        let said = self.programs[side as usize].said();
        words.iter().map(|words| said.matches(words).count()).sum()
    }

    fn until_up(&self, side: Side, times: usize) -> Result<()> {
        until("both ends up", || Ok(self.ups(side) >= times)).map(drop)
    }

    /// Starts one end again, and waits until both know.
    fn restart(&mut self, side: Side, way: Way) -> Result<()> {
        let known = self.ups(side.other());
        let program = &mut self.programs[side as usize];
        match way {
            Way::Restart => program.ask_to_end()?,
            Way::Quick => program.kill()?,
        }
        *program = start(self.stage, &self.netns, &self.files, side)?;
        self.until_up(side, 1)?;
        self.until_up(side.other(), known + 1)
    }

    /// Pings, each answered once, after one request and answer of ARP.
    fn pings(&self, number: u64) -> Result<()> {
        self.netns.up("tap0")?;
        let said = self.netns.ok(&format!(
            "ip neigh flush dev tap0; ping -n -c {number} -i 0.002 -W 5 192.168.7.2"
        ))?;
        ensure!(
            said.contains(&format!("{number} received")) && !said.contains("duplicates"),
            "{said}"
        );
        Ok(())
    }

    /// Ends both, which counted as expected: the bridge, the component.
    fn end(self, expected: [Counts; 2]) -> Result<()> {
        for (program, expected) in self.programs.into_iter().zip(expected) {
            let said = program.end()?;
            let counts = Counts::read(&said)?;
            ensure!(
                counts == expected,
                "{counts:?} instead of {expected:?}:\n{said}"
            );
        }
        Ok(())
    }
}

fn start(stage: &Stage, netns: &Netns, [a, b]: &[PathBuf; 2], side: Side) -> Result<Process> {
    let (mut command, log, ready) = match side {
        Side::Bridge => (file_bridge(netns, b, a)?, "bridge", "bridged"),
        Side::Component => {
            let mut command = Command::new(program("echo")?);
            command.args(["--poll", "100", "--in-file"]).arg(a);
            command.arg("--out-file").arg(b);
            (command, "component", "port 7")
        }
    };
    let process = stage.start(&mut command, log)?;
    process.until_said(ready)?;
    Ok(process)
}
