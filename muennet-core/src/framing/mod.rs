// SPDX-License-Identifier: MIT OR Apache-2.0
//! Framing: how a packet lies in an element.
//!
//! A mode is one implementation of [`Framing`] in a file of its own; both ends
//! of a channel use the same. [`Dynamic`] is for those that learn the mode at run
//! time.

mod dynamic;
mod ethernet;
mod mode;
mod mtu;
mod net_hdr;
mod packet;
mod raw;
mod remedy;
#[cfg(all(test, not(loom)))]
mod tests;

pub use dynamic::Dynamic;
pub use ethernet::{Ethernet, SOLO5_PROTOCOL};
pub use mode::{Mode, UnknownMode};
pub use mtu::MtuError;
pub use net_hdr::NetHdr;
pub use packet::{Checksum, Packet};
pub use raw::Raw;
pub use remedy::Remedy;

use crate::channel::{Element, Slot};
use crate::shm::{Memory, MemoryMut};
use core::fmt;

/// Bytes of the longest frame that is received, in any framing.
pub const LONGEST: usize = u16::MAX as usize;

/// Metadata of a frame.
///
/// ```
/// use muennet_core::framing::{Meta, Packet};
///
/// let packet = Packet::new(&[]).with_meta(Meta { mark: 5 });
/// assert_eq!(packet.meta().mark, 5);
/// assert_eq!(Meta::default().mark, 0);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Meta {
    /// The mark; 0 where the framing carries none.
    pub mark: u32,
}

/// A frame that was taken out of an element.
///
/// ```
/// use muennet_core::framing::{Frame, Meta};
///
/// // The sink's bytes up to `len` are the frame.
/// let buffer = [0x45; 1514];
/// let frame = Frame { len: 60, meta: Meta { mark: 5 } };
/// assert_eq!(buffer[..frame.len].len(), 60);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Frame {
    /// Bytes of the frame.
    pub len: usize,
    /// Metadata of the frame.
    pub meta: Meta,
}

/// One way to lay packets into elements.
///
/// ```
/// use muennet_core::framing::{Ethernet, FrameError, Framing, Packet};
///
/// /// Bytes of a packet, or the reason why `framing` does not carry it.
/// fn checked(framing: &impl Framing, packet: &Packet<'_>) -> Result<usize, FrameError> {
///     framing.admit(packet).map(|_| packet.len())
/// }
///
/// let framing = Ethernet::new(100)?;
/// assert_eq!(checked(&framing, &Packet::new(&[&[0; 60]])), Ok(60));
/// let too_long = FrameError::TooLong { len: 115, max: 114 };
/// assert_eq!(checked(&framing, &Packet::new(&[&[0; 115]])), Err(too_long));
/// # Ok::<(), muennet_core::framing::MtuError>(())
/// ```
pub trait Framing {
    /// The header that the framing writes before a frame's own bytes.
    type Head: Copy;

    /// Bytes of the elements that a writer of this framing makes.
    fn element_size(&self) -> usize;

    /// The least element size in bytes that a reader can work with.
    fn min_element(&self) -> usize;

    /// Bytes of the longest frame that is sent. A reader takes what the peer's
    /// elements hold, up to [`LONGEST`].
    fn max_frame(&self) -> usize;

