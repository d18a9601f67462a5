// SPDX-License-Identifier: GPL-2.0-only

//! Counters of an interface beside packets and bytes, by reason.

use core::sync::atomic::{AtomicU64, Ordering};

/// Makes the kinds of counters with their names, as `ethtool -S` shows them.
macro_rules! counters {
    ($($(#[$doc:meta])* $kind:ident => $name:literal,)*) => {
        /// The counters.
        #[derive(Clone, Copy)]
        pub(crate) enum Counter {
            $($(#[$doc])* $kind,)*
        }

        /// The names, in the order of [`Counter`].
        pub(crate) const NAMES: &[&str] = &[$($name),*];

        /// Names in `ethtool -S`: counters of the device and its interrupt, then these.
        pub(crate) const SHOWN: &[&str] =
            &["rx_frames", "rx_bytes", "rx_events", "tx_frames", "tx_bytes", $($name),*];
    };
}

counters! {
    /// Frames overwritten by the peer before they were read.
    RxLost => "rx_lost",
    /// Times that frames were lost.
    RxOverruns => "rx_overruns",
    /// Frames sent by the peer before the interface came up.
    RxSkipped => "rx_skipped",
    /// Epochs of the peer that were adopted.
    RxEpochs => "rx_epochs",
    /// Epochs of the peer that were given up for an impossible header or counter.
    RxFaults => "rx_faults",
    /// Elements whose length is above what fits.
    RxTooLong => "rx_rejected_too_long",
    /// Elements whose length is below a header's.
    RxTooShort => "rx_rejected_too_short",
    /// Elements whose protocol is neither IPv4 nor IPv6.
    RxProtocol => "rx_rejected_protocol",
    /// Elements whose IP version contradicts the protocol.
    RxVersion => "rx_rejected_version",
    /// Elements whose lengths contradict each other.
    RxMismatch => "rx_rejected_length_mismatch",
    /// Frames for which there was no memory.
    RxNoMemory => "rx_no_memory",
    /// Looks for frames.
    RxPolls => "rx_polls",
    /// Epochs started.
    TxEpochs => "tx_epochs",
    /// Packets longer than an element.
    TxTooLong => "tx_rejected_too_long",
    /// Packets shorter than their header.
    TxTooShort => "tx_rejected_too_short",
    /// Packets that are neither IPv4 nor IPv6.
    TxNotIp => "tx_rejected_not_ip",
    /// Packets whose checksum was to be filled in outside of them.
    TxChecksum => "tx_rejected_checksum",
    /// Packets while there is no output channel, or it is down.
    TxInactive => "tx_inactive",
    /// Packets sent in fragments, for their path's MTU.
    TxFragmented => "tx_fragmented",
    /// Packets returned to their sender as too big for their path.
    TxTooBig => "tx_too_big",
    /// Events sent at once.
    TxEvents => "tx_events",
    /// Events left for another CPU, or for when interrupts are enabled.
    TxDeferred => "tx_events_deferred",
}

/// An interface's counters: each is written under the lock of its direction, those of
/// events anywhere, and read by anybody.
#[derive(Default)]
pub(crate) struct Counters([AtomicU64; NAMES.len()]);

impl Counters {
    /// Adds to a counter. Two writers at once may lose a count.
    pub(crate) fn add(&self, counter: Counter, number: u64) {
        if let Some(counter) = self.0.get(counter as usize) {
            let sum = counter.load(Ordering::Relaxed).wrapping_add(number);
            counter.store(sum, Ordering::Relaxed);
        }
    }

    /// Counts one, under whatever lock, or none.
    pub(crate) fn count_anywhere(&self, counter: Counter) {
        if let Some(counter) = self.0.get(counter as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts one.
    pub(crate) fn count(&self, counter: Counter) {
        self.add(counter, 1);
    }

    /// A counter's value.
    pub(crate) fn get(&self, counter: Counter) -> u64 {
        self.0.get(counter as usize).map_or(0, |counter| counter.load(Ordering::Relaxed))
    }

    /// Elements that held no acceptable frame.
    pub(crate) fn rejected(&self) -> u64 {
        use Counter::{RxMismatch, RxProtocol, RxTooLong, RxTooShort, RxVersion};
        [RxTooLong, RxTooShort, RxProtocol, RxVersion, RxMismatch]
            .into_iter()
            .fold(0, |sum, counter| sum.wrapping_add(self.get(counter)))
    }

    /// All values, in the order of [`NAMES`].
    pub(crate) fn values(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().map(|counter| counter.load(Ordering::Relaxed))
    }
}
