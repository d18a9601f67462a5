// SPDX-License-Identifier: MIT OR Apache-2.0
//! Muen channels on a Linux host: joins them to interfaces, and shows them.

mod bridge;
mod inspect;

use clap::{Parser, Subcommand};
use muennet_host::printable::printable;
use std::{
    io::{self, Write},
    process::ExitCode,
};

/// Muen channels on a Linux host.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Bridge(bridge::Args),
    Inspect(inspect::Args),
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Bridge(args) => bridge::run(&args),
        Command::Inspect(args) => inspect::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A closed stream is no reason for another status.
            let error = printable(format!("{error:#}"));
            let _ = writeln!(io::stderr(), "muennet-host: {error}");
            ExitCode::FAILURE
        }
    }
}
