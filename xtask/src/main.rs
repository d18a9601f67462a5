// SPDX-License-Identifier: MIT OR Apache-2.0
//! One entry for people and CI: builds the root tree, the modules and the VMs,
//! shows the demo and runs the checks.

mod layers;
mod progress;
mod run;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about, version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the checks: lints, unit tests, models, documentation.
    Test {
        /// Run only the layers of these names.
        #[arg(long, value_name = "NAME")]
        layer: Vec<String>,
        /// List the layers and leave.
        #[arg(long)]
        list: bool,
    },
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Test { list: true, .. } => {
            layers::list();
            Ok(true)
        }
        Command::Test { layer, .. } => layers::run(&layer),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
