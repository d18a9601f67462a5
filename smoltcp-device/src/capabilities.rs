// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the device tells smoltcp of itself.

use smoltcp::phy::{DeviceCapabilities, Medium};

/// Capabilities of an Ethernet link with frames up to `max_frame` bytes, whose
/// input channel has room for `elements`.
pub(crate) fn ethernet(max_frame: usize, elements: u64) -> DeviceCapabilities {
    let mut capabilities = DeviceCapabilities::default();
    capabilities.medium = Medium::Ethernet;
    capabilities.max_transmission_unit = max_frame;
    // A peer that sends more than this before we look overwrites its own frames.
    // smoltcp keeps the window it advertises below it.
    capabilities.max_burst_size = Some(usize::try_from(elements).unwrap_or(usize::MAX));
    capabilities
}
