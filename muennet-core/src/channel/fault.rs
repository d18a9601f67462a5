// SPDX-License-Identifier: MIT OR Apache-2.0
//! Headers and counters that are refused.

use super::layout::TRANSPORT;
use core::fmt;

/// A header or counter that no sound writer of the expected kind produces.
///
/// ```
/// use muennet_core::channel::{Fault, Peer};
///
/// let fault = Fault::Protocol { found: 7, expected: 2 };
/// assert!(fault.to_string().contains('7'));
/// // A faulty peer counts as absent until its next epoch.
/// assert_ne!(Peer::Faulty(fault), Peer::Down);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Fault {
    /// Not an SHMStream version 2 channel.
    Transport {
        /// Value of the header's transport field.
        found: u64,
    },
    /// The elements mean something else.
    Protocol {
        /// Value of the header's protocol field.
        found: u64,
        /// The protocol this end was configured with.
        expected: u64,
    },
    /// The element size is too small for the framing.
    ElementSize {
        /// Value of the header's size field.
        found: u64,
        /// The least the framing can work with.
        min: usize,
    },
    /// The header says there are no elements.
    NoElements,
    /// The elements would reach beyond the region.
    BeyondRegion {
        /// Value of the header's size field.
        size: u64,
        /// Value of the header's elements field.
        elements: u64,
        /// Bytes of the region.
        region: usize,
    },
    /// The write count is below what it was before.
    WrittenBackwards {
        /// Value of the header's write count.
        found: u64,
        /// The write count seen before.
        seen: u64,
    },
    /// Fewer elements were started than ended.
    StartedBehindWritten {
        /// Value of the header's write start count.
        started: u64,
        /// The write count seen before.
        written: u64,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Transport { found } => {
                write!(
                    f,
                    "transport is {found:#018x}, not {TRANSPORT:#018x} (SHMStream 2)"
                )
            }
            Self::Protocol { found, expected } => {
                write!(f, "protocol is {found:#x}, not {expected:#x} as configured")
            }
            Self::ElementSize { found, min } => {
                write!(f, "element size is {found} bytes, below the least of {min}")
            }
            Self::NoElements => f.write_str("element count is 0"),
            Self::BeyondRegion {
                size,
                elements,
                region,
            } => write!(
                f,
                "{elements} elements of {size} bytes do not fit into the region of {region} bytes"
            ),
            Self::WrittenBackwards { found, seen } => {
                write!(f, "write count is {found}, and was {seen} before")
            }
            Self::StartedBehindWritten { started, written } => {
                write!(
                    f,
                    "write start count is {started}, below the write count {written}"
                )
            }
        }
    }
}

impl core::error::Error for Fault {}
