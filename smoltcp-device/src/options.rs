// SPDX-License-Identifier: MIT OR Apache-2.0
//! Settings of a device.

use smoltcp::phy::{ChecksumCapabilities, DeviceCapabilities, Medium};

/// Choices that the channels leave open. The defaults suit any peer.
///
/// ```
/// use smoltcp_device::{Options, Ring};
///
/// let options = Options { ring: Ring::EachFrame, ..Options::default() };
/// assert_eq!(options.ring, Ring::EachFrame);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Checksums that smoltcp computes and verifies: all of them by default.
    ///
    /// Shared memory damages no bytes, so a pair of components may agree on
    /// `ChecksumCapabilities::ignored()`. A Linux peer verifies what it receives.
    pub checksum: ChecksumCapabilities,
    /// Frames that may be in flight to this end; by default as many as the input
    /// channel holds. smoltcp keeps the window it advertises below it.
    pub max_burst: Option<usize>,
    /// When the peer's event is rung.
    pub ring: Ring,
    /// Mark of frames that have no other, in framings with marks: neither from their
    /// packet metadata nor from the frame that they answer on the spot.
    pub mark: u32,
}

/// When a device rings the peer's event.
///
/// ```
/// use smoltcp_device::{Options, Ring};
///
/// // A stack that does not say when it is done wants each frame rung.
/// let options = Options { ring: Ring::EachFrame, ..Options::default() };
/// assert_ne!(options.ring, Options::default().ring);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Ring {
    /// Once for all frames since the last [`Device::flush`](crate::Device::flush).
    #[default]
    OnFlush,
    /// For each frame: for a loop that does not flush.
    EachFrame,
}

impl Options {
    /// Capabilities of a link with frames up to `max_frame` bytes, whose input
    /// channel has room for `elements`.
    pub(crate) fn capabilities(
        &self,
        medium: Medium,
        max_frame: usize,
        elements: u64,
    ) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = medium;
        capabilities.max_transmission_unit = max_frame;
        // A peer that sends more than this before we look overwrites its own frames.
        let held = usize::try_from(elements).unwrap_or(usize::MAX);
        capabilities.max_burst_size = Some(self.max_burst.unwrap_or(held));
        capabilities.checksum = self.checksum.clone();
        capabilities
    }
}
