// SPDX-License-Identifier: MIT OR Apache-2.0
//! Faults put into the code one at a time, by cargo-mutants: the tests of the package must
//! notice each. `.cargo/mutants.toml` lists the faults that change nothing a test can see.

use crate::{
    cache::Cache,
    process::Process,
    progress,
    run::{cargo, quietly, target, workspace},
};
use anyhow::{bail, ensure, Result};
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// The release of cargo-mutants: another one makes other faults.
const VERSION: &str = "27.1.0";
/// The packages whose code is changed; the configuration leaves some of their files out.
const PACKAGES: [&str; 4] = [
    "muennet-core",
    "smoltcp-device",
    "muennet-cfg",
    "muennet-host",
];
/// Those of which the tests notice every fault. Faults of muennet-core's segments and of
/// muennet-host's sockets, TAPs and screens were not tried yet.
const CLEAN: [&str; 2] = ["smoltcp-device", "muennet-cfg"];
/// A test that runs longer, in seconds, is stopped: a fault that lets a loop run on.
const TEST_TIMEOUT: &str = "30";
/// The time for faults in changed functions in the checks.
const BRIEF: Duration = Duration::from_secs(180);

/// The base of a clone in which nothing was committed.
const COMMITS: &str = "HEAD~20";
/// The tree without files, which git knows by this name.
const EMPTY: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// The faults to try.
#[derive(clap::Args)]
pub struct Choice {
    /// Only those in functions that differ from this commit.
    #[arg(long, value_name = "COMMIT")]
    changed: Option<String>,
    /// Only those in files that match this pattern, as in "muennet-core/src/link/*.rs".
    #[arg(long, value_name = "GLOB")]
    file: Vec<String>,
    /// Begin no more after so many minutes; the rest is counted as not run.
    #[arg(long)]
    minutes: Option<u64>,
}

/// Tries the faults in `choice`; fails if the tests miss one.
pub fn run(choice: &Choice) -> Result<()> {
    let limit = choice
        .minutes
        .map(|minutes| Duration::from_secs(60 * minutes));
    let diff = match &choice.changed {
        Some(base) => Some(difference(base)?),
        None => None,
    };
    attempt(&PACKAGES, &choice.file, diff.as_deref(), limit)
}

/// Tries faults in the functions that differ from the base of the change, in the packages whose
/// tests miss none.
pub fn changed_briefly() -> Result<()> {
    attempt(&CLEAN, &[], Some(&difference(&base()?)?), Some(BRIEF))
}

fn git(arguments: &[&str]) -> Result<String> {
    quietly(Command::new("git").current_dir(workspace()).args(arguments))
}

/// The commit in `MUENNET_BASE`; without it the commit where the branch left the remote's; in
/// a clone of the remote's branch itself a number of commits back, or all of them.
fn base() -> Result<String> {
    if let Ok(base) = std::env::var("MUENNET_BASE") {
        return Ok(base);
    }
    let head = git(&["rev-parse", "HEAD"])?;
    let candidates = [
        git(&["merge-base", "HEAD", "origin/HEAD"]),
        git(&["rev-parse", "--verify", COMMITS]),
    ];
    let base = candidates.into_iter().flatten().find(|base| *base != head);
    Ok(base.map_or_else(|| EMPTY.to_owned(), |base| base.trim().to_owned()))
}