    /// Checks a frame before anything of it is written.
    ///
    /// # Errors
    ///
    /// The reason why it cannot be sent.
    fn admit(&self, packet: &Packet<'_>) -> Result<Self::Head, FrameError>;

    /// Lays a frame into `slot`, with the head that [`admit`](Self::admit) gave for it.
    fn encode<M: MemoryMut>(&self, slot: &mut Slot<'_, M>, head: Self::Head, packet: &Packet<'_>);

    /// Copies the frame in `element` to where `sink` wants it.
    ///
    /// # Errors
    ///
    /// The reason why the element holds no frame to accept.
    fn decode<M: Memory>(
        &self,
        element: &Element<'_, M>,
        sink: &mut impl Sink,
    ) -> Result<Frame, Reject>;
}

/// Destination of received frames.
///
/// ```
/// use muennet_core::framing::Sink;
///
/// let mut buffer = [0; 1514];
/// let mut sink = &mut buffer[..];
/// assert_eq!(sink.place(60).map(|place| place.len()), Some(60));
/// // A frame that has no room is dropped.
/// assert!(sink.place(1515).is_none());
/// ```
pub trait Sink {
    /// Makes room for a frame of `len` bytes, a length that was checked:
    /// 1 ≤ `len` ≤ [`LONGEST`], and within the peer's element. `None` drops the frame; a slice of
    /// another length does as well.
    ///
    /// The copy may turn out to be torn. The frame in it counts only once
    /// [`Received::Frame`](crate::link::Received::Frame) was returned.
    fn place(&mut self, len: usize) -> Option<&mut [u8]>;
}

/// Takes frames into a buffer, each at its start.
impl Sink for &mut [u8] {
    fn place(&mut self, len: usize) -> Option<&mut [u8]> {
        self.get_mut(..len)
    }
}

/// Why a frame cannot be sent in this framing.
///
/// ```
/// use muennet_core::framing::{Ethernet, FrameError, Framing, Packet};
///
/// let framing = Ethernet::new(1500)?;
/// let error = framing.admit(&Packet::new(&[&[0; 10]])).unwrap_err();
/// assert_eq!(error, FrameError::TooShort { len: 10, min: 14 });
/// assert!(error.to_string().contains("14"));
/// # Ok::<(), muennet_core::framing::MtuError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum FrameError {
    /// It has more bytes than an element takes.
    TooLong {
        /// Bytes of the frame.
        len: usize,
        /// Bytes an element takes.
        max: usize,
    },
    /// It has fewer bytes than its header needs.
    TooShort {
        /// Bytes of the frame.
        len: usize,
        /// Bytes of the header.
        min: usize,
    },
    /// It is neither IPv4 nor IPv6.
    NotIp {
        /// The version in its first four bits.
        version: u8,
    },
    /// The checksum to be filled in does not lie in the frame.
    Checksum {
        /// Offset of the first byte that is summed, from the frame's start.
        start: usize,
        /// Offset of the field for the sum, from `start`.
        offset: usize,
        /// Bytes of the frame.
        len: usize,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { len, max } => {
                write!(
                    f,
                    "a frame of {len} bytes is longer than the {max} that an element takes"
                )
            }
            Self::TooShort { len, min } => {
                write!(
                    f,
                    "a frame of {len} bytes is shorter than its header of {min}"
                )
            }
            Self::NotIp { version } => {
                write!(
                    f,
                    "a packet of IP version {version} is neither IPv4 nor IPv6"
                )
            }
            Self::Checksum { start, offset, len } => write!(
                f,
                "a checksum from {start} on, stored {offset} bytes behind, does not lie in a \
                 frame of {len} bytes"
            ),
        }
    }
}

impl core::error::Error for FrameError {}

/// Why a received element was not accepted as a frame.
///
/// ```
/// use muennet_core::framing::Reject;
///
/// let reject = Reject::TooLong { found: 9000, max: 1514 };
/// assert!(reject.to_string().contains("9000"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Reject {
    /// Its length field exceeds what the element can hold.
    TooLong {
        /// The length it claims, in bytes.
        found: usize,
        /// The most that is accepted.
        max: usize,
    },
    /// Its length field is below a frame's header.
    TooShort {
        /// The length it claims, in bytes.
        found: usize,
        /// The least that is accepted.
        min: usize,
    },
    /// Its IP protocol number is neither 4 (IPv4) nor 41 (IPv6).
    UnknownProtocol {
        /// The number found.
        found: u8,
    },
    /// Its IP version is not the one that its protocol number says.
    Version {
        /// The version in the packet's first four bits.
        found: u8,
        /// The version that goes with the protocol number.
        expected: u8,
    },
    /// Its IP header says more bytes than its length field.
    LengthMismatch {
        /// Bytes by the IP header.
        ip: usize,
        /// Bytes by the length field.
        field: usize,
    },
    /// The receiver had no room for it.
    NoRoom {
        /// Bytes of the frame.
        len: usize,
    },
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { found, max } => {
                write!(
                    f,
                    "length field {found} is above the {max} bytes that are accepted"
                )
            }
            Self::TooShort { found, min } => {
                write!(f, "length field {found} is below a header's {min} bytes")
            }
            Self::UnknownProtocol { found } => {
                write!(f, "protocol {found} is neither 4 (IPv4) nor 41 (IPv6)")
            }
            Self::Version { found, expected } => {
                write!(f, "IP version {found} where the protocol says {expected}")
            }
            Self::LengthMismatch { ip, field } => write!(
                f,
                "the IP header says {ip} bytes, more than the {field} of the length field"
            ),
            Self::NoRoom { len } => write!(f, "no room for a frame of {len} bytes"),
        }
    }
}

impl core::error::Error for Reject {}
