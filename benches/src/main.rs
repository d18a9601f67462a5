// SPDX-License-Identifier: MIT OR Apache-2.0
#![doc = include_str!("../README.md")]

mod bulk;
mod ended;
mod half;
mod place;
mod plot;
mod queue;
#[expect(unsafe_code, reason = "cache lines in a mapping, without a channel")]
mod round_trip;
mod rounds;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

/// Speed of two processes over a pair of channels, beside the limits of the machine.
#[derive(Debug, Parser)]
#[command(name = "native", version)]
struct Args {
    /// Rounds of each; the best counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Megabytes of a bulk transfer.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    megabytes: u64,

    /// Round trips of a measurement.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..))]
    trips: u64,

    /// Where to put the plot.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Fail unless the ratios are as good as these.
    #[arg(long, value_name = "QUEUE,TAP,LINE", value_parser = rounds::Goals::parse)]
    goals: Option<rounds::Goals>,

    #[command(subcommand)]
    half: Option<Half>,
}

#[derive(Debug, Subcommand)]
enum Half {
    /// One of the two processes of a measurement; started by the other command.
    #[command(hide = true)]
    Half(half::Half),
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("native: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    if let Some(Half::Half(half)) = &args.half {
        return half.run();
    }
    let results = rounds::run(args.rounds, args.megabytes << 20, args.trips)?;
    print!("{}", results.table());
    if let Some(path) = &args.svg {
        plot::draw(&results, path)?;
        println!("\nplot: {}", path.display());
    }
    match &args.goals {
        Some(goals) => results.check(goals),
        None => Ok(()),
    }
}
