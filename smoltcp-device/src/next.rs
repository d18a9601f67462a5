// SPDX-License-Identifier: MIT OR Apache-2.0
//! When to poll next.

use core::time::Duration;
use muennet_core::event::Events;

/// When an interface over the device should be polled next.
///
/// ```
/// use core::time::Duration;
/// use muennet_host::events::Pause;
/// use smoltcp_device::Next;
///
/// let mut events = Pause(Duration::ZERO);
/// // Sleeps until the event of the channel, but for a millisecond at most.
/// Next::OnEvent.wait(&mut events, Some(Duration::from_millis(1)))?;
/// # Ok::<(), core::convert::Infallible>(())
/// ```
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
    /// Sleeps by `events` until then.
    ///
    /// A peer that is reset rings no more; `watch` says how long its absence may
    /// stay unnoticed, `None` for as long as nothing else happens.
    ///
    /// # Errors
    ///
    /// As [`Events::wait`].
    pub fn wait<E: Events>(self, events: &mut E, watch: Option<Duration>) -> Result<(), E::Error> {
        let limit = match self {
            Self::Now => return Ok(()),
            Self::Within(limit) => Some(watch.map_or(limit, |watch| watch.min(limit))),
            Self::OnEvent => watch,
        };
        events.wait(limit)
    }
}
