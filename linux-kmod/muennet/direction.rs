// SPDX-License-Identifier: GPL-2.0-only

//! The state of one channel of an interface, for debugfs and ethtool.

use muennet_core::channel::{Fault, Geometry};

/// The state of one channel, as it is when asked.
pub(crate) struct Direction {
    pub(crate) protocol: u64,
    pub(crate) epoch: Option<u64>,
    pub(crate) geometry: Option<Geometry>,
    pub(crate) fault: Option<Fault>,
}
