// SPDX-License-Identifier: MIT OR Apache-2.0
//! Counters of a device.

use core::fmt;

/// Frames and events that a device has counted since it was made.
///
/// ```
/// use core::num::NonZeroU64;
/// use muennet_core::framing::Ethernet;
/// use muennet_host::in_process;
/// use smoltcp_device::Device;
///
/// let framing = Ethernet::new(1500)?;
/// let (link, _peer) = in_process::links(1 << 16, NonZeroU64::MIN, framing, ((), ()))?;
/// let mut device: Device<_, _, _, _> = Device::new(link);
/// device.activate(NonZeroU64::MIN);
/// let counters = device.counters();
/// assert_eq!((counters.received, counters.sent, counters.lost), (0, 0, 0));
/// assert!(counters.to_string().starts_with("0 frames received, 0 sent, 0 lost"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Counters {
    /// Frames received.
    pub received: u64,
    /// Bytes of these.
    pub received_bytes: u64,
    /// Frames sent.
    pub sent: u64,
    /// Bytes of these.
    pub sent_bytes: u64,
    /// Frames that the peer overwrote before they were read.
    pub lost: u64,
    /// Frames that the peer sent before this end came up; they are received by nobody
    /// and counted nowhere else.
    pub skipped: u64,
    /// Elements that held no acceptable frame.
    pub rejected: u64,
    /// Starts of the peer.
    pub epochs: u64,
    /// Frames that could not be sent: the device is inactive, or the framing does
    /// not carry them.
    pub not_sent: u64,
}

/// One line for a log: the frames, without their bytes.
impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} frames received, {} sent, {} lost, {} rejected, {} starts of the peer, {} skipped",
            self.received, self.sent, self.lost, self.rejected, self.epochs, self.skipped
        )
    }
}

/// The receiving half's share.
#[derive(Debug, Default)]
pub(crate) struct Received {
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
    pub(crate) lost: u64,
    pub(crate) rejected: u64,
    pub(crate) epochs: u64,
}

/// The sending half's share.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
    pub(crate) failed: u64,
}

impl Counters {
    pub(crate) fn of(received: &Received, skipped: u64, sent: &Sent) -> Self {
        Self {
            received: received.frames,
            received_bytes: received.bytes,
            sent: sent.frames,
            sent_bytes: sent.bytes,
            lost: received.lost,
            skipped,
            rejected: received.rejected,
            epochs: received.epochs,
            not_sent: sent.failed,
        }
    }
}