/// The folder of results.
fn output() -> Result<PathBuf> {
    let folder = target("mutants")?;
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Writes the changes from the commit `base` to the files as they are into a file.
fn difference(base: &str) -> Result<PathBuf> {
    let diff = git(&["diff", "--no-color", "--no-ext-diff", base, "--", "*.rs"])?;
    let file = output()?.join("changes.diff");
    fs::write(&file, diff)?;
    Ok(file)
}

/// The program, built once. Without optimisation, which costs minutes and saves seconds.
fn program() -> Result<PathBuf> {
    let cache = Cache::part("mutants")?;
    let program = cache.path("bin/cargo-mutants");
    let recipe = format!("1 {VERSION}");
    cache.once(
        "cargo-mutants",
        &recipe,
        std::slice::from_ref(&program),
        || {
            quietly(
                cargo(&["install", "cargo-mutants", "--locked", "--debug", "--force"])
                    .args(["--version", VERSION, "--root"])
                    .arg(cache.path(""))
                    .env("CARGO_PROFILE_DEV_DEBUG", "false"),
            )
            .map(drop)
        },
    )?;
    Ok(program)
}

fn attempt(
    packages: &[&str],
    files: &[String],
    diff: Option<&Path>,
    limit: Option<Duration>,
) -> Result<()> {
    let program = program()?;
    let mut which = vec![OsString::from("mutants")];
    if let Some(diff) = diff {
        which.extend(["--in-diff".into(), diff.into()]);
    }
    for package in packages {
        which.extend(["--package".into(), package.into()]);
    }
    for file in files {
        which.extend(["--file".into(), file.into()]);
    }
    let command = || {
        let mut command = Command::new(&program);
        command.current_dir(workspace()).args(&which);
        command
    };
    let listed = quietly(command().arg("--list"))?;
    let all: Vec<_> = listed
        .lines()
        .filter(|line| line.contains(".rs:"))
        .collect();
    if all.is_empty() {
        eprintln!("  no fault to try: no function of the packages is concerned");
        return Ok(());
    }
    let output = output()?;
    let results = output.join("mutants.out");
    let _ = fs::remove_dir_all(&results);
    let mut process = Process::start(
        command()
            .args(["--jobs", "1", "--timeout", TEST_TIMEOUT])
            .args(["--colors", "never", "--output"])
            .arg(&output),
        &output.join("log"),
    )?;
    progress::step(&format!("{} faults", all.len()), || {
        process.wait(limit.unwrap_or(Duration::MAX));
        Ok(())
    })?;
    let said = process.terminate();
    let verdicts = Verdicts::read(&results);
    verdicts.print(&all);
    ensure!(verdicts.any(), "cargo-mutants tried no fault:\n{said}");
    if !verdicts.missed.is_empty() {
        bail!(
            "the tests miss {} faults:\n{}",
            verdicts.missed.len(),
            verdicts.missed.join("\n")
        );
    }
    Ok(())
}

/// The faults that were tried, by what became of them: lines that begin with a file's name.
struct Verdicts {
    caught: Vec<String>,
    missed: Vec<String>,
    /// Stopped, since a test did not end: they are noticed, too.
    timeout: Vec<String>,
    /// Not compiled, and so no faults that could be made.
    unviable: Vec<String>,
}

impl Verdicts {
    /// Reads the lists, which grow while faults are tried. A missing one is empty.
    fn read(folder: &Path) -> Self {
        let lines = |name: &str| {
            let text = fs::read_to_string(folder.join(name)).unwrap_or_default();
            text.lines().map(str::to_owned).collect()
        };
        Self {
            caught: lines("caught.txt"),
            missed: lines("missed.txt"),
            timeout: lines("timeout.txt"),
            unviable: lines("unviable.txt"),
        }
    }

    fn each(&self) -> [&[String]; 4] {
        [&self.caught, &self.missed, &self.timeout, &self.unviable]
    }

    fn any(&self) -> bool {
        self.each().iter().any(|list| !list.is_empty())
    }

    /// Prints their numbers for each package, beside all that there are.
    fn print(&self, all: &[&str]) {
        eprintln!(
            "  {:<16}{:>8}{:>8}{:>8}{:>9}{:>10}{:>9}",
            "package", "faults", "caught", "missed", "timeout", "unviable", "not run"
        );
        for package in PACKAGES {
            let of = |line: &str| line.split('/').next() == Some(package);
            let count = all.iter().filter(|line| of(line)).count();
            if count == 0 {
                continue;
            }
            let [caught, missed, timeout, unviable] = self
                .each()
                .map(|list| list.iter().filter(|line| of(line)).count());
            let left = count.saturating_sub(caught + missed + timeout + unviable);
            eprintln!(
                "  {package:<16}{count:>8}{caught:>8}{missed:>8}{timeout:>9}{unviable:>10}{left:>9}"
            );
        }
    }
}
