// SPDX-License-Identifier: MIT OR Apache-2.0
//! The cure for a frame that is longer than an element takes, for messages.

use super::{Dynamic, Framing};
use core::fmt;

/// Bytes of a VLAN's tag and of an Ethernet header.
const TAG: usize = 4;
const ETHERNET: usize = 14;

/// A change of settings by which a frame that is too long would fit.
///
/// ```
/// use muennet_core::framing::{Dynamic, Ethernet, Remedy};
///
/// let framing = Dynamic::Ethernet(Ethernet::new(1500)?);
/// assert_eq!(Remedy::of(&framing, 1518), Remedy::Vlan);
/// assert_eq!(Remedy::of(&framing, 9014), Remedy::Mtu { least: 9000 });
/// # Ok::<(), muennet_core::framing::MtuError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Remedy {
    /// It is longer by a VLAN's tag at most.
    Vlan,
    /// It needs a larger MTU.
    Mtu {
        /// The least MTU that carries it, in bytes.
        least: usize,
    },
}

impl Remedy {
    /// The cure for a frame of `len` bytes that does not fit `framing`.
    pub fn of(framing: &Dynamic, len: usize) -> Self {
        match framing {
            Dynamic::Ethernet(ethernet) => {
                let untagged = ethernet.max_frame() == ethernet.max_untagged();
                if untagged && len.saturating_sub(ethernet.max_frame()) <= TAG {
                    Self::Vlan
                } else {
                    let least = len.saturating_sub(ETHERNET);
                    Self::Mtu { least }
                }
            }
            Dynamic::NetHdr(_) | Dynamic::Raw(_) => Self::Mtu { least: len },
        }
    }
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vlan => f.write_str(
                "for VLANs give both ends room for the tag (flags=eth_dev+vlan, bridge --vlan), \
                 or lower the MTU of the VLAN's interface by 4",
            ),
            Self::Mtu { least } => write!(
                f,
                "give both ends an mtu of {least} or more, or lower the MTU of the interface that \
                 sends"
            ),
        }
    }
}
