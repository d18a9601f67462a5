// SPDX-License-Identifier: MIT OR Apache-2.0
//! The name of a framing.

use core::{fmt, str::FromStr};

/// Layout of packets in the elements of an interface's channels.
///
/// ```
/// use muennet_core::framing::Mode;
///
/// assert_eq!("net_hdr".parse(), Ok(Mode::NetHdr));
/// assert_eq!(Mode::Ethernet.name(), "eth_dev");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Mode {
    /// Payload alone: `raw`.
    Raw,
    /// IP packets behind a header with a mark: `net_hdr`.
    NetHdr,
    /// Ethernet frames: `eth_dev`.
    Ethernet,
}

impl Mode {
    /// All modes.
    pub const ALL: [Self; 3] = [Self::Raw, Self::NetHdr, Self::Ethernet];

    /// The name that the parameter `flags` has for the mode; `raw` is the mode without a flag.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::NetHdr => "net_hdr",
            Self::Ethernet => "eth_dev",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no [`Mode`].
///
/// ```
/// use muennet_core::framing::{Mode, UnknownMode};
///
/// assert_eq!("ethernet".parse::<Mode>(), Err(UnknownMode));
/// assert_eq!(UnknownMode.to_string(), "unknown mode; there are raw, net_hdr and eth_dev");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct UnknownMode;

impl fmt::Display for UnknownMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown mode; there are raw, net_hdr and eth_dev")
    }
}

impl core::error::Error for UnknownMode {}

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(name: &str) -> Result<Self, UnknownMode> {
        let mut modes = Self::ALL.into_iter();
        modes.find(|mode| mode.name() == name).ok_or(UnknownMode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        for mode in Mode::ALL {
            assert_eq!(mode.to_string().parse(), Ok(mode));
        }
        for text in ["", "ethernet", "ETH_DEV", "net-hdr"] {
            assert_eq!(text.parse::<Mode>(), Err(UnknownMode), "{text}");
        }
        assert_eq!(
            UnknownMode.to_string(),
            "unknown mode; there are raw, net_hdr and eth_dev"
        );
    }
}
