// SPDX-License-Identifier: MIT OR Apache-2.0
//! The range of MTUs that a framing can carry.

use core::fmt;

/// An MTU that a framing cannot carry: its frames would not fit their length field.
///
/// ```
/// use muennet_core::framing::Ethernet;
///
/// let error = Ethernet::new(u16::MAX).unwrap_err();
/// assert_eq!((error.mtu, error.max), (65535, Ethernet::MAX_MTU));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MtuError {
    /// The MTU asked for, in bytes.
    pub mtu: u16,
    /// The largest that this framing carries, in bytes.
    pub max: u16,
}

impl fmt::Display for MtuError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mtu, max } = self;
        write!(f, "MTU {mtu} is not between 1 and {max} bytes")
    }
}

impl core::error::Error for MtuError {}

/// The MTU, if it lies in 1..=`max`.
pub(super) const fn check(mtu: u16, max: u16) -> Result<u16, MtuError> {
    if mtu == 0 || mtu > max {
        return Err(MtuError { mtu, max });
    }
    Ok(mtu)
}
