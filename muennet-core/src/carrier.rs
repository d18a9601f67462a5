// SPDX-License-Identifier: MIT OR Apache-2.0
//! The carrier of an interface: it follows the peer, at a bounded rate.
//!
//! A peer may begin a new epoch, or spoil its header, as often as it can write. Each
//! change of the carrier costs the reader's system a lock and a message for every
//! listener, and the same again for every interface that lies over this one. So the
//! carrier goes off at most once in [`INTERVAL_NS`]; it goes on at once.

use crate::channel::Peer;

/// The least time between two losses of the carrier, in nanoseconds: 100 ms.
pub const INTERVAL_NS: u64 = 100_000_000;

/// A change of the carrier.
///
/// ```
/// use muennet_core::{carrier::{Carrier, Change}, channel::Peer};
///
/// let mut carrier = Carrier::default();
/// let word = match carrier.follow(Peer::Up { epoch: 1 }, || 0) {
///     Some(Change::On) => "on",
///     Some(Change::Off) => "off",
///     Some(Change::Restart) => "off and on",
///     None => "as before",
/// };
/// assert_eq!(word, "on");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Change {
    /// It goes on: there is a peer.
    On,
    /// It goes off: the peer is gone, or its header is impossible.
    Off,
    /// It goes off and on: the peer has begun a new epoch.
    Restart,
}

/// Decides when a change of the peer is shown.
///
/// ```
/// use muennet_core::{carrier::{Carrier, Change}, channel::Peer};
///
/// let mut carrier = Carrier::default();
/// assert_eq!(carrier.follow(Peer::Up { epoch: 1 }, || 0), Some(Change::On));
/// assert_eq!(carrier.follow(Peer::Up { epoch: 2 }, || 5), Some(Change::Restart));
/// // Too early for the next; a later call with the same peer shows it.
/// assert_eq!(carrier.follow(Peer::Down, || 6), None);
/// assert_eq!(carrier.follow(Peer::Down, || 100_000_005), Some(Change::Off));
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Carrier {
    /// The epoch that the carrier stands for; `None` while it is off.
    shown: Option<u64>,
    /// When it went off last.
    off_ns: Option<u64>,
}

impl Carrier {
    /// Tells the change of the carrier for the state `peer`; `None` if there is none, or not
    /// yet. Call it again at least every [`INTERVAL_NS`]: the last state is then shown.
    ///
    /// `now_ns` is asked for the time, of a clock that never goes back, only if something
    /// has changed.
    pub fn follow(&mut self, peer: Peer, now_ns: impl FnOnce() -> u64) -> Option<Change> {
        let epoch = match peer {
            Peer::Up { epoch } => Some(epoch),
            Peer::Down | Peer::Faulty(_) => None,
        };
        if epoch == self.shown {
            return None;
        }
        if self.shown.is_some() {
            let now = now_ns();
            if self
                .off_ns
                .is_some_and(|off| now.wrapping_sub(off) < INTERVAL_NS)
            {
                return None;
            }
            self.off_ns = Some(now);
        }
        let change = match (self.shown, epoch) {
            (None, _) => Change::On,
            (Some(_), Some(_)) => Change::Restart,
            (Some(_), None) => Change::Off,
        };
        self.shown = epoch;
        Some(change)
    }

    /// The interface went down, and its carrier off.
    pub fn reset(&mut self) {
        self.shown = None;
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::channel::Fault;

    const FAULT: Peer = Peer::Faulty(Fault::Transport { found: 0 });

    fn up(epoch: u64) -> Peer {
        Peer::Up { epoch }
    }

    #[test]
    fn a_single_restart_is_shown_at_once_and_once() {
        let mut carrier = Carrier::default();
        assert_eq!(carrier.follow(Peer::Down, || 0), None);
        assert_eq!(carrier.follow(up(1), || 1), Some(Change::On));
        assert_eq!(carrier.follow(up(2), || 2), Some(Change::Restart));
        assert_eq!(carrier.follow(up(2), || 3), None);
    }

    #[test]
    fn a_peer_that_goes_and_comes_back_soon_has_its_carrier_at_once() {
        let mut carrier = Carrier::default();
        carrier.follow(up(1), || 0);
        assert_eq!(carrier.follow(Peer::Down, || 10), Some(Change::Off));
        assert_eq!(carrier.follow(up(2), || 20), Some(Change::On));
        // The next loss waits.
        assert_eq!(carrier.follow(FAULT, || 30), None);
        assert_eq!(carrier.follow(FAULT, || 9 + INTERVAL_NS), None);
        assert_eq!(
            carrier.follow(FAULT, || 10 + INTERVAL_NS),
            Some(Change::Off)
        );
        assert_eq!(carrier.follow(Peer::Down, || 11 + INTERVAL_NS), None);
    }

    #[test]
    fn a_storm_is_shown_once_an_interval_and_its_last_state() {
        const STEP: u64 = INTERVAL_NS / 300;
        let mut carrier = Carrier::default();
        let (mut off, mut on, mut now) = (0, 0, 0);
        let mut count = |change| match change {
            None => {}
            Some(Change::On) => on += 1,
            Some(Change::Off) => off += 1,
            Some(Change::Restart) => (off, on) = (off + 1, on + 1),
        };
        for epoch in 1..3000 {
            now += STEP;
            count(carrier.follow(if epoch % 3 == 0 { FAULT } else { up(epoch) }, || now));
        }
        now += INTERVAL_NS;
        count(carrier.follow(up(3000), || now));
        assert!(
            (10..=12).contains(&off) && on <= off + 1,
            "{off} off, {on} on"
        );
        assert_eq!(carrier.follow(up(3000), || now + INTERVAL_NS), None);
    }

    #[test]
    fn down_and_up_again_does_not_reset_the_clock() {
        let mut carrier = Carrier::default();
        carrier.follow(up(1), || 0);
        carrier.follow(up(2), || 1);
        carrier.reset();
        assert_eq!(carrier.follow(up(2), || 2), Some(Change::On));
        assert_eq!(carrier.follow(up(3), || 3), None);
    }

    #[test]
    fn the_clock_is_not_asked_while_nothing_changes() {
        let mut carrier = Carrier::default();
        let asked = || unreachable!();
        assert_eq!(carrier.follow(Peer::Down, asked), None);
        assert_eq!(carrier.follow(up(1), asked), Some(Change::On));
        assert_eq!(carrier.follow(up(1), asked), None);
    }
}
