// SPDX-License-Identifier: MIT OR Apache-2.0
//! `muennet_cfg`: children and marks of muennet interfaces, by the driver's generic
//! netlink family. The four commands of the C program keep their names, arguments and
//! exit status; `list` shows what there is.

mod args;
mod client;
mod extack;
mod listing;
mod man;
mod message;
mod socket;
mod tree;

use args::{Action, Args};
use clap::{CommandFactory, Parser};
use client::{Client, Error};
use message::{Attribute, Command};
use std::{
    io::{self, Write},
    process::ExitCode,
};

/// The error, and the object that it concerns.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("cannot {what}: {error}")]
    Asking { what: String, error: Error },
    #[error("cannot write: {0}")]
    Writing(#[from] io::Error),
}

fn main() -> ExitCode {
    match run(Args::parse().action) {
        Ok(()) => ExitCode::SUCCESS,
        // Who closed the pipe has read enough.
        Err(Failure::Writing(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("muennet_cfg: {failure}");
            if let Failure::Asking { error, .. } = &failure {
                if let Some(advice) = error.advice() {
                    eprintln!("muennet_cfg: {advice}");
                }
            }
            ExitCode::FAILURE
        }
    }
}

fn run(action: Action) -> Result<(), Failure> {
    match action {
        Action::AddChild { parent, child } => ask(
            format!("add child {child} to {parent}"),
            Command::AddChild,
            vec![Attribute::Dev(parent), Attribute::ChildDev(child)],
        ),
        Action::DelChild { child } => ask(
            format!("delete child {child}"),
            Command::DelChild,
            vec![Attribute::ChildDev(child)],
        ),
        Action::AddMark { child, mark } => ask(
            format!("add mark {mark} to {child}"),
            Command::AddMark,
            vec![Attribute::ChildDev(child), Attribute::Mark(mark)],
        ),
        Action::DelMark { child, mark } => ask(
            format!("delete mark {mark} of {child}"),
            Command::DelMark,
            vec![Attribute::ChildDev(child), Attribute::Mark(mark)],
        ),
        Action::List { json } => list(json),
        Action::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "muennet_cfg", &mut text);
            print(&text)
        }
        Action::Man => {
            let mut text = Vec::new();
            man::write(Args::command(), &mut text)?;
            print(&text)
        }
    }
}

fn ask(what: String, command: Command, attributes: Vec<Attribute>) -> Result<(), Failure> {
    Client::connect()
        .and_then(|mut client| client.execute(command, attributes))
        .map_err(|error| Failure::Asking { what, error })
}

fn list(json: bool) -> Result<(), Failure> {
    let interfaces = Client::connect()
        .and_then(|mut client| listing::read(&mut client))
        .map_err(|error| Failure::Asking {
            what: "list interfaces".to_owned(),
            error,
        })?;
    if json {
        let mut text = serde_json::to_vec_pretty(&interfaces).map_err(io::Error::from)?;
        text.push(b'\n');
        return print(&text);
    }
    print(tree::Tree(&interfaces).to_string().as_bytes())
}

fn print(text: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text)?;
    Ok(out.flush()?)
}
