// SPDX-License-Identifier: MIT OR Apache-2.0
//! Coverage of muennet-core by its tests, from LLVM's counters.

use crate::{
    cache::need_program,
    run::{cargo, quietly, target},
};
use anyhow::{ensure, Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Percent of the lines that must have run.
const LEAST: f64 = 95.0;
/// Files that do not count: tests, and the models' stand-in for memory.
const IGNORED: &str = "(/tests/|tests\\.rs|models\\.rs|heap\\.rs|word_loom\\.rs|registry|rustc)";

/// Runs the tests with counters; fails when too few lines have run.
pub fn coverage() -> Result<()> {
    let folder = target("coverage")?;
    let profiles = folder.join("profiles");
    let _ = fs::remove_dir_all(&profiles);
    let version = llvm()?;
    let profdata = format!("llvm-profdata-{version}");
    let cov = format!("llvm-cov-{version}");
    need_program(&profdata, &format!("llvm-{version}"))?;
    let test = |more: &[&str]| {
        let mut command = cargo(&["test", "--package", "muennet-core", "--all-features"]);
        command
            .args(["--lib", "--tests"])
            .args(more)
            .arg("--target-dir")
            .arg(&folder)
            .env("RUSTFLAGS", "-Cinstrument-coverage")
            .env("LLVM_PROFILE_FILE", profiles.join("%p-%m.profraw"));
        command
    };
    quietly(&mut test(&[]))?;
    let programs = programs(&quietly(&mut test(&["--no-run", "--message-format=json"]))?);
    let merged = folder.join("merged.profdata");
    let raw = fs::read_dir(&profiles)?.flatten().map(|entry| entry.path());
    quietly(
        Command::new(&profdata)
            .args(["merge", "-sparse", "-o"])
            .arg(&merged)
            .args(raw),
    )?;
    let mut report = Command::new(&cov);
    report
        .arg("report")
        .arg(format!("-instr-profile={}", merged.display()))
        .arg(format!("-ignore-filename-regex={IGNORED}"))
        .arg("-show-region-summary=false")
        .arg("-show-branch-summary=false");
    for (index, program) in programs.iter().enumerate() {
        if index > 0 {
            report.arg("-object");
        }
        report.arg(program);
    }
    let report = quietly(&mut report)?;
    eprint!("{report}");
    let percent = total(&report).context("the report has no total of lines")?;
    ensure!(
        percent >= LEAST,
        "{percent} % of muennet-core's lines are run by its tests, below {LEAST} %"
    );
    Ok(())
}

/// The number of LLVM's release that the compiler is made with.
fn llvm() -> Result<String> {
    let said = quietly(Command::new("rustc").arg("-vV"))?;
    said.lines()
        .find_map(|line| line.strip_prefix("LLVM version: ")?.split('.').next())
        .map(str::to_owned)
        .context("rustc tells no version of LLVM")
}

/// The test programs that cargo built, from what it says of them.
fn programs(messages: &str) -> Vec<PathBuf> {
    messages
        .lines()
        .filter_map(|line| line.split("\"executable\":\"").nth(1)?.split('"').next())
        .map(|path| Path::new(path).to_owned())
        .collect()
}

/// Percent of the lines in the line of totals, the last of its columns.
fn total(report: &str) -> Option<f64> {
    let total = report.lines().find(|line| line.starts_with("TOTAL"))?;
    total
        .split_whitespace()
        .last()?
        .strip_suffix('%')?
        .parse()
        .ok()
}
