// SPDX-License-Identifier: MIT OR Apache-2.0
//! Processes that run beside us, and end when we do.

use crate::run;
use anyhow::{ensure, Context, Result};
use rustix::process::{kill_process, Pid, Signal};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Mutex, Once},
    time::{Duration, Instant},
};

static RUNNING: Mutex<Vec<u32>> = Mutex::new(Vec::new());
static HANDLER: Once = Once::new();

/// A process; killed when the value is dropped, or the program interrupted.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

fn running() -> std::sync::MutexGuard<'static, Vec<u32>> {
    RUNNING.lock().unwrap_or_else(|poison| poison.into_inner())
}

fn signal(id: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        // It may be gone already.
        let _ = kill_process(pid, signal);
    }
}

impl Process {
    /// Starts a command whose words go to the file `log`.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self> {
        Self::start_with_input(command, log, Stdio::null())
    }

    /// The same with `input` as its standard input.
    pub fn start_with_input(command: &mut Command, log: &Path, input: Stdio) -> Result<Self> {
        HANDLER.call_once(|| {
            let handler = || {
                running().iter().for_each(|id| signal(*id, Signal::KILL));
                std::process::exit(130);
            };
            if let Err(error) = ctrlc::set_handler(handler) {
                eprintln!("cannot handle interruptions: {error}");
            }
        });
        let file = File::create(log).with_context(|| format!("{}", log.display()))?;
        command.stdin(input).stdout(file.try_clone()?).stderr(file);
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {:?}", command.get_program()))?;
        running().push(child.id());
        Ok(Self {
            child,
            log: log.to_owned(),
        })
    }

    /// Its standard input, if that is a pipe.
    pub fn input(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// False once it has ended.
    pub fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Whether it runs, or how it ended.
    pub fn state(&mut self) -> String {
        match self.child.try_wait() {
            Ok(None) => "runs".to_owned(),
            Ok(Some(status)) => format!("ended with {status}"),
            Err(error) => format!("is unknown: {error}"),
        }
    }

    /// Its output until now.
    pub fn said(&self) -> String {
        run::tail(&fs::read_to_string(&self.log).unwrap_or_default(), 40)
    }

    /// Waits until it says `what`, not forever.
    pub fn until_said(&self, what: &str) -> Result<()> {
        let start = Instant::now();
        while !self.said().contains(what) {
            ensure!(
                start.elapsed() < Duration::from_secs(20),
                "waited in vain for \"{what}\":\n{}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Waits for its end, not forever.
    pub fn wait(&mut self, patience: Duration) {
        let start = Instant::now();
        while start.elapsed() < patience && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asks it to end, and waits for that.
    pub fn terminate(mut self) -> String {
        signal(self.child.id(), Signal::TERM);
        self.wait(Duration::from_secs(10));
        self.said()
    }

    /// Stops it where it is, until [`resume`](Self::resume).
    pub fn pause(&self) {
        signal(self.child.id(), Signal::STOP);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        signal(self.child.id(), Signal::CONT);
    }

    /// Kills it: it can do nothing more.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end, which it must do well.
    pub fn ask_to_end(&mut self) -> Result<()> {
        signal(self.child.id(), Signal::TERM);
        self.wait(Duration::from_secs(10));
        let state = self.state();
        ensure!(
            state.starts_with("ended with exit status: 0"),
            "asked to end, it {state}:\n{}",
            self.said()
        );
        Ok(())
    }

    /// The same; gives what it said.
    pub fn end(mut self) -> Result<String> {
        self.ask_to_end()?;
        Ok(self.said())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let id = self.child.id();
        running().retain(|other| *other != id);
    }
}
