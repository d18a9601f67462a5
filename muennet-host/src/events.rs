// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sleeping until a channel's event, in a process.

use crate::ivshmem::client::Vector;
use muennet_core::event::Events;
use rustix::event::{poll, PollFd, PollFlags, Timespec};
use std::{convert::Infallible, io, thread, time::Duration};

/// Sleeps until the channel's eventfd was rung.
impl Events for Vector {
    type Error = io::Error;

    fn wait(&mut self, limit: Option<Duration>) -> io::Result<()> {
        let limit = limit.map(|limit| Timespec {
            // So long nobody sleeps.
            tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: limit.subsec_nanos().into(),
        });
        match poll(&mut [PollFd::new(self, PollFlags::IN)], limit.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        self.clear();
        Ok(())
    }
}

/// Pauses between looks at a channel that has no event, for this long at most.
#[derive(Debug, Clone, Copy)]
pub struct Pause(pub Duration);

impl Events for Pause {
    type Error = Infallible;

    fn wait(&mut self, limit: Option<Duration>) -> Result<(), Infallible> {
        thread::sleep(limit.map_or(self.0, |limit| limit.min(self.0)));
        Ok(())
    }
}
