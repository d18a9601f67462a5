// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reasons why a packet cannot be cut.

use core::fmt;

/// Why a packet cannot be cut into segments.
///
/// ```
/// use muennet_core::segment::{Cut, CutError, Segments, Transport};
///
/// let cut = Cut { network: 0, transport: 20, protocol: Transport::Udp, size: 1000, fixed_id: false };
/// // No IP header begins with zeros.
/// let error = Segments::new(&[0; 28], 4000, &cut).unwrap_err();
/// assert_eq!(error, CutError::Network { network: 0, transport: 20 });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum CutError {
    /// No IPv4 or IPv6 header lies before the transport's header.
    Network {
        /// Offset of the IP header in bytes.
        network: usize,
        /// Offset of the TCP or UDP header in bytes.
        transport: usize,
    },
    /// The TCP or UDP header is shorter than the least, or reaches outside of the first part.
    Transport {
        /// Offset of the header in bytes.
        transport: usize,
        /// Bytes of the first part.
        len: usize,
    },
    /// The headers are longer than the template holds.
    Headers {
        /// Bytes of all headers.
        len: usize,
        /// Bytes of the template.
        max: usize,
    },
    /// The size of a segment is 0, or above what the length fields of IP hold.
    Size {
        /// Bytes of payload that were asked for.
        size: usize,
    },
    /// Nothing lies behind the headers.
    Empty,
    /// The packet is in more parts than the call has room for.
    Parts {
        /// Parts of the packet.
        parts: usize,
        /// The most that the call takes.
        max: usize,
    },
}

impl fmt::Display for CutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network { network, transport } => write!(
                f,
                "no IP header lies between offset {network} and the transport's header at \
                 {transport}"
            ),
            Self::Transport { transport, len } => write!(
                f,
                "no whole TCP or UDP header lies at offset {transport} of the first {len} bytes"
            ),
            Self::Headers { len, max } => {
                write!(f, "headers of {len} bytes are longer than {max}")
            }
            Self::Size { size } => {
                write!(f, "a segment cannot have {size} bytes of payload")
            }
            Self::Empty => f.write_str("the packet has no payload to cut"),
            Self::Parts { parts, max } => {
                write!(f, "a packet in {parts} parts, of which {max} can be cut")
            }
        }
    }
}

impl core::error::Error for CutError {}
