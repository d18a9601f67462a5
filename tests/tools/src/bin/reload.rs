// SPDX-License-Identifier: MIT OR Apache-2.0
//! Unloads a kernel module and loads it again, many times, in one process: where a
//! checking kernel runs on an emulated processor, most of what `rmmod` and `modprobe`
//! take is their own start.

use anyhow::{Context, Result};
use clap::Parser;
use rustix::{
    io::Errno,
    system::{delete_module, finit_module},
};
use std::{ffi::CString, fs::File, path::PathBuf, process::ExitCode, thread, time::Duration};

/// Unloads a kernel module and loads it again, many times.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Its name.
    name: String,
    /// Its file.
    file: PathBuf,
    /// Number of reloads.
    #[arg(long)]
    times: u32,
    /// Milliseconds for which it stays loaded.
    #[arg(long, default_value_t = 50)]
    stay: u64,
    /// Its parameters.
    #[arg(last = true)]
    parameters: Vec<String>,
}

/// A module that somebody uses for a moment is asked to leave again, so often.
const TRIES: u32 = 1000;
const PAUSE: Duration = Duration::from_millis(5);
/// O_NONBLOCK: without it the kernel warns.
const AT_ONCE: i32 = 0o4000;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("reload: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let name = CString::new(args.name.as_str())?;
    let parameters = CString::new(args.parameters.join(" "))?;
    let file = File::open(&args.file).with_context(|| args.file.display().to_string())?;
    for time in 0..args.times {
        unload(&name).with_context(|| format!("cannot unload it after {time} times"))?;
        finit_module(&file, &parameters, 0)
            .with_context(|| format!("cannot load it after {time} times"))?;
        thread::sleep(Duration::from_millis(args.stay));
    }
    Ok(())
}

fn unload(name: &CString) -> rustix::io::Result<()> {
    for _ in 0..TRIES {
        match delete_module(name, AT_ONCE) {
            Err(Errno::WOULDBLOCK | Errno::BUSY) => thread::sleep(PAUSE),
            result => return result,
        }
    }
    Err(Errno::BUSY)
}
