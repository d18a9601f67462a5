// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sleeping until a peer rings.

use core::time::Duration;

/// Suspends a component until the event of one of its channels rings.
///
/// There is one implementation for each place that a component can live in:
/// `hlt` until the interrupt in a subject of Muen, an eventfd in a process, a
/// pause between looks where a channel has no event.
///
/// An event says "look", no more: rings may come for nothing, and several may
/// come as one. A component therefore looks at its channels, asks whether any has
/// something pending, and sleeps only if none has.
///
/// ```
/// use core::{convert::Infallible, time::Duration};
/// use muennet_core::event::Events;
///
/// /// A pause between looks, for a channel without an event.
/// struct Pause(Duration);
///
/// impl Events for Pause {
///     type Error = Infallible;
///
///     fn wait(&mut self, limit: Option<Duration>) -> Result<(), Infallible> {
///         std::thread::sleep(limit.map_or(self.0, |limit| limit.min(self.0)));
///         Ok(())
///     }
/// }
///
/// assert_eq!(Pause(Duration::ZERO).wait(None), Ok(()));
/// ```
pub trait Events {
    /// Why it cannot sleep.
    type Error;

    /// Sleeps until an event rings, but not longer than `limit`. Returns at once
    /// if one has rung since the last call, and may return early.
    ///
    /// # Errors
    ///
    /// The error of the operating system or hypervisor; the call did not sleep then.
    fn wait(&mut self, limit: Option<Duration>) -> Result<(), Self::Error>;
}
