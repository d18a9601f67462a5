// SPDX-License-Identifier: MIT OR Apache-2.0
//! When to poll next.

use core::time::Duration;

/// When an interface over the device should be polled next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Next {
    /// At once: a frame waits, the peer came or went, or a timer is due.
    Now,
    /// When the channel's event rings, or after this time.
    Within(Duration),
    /// When the channel's event rings.
    OnEvent,
}

impl Next {
    /// How long to sleep at most; `None` not at all. A peer that is reset rings no
    /// more, so `watch` says how long its absence may stay unnoticed.
    pub fn sleep(self, watch: Duration) -> Option<Duration> {
        match self {
            Self::Now => None,
            Self::Within(limit) => Some(limit.min(watch)),
            Self::OnEvent => Some(watch),
        }
    }
}
