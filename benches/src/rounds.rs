// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rounds of all measurements, one after the other, so that whatever else the
//! machine does meets all of them alike.

use crate::{
    half::What,
    place::{Files, Taps},
};
use anyhow::{ensure, Context, Result};
use std::{
    fmt::Write,
    process::{Child, Command, Stdio},
};

/// Results of the rounds, a value each.
#[derive(Debug, Default)]
pub struct Results {
    /// Gigabits per second, in one thread.
    pub alone: Vec<f64>,
    /// Gigabits per second, between threads.
    pub queue: Vec<f64>,
    /// Gigabits per second.
    pub channel: Vec<f64>,
    /// Gigabits per second.
    pub tap: Vec<f64>,
    /// Nanoseconds.
    pub line: Vec<f64>,
    /// Nanoseconds.
    pub by_hand: Vec<f64>,
    /// Nanoseconds.
    pub frame: Vec<f64>,
}

/// Ratios to be reached.
#[derive(Debug, Clone, Copy)]
pub struct Goals {
    queue: f64,
    tap: f64,
    line: f64,
}

impl Goals {
    /// Reads three numbers with commas between.
    pub fn parse(text: &str) -> Result<Self, String> {
        let numbers: Vec<f64> = text
            .split(',')
            .filter_map(|word| word.parse().ok())
            .collect();
        match numbers[..] {
            [queue, tap, line] => Ok(Self { queue, tap, line }),
            _ => Err("give three numbers, like 0.9,3,1.3".to_owned()),
        }
    }
}

/// Runs all measurements `rounds` times.
pub fn run(rounds: u32, bytes: u64, trips: u64) -> Result<Results> {
    let taps = Taps::new()?;
    let mut results = Results::default();
    for round in 1..=rounds {
        let gigabits = |what, divisor| {
            let bytes = bytes / divisor;
            measure(&taps, what, bytes).map(|nanoseconds| bytes as f64 * 8.0 / nanoseconds)
        };
        let per_trip =
            |what| measure(&taps, what, trips).map(|nanoseconds| nanoseconds / trips as f64);
        results.alone.push(gigabits(What::Alone, 1)?);
        results.queue.push(gigabits(What::Queue, 1)?);
        results.channel.push(gigabits(What::Channel, 1)?);
        // The slow one is shown fewer bytes.
        results.tap.push(gigabits(What::Tap, 4)?);
        results.line.push(per_trip(What::Line)?);
        results.by_hand.push(per_trip(What::ByHand)?);
        results.frame.push(per_trip(What::Frame)?);
        eprintln!("round {round} of {rounds}");
    }
    Ok(results)
}

/// Nanoseconds that one measurement takes.
fn measure(taps: &Taps, what: What, amount: u64) -> Result<f64> {
    let files = Files::new()?;
    let program = std::env::current_exe()?;
    let word = match what {
        What::Alone => "alone",
        What::Queue => "queue",
        What::Channel => "channel",
        What::Tap => "tap",
        What::Line => "line",
        What::ByHand => "by-hand",
        What::Frame => "frame",
    };
    let start = |side: usize| -> Result<Child> {
        let mut command = match what {
            What::Tap => taps.command(&program),
            _ => Command::new(&program),
        };
        command
            .args(["half", word, &side.to_string(), &amount.to_string()])
            .arg(files.folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        Ok(command.spawn()?)
    };
    let other = match what {
        What::Alone | What::Queue => None,
        _ => Some(start(1 - what.measures())?),
    };
    let output = start(what.measures())?.wait_with_output()?;
    // With its input ends the other one.
    if let Some(other) = other {
        let ended = other.wait_with_output()?;
        ensure!(ended.status.success(), "{word}: {}", ended.status);
    }
    ensure!(output.status.success(), "{word}: {}", output.status);
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().context("no number")
}

impl Results {
    /// The best of the rates, and of the times.
    fn best(&self) -> [f64; 7] {
        let most = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
        let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
        [
            most(&self.alone),
            most(&self.queue),
            most(&self.channel),
            most(&self.tap),
            least(&self.line),
            least(&self.by_hand),
            least(&self.frame),
        ]
    }

    /// The ratios to a queue between the same two cores, to the TAPs and to the cache line.
    pub fn ratios(&self) -> [f64; 3] {
        let [_, queue, channel, tap, line, _, frame] = self.best();
        [channel / queue, channel / tap, frame / line]
    }

    /// A table in Markdown.
    pub fn table(&self) -> String {
        let [alone, queue, channel, tap, line, by_hand, frame] = self.best();
        let [to_queue, to_tap, to_line] = self.ratios();
        let all = |values: &[f64], digits: usize| {
            let words: Vec<_> = values.iter().map(|v| format!("{v:.digits$}")).collect();
            words.join(", ")
        };
        let mut text = String::from("| what | best | ratio | all rounds |\n|---|---:|---:|---|\n");
        let mut row = |what: &str, best: String, ratio: String, rounds: String| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "| {what} | {best} | {ratio} | {rounds} |");
        };
        let bulk = |v: f64| format!("{v:.2} Gbit/s");
        row(
            "TCP, two processes over channels",
            bulk(channel),
            String::new(),
            all(&self.channel, 2),
        );
        row(
            "TCP, two threads over a queue",
            bulk(queue),
            format!("channels: {to_queue:.2} ×"),
            all(&self.queue, 2),
        );
        row(
            "TCP, one thread over a queue",
            bulk(alone),
            format!("channels: {:.2} ×", channel / alone),
            all(&self.alone, 2),
        );
        row(
            "TCP, two processes over TAPs",
            bulk(tap),
            format!("channels: {to_tap:.1} ×"),
            all(&self.tap, 2),
        );
        row(
            "64-byte frame, there and back",
            format!("{frame:.0} ns"),
            String::new(),
            all(&self.frame, 0),
        );
        row(
            "the same by hand, without muennet-core",
            format!("{by_hand:.0} ns"),
            format!("frame: {:.2} ×", frame / by_hand),
            all(&self.by_hand, 0),
        );
        row(
            "cache line, there and back",
            format!("{line:.0} ns"),
            format!("frame: {to_line:.2} ×"),
            all(&self.line, 0),
        );
        text
    }

    /// Fails unless the goals are reached.
    pub fn check(&self, goals: &Goals) -> Result<()> {
        let [queue, tap, line] = self.ratios();
        ensure!(
            queue >= goals.queue && tap >= goals.tap && line <= goals.line,
            "the goals are {} × a queue, {} × TAPs and at most {} × a cache line",
            goals.queue,
            goals.tap,
            goals.line
        );
        Ok(())
    }
}
