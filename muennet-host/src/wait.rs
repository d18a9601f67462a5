// SPDX-License-Identifier: MIT OR Apache-2.0
//! Waiting: for events, for the end, and never longer than asked.

use rustix::event::{poll, PollFd, PollFlags, Timespec};
use std::{
    io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::Duration,
};

/// The request that the process end.
#[derive(Debug)]
pub struct Stop {
    set: Arc<AtomicBool>,
    woken: UnixStream,
}

impl Stop {
    /// Set by SIGTERM or SIGINT, which also end a wait.
    ///
    /// # Errors
    ///
    /// An error of the system.
    pub fn on_signals() -> io::Result<Self> {
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

/// Readable once a signal came.
impl AsFd for Stop {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.woken.as_fd()
    }
}

/// True once nobody can read what is written to `pipe` any more.
///
/// # Errors
///
/// An error of the system.
pub fn is_closed(pipe: impl AsFd) -> io::Result<bool> {
    // POLLERR is told unasked.
    let mut asked = [PollFd::new(&pipe, PollFlags::empty())];
    match poll(&mut asked, Some(&Timespec::default())) {
        Ok(_) => Ok(asked[0].revents().contains(PollFlags::ERR)),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Waits until one of `descriptors` is readable, or for as long as `limit`.
///
/// # Errors
///
/// An error of the system; a signal is none.
pub fn until(descriptors: &[BorrowedFd<'_>], limit: Duration) -> io::Result<()> {
    let mut waits: Vec<_> = descriptors
        .iter()
        .map(|descriptor| PollFd::new(descriptor, PollFlags::IN))
        .collect();
    let limit = Timespec {
        tv_sec: limit.as_secs() as i64,
        tv_nsec: limit.subsec_nanos().into(),
    };
    match poll(&mut waits, Some(&limit)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_without_a_reader_is_closed() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        assert!(!is_closed(&writer).unwrap());
        drop(reader);
        assert!(is_closed(&writer).unwrap());
    }
}
