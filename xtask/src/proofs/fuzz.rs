// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fuzzers in tests/fuzz, under AddressSanitizer.

use crate::{
    cache::need_program,
    progress,
    run::{cargo, quietly, target, workspace},
};
use anyhow::{ensure, Context, Result};
use std::{fs, path::Path, process::Command};

const TARGET: &str = "x86_64-unknown-linux-gnu";
/// The fuzzers, by what they are fed.
const FUZZERS: [&str; 3] = ["hostile", "sinfo", "parameters"];
/// Compiler flags as cargo-fuzz sets them: sanitizer, and counters for libFuzzer.
const FLAGS: &[&str] = &[
    "--cfg fuzzing",
    "-Zsanitizer=address",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];

/// Half a minute of each, from the committed corpus on.
pub fn fuzz_briefly() -> Result<()> {
    fuzz(30)
}

/// Files of the committed corpus, at most: each is run before the fuzzer looks for more.
const MAX_CORPUS: usize = 100;

/// Lays the fewest files that reach every edge of the corpora, committed and found, into
/// target/fuzz/minimal.
pub fn minimize() -> Result<()> {
    let target = target("fuzz")?;
    build(&target)?;
    let mut files = 0;
    for fuzzer in FUZZERS {
        let minimal = target.join("minimal").join(fuzzer);
        let _ = fs::remove_dir_all(&minimal);
        fs::create_dir_all(&minimal)?;
        let found = target.join("corpus").join(fuzzer);
        fs::create_dir_all(&found)?;
        quietly(
            Command::new(target.join(TARGET).join("release").join(fuzzer))
                // By edges alone: how often each is passed would keep five times the files.
                .args(["-set_cover_merge=1", "-use_counters=0", "-max_len=1024"])
                .arg(&minimal)
                .arg(workspace().join("tests/fuzz/corpus").join(fuzzer))
                .arg(found),
        )?;
        files += fs::read_dir(&minimal)?.count();
    }
    let minimal = target.join("minimal");
    eprintln!("  {files} files in {}", minimal.display());
    ensure!(
        files <= MAX_CORPUS,
        "more than {MAX_CORPUS} files are too many to commit"
    );
    Ok(())
}

/// Runs each fuzzer for `seconds`. What they find new stays in target/fuzz/corpus.
pub fn fuzz(seconds: u32) -> Result<()> {
    let folder = workspace().join("tests/fuzz");
    let target = target("fuzz")?;
    build(&target)?;
    for fuzzer in FUZZERS {
        let found = target.join("corpus").join(fuzzer);
        fs::create_dir_all(&found)?;
        let artifacts = target.join("artifacts").join(fuzzer).join("");
        fs::create_dir_all(&artifacts)?;
        let program = target.join(TARGET).join("release").join(fuzzer);
        let said = quietly(
            Command::new(program)
                .arg(format!("-max_total_time={seconds}"))
                .arg("-max_len=1024")
                .arg("-timeout=10")
                .arg("-print_final_stats=1")
                .arg(format!("-artifact_prefix={}", artifacts.display()))
                .arg(found)
                .arg(folder.join("corpus").join(fuzzer))
                // What libFuzzer says goes there.
                .stderr(fs::File::create(target.join(format!("{fuzzer}.log")))?),
        );
        let log = fs::read_to_string(target.join(format!("{fuzzer}.log")))?;
        said.with_context(|| crate::run::tail(&log, 40))?;
        let units = log
            .lines()
            .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
            .context("the fuzzer tells no number of runs")?;
        eprintln!("  {fuzzer}: {} runs without a finding", units.trim());
    }
    Ok(())
}

fn build(target: &Path) -> Result<()> {
    need_program("g++", "g++")?;
    progress::step("fuzzers", || {
        quietly(
            cargo(&["build", "--release", "--target", TARGET])
                .arg("--manifest-path")
                .arg(workspace().join("tests/fuzz/Cargo.toml"))
                .arg("--target-dir")
                .arg(target)
                // Sanitizers are no stable feature, though every release has them.
                .env("RUSTC_BOOTSTRAP", "1")
                .env("RUSTFLAGS", FLAGS.join(" ")),
        )
        .map(drop)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_corpus_is_small() {
        let corpus = workspace().join("tests/fuzz/corpus");
        let files = FUZZERS.map(|fuzzer| fs::read_dir(corpus.join(fuzzer)).unwrap().count());
        assert!(
            files.iter().all(|count| *count > 0) && files.iter().sum::<usize>() < MAX_CORPUS,
            "{files:?}: see cargo xtask fuzz --minimize"
        );
    }
}
