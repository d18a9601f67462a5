// SPDX-License-Identifier: MIT OR Apache-2.0
//! Time, sleep and signals.

use anyhow::Result;
use muennet_host::ivshmem::client::Vector;
use rustix::event::{poll, PollFd, PollFlags, Timespec};
use smoltcp::time::Instant;
use std::{
    os::unix::net::UnixStream,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::Duration,
};

/// smoltcp's clock.
pub fn now() -> Instant {
    Instant::now()
}

/// Whether the process is to end.
pub struct Stop {
    set: Arc<AtomicBool>,
    woken: UnixStream,
}

impl Stop {
    /// Set by SIGTERM or SIGINT, which also end a wait.
    pub fn on_signals() -> Result<Self> {
        let (woken, waker) = UnixStream::pair()?;
        let set = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
            signal_hook::flag::register(signal, set.clone())?;
            signal_hook::low_level::pipe::register(signal, waker.try_clone()?)?;
        }
        Ok(Self { set, woken })
    }

    /// True once a signal came.
    pub fn is_set(&self) -> bool {
        self.set.load(Ordering::Relaxed)
    }
}

/// Waits for the event, for the end, or for as long as `limit`.
pub fn until(vector: &Vector, stop: &Stop, limit: Duration) -> Result<()> {
    wait(
        &mut [
            PollFd::new(vector, PollFlags::IN),
            PollFd::new(&stop.woken, PollFlags::IN),
        ],
        limit,
    )?;
    vector.clear();
    Ok(())
}

/// Waits for the end, or for as long as `limit`.
pub fn pause(stop: &Stop, limit: Duration) -> Result<()> {
    wait(&mut [PollFd::new(&stop.woken, PollFlags::IN)], limit)
}

fn wait(descriptors: &mut [PollFd<'_>], limit: Duration) -> Result<()> {
    let limit = Timespec {
        tv_sec: limit.as_secs() as i64,
        tv_nsec: limit.subsec_nanos().into(),
    };
    match poll(descriptors, Some(&limit)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
