// SPDX-License-Identifier: MIT OR Apache-2.0
//! Errors in a parameter, with its name, entry and value, and the reason.

use crate::sinfo::linux::Irq;
use core::fmt;

/// A parameter.
///
/// ```
/// use muennet_core::config::Parameter;
///
/// assert_eq!(Parameter::ReaderProtocol.to_string(), "reader_protocol");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[allow(missing_docs)] // The variants are the parameters that the module lists.
pub enum Parameter {
    Name,
    In,
    Out,
    ReaderProtocol,
    WriterProtocol,
    Mtu,
    Pmtu,
    Flags,
    Poll,
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "name",
            Self::In => "in",
            Self::Out => "out",
            Self::ReaderProtocol => "reader_protocol",
            Self::WriterProtocol => "writer_protocol",
            Self::Mtu => "mtu",
            Self::Pmtu => "pmtu",
            Self::Flags => "flags",
            Self::Poll => "poll",
        })
    }
}

/// A parameter's entry that cannot be used.
///
/// ```
/// use muennet_core::config::{Errno, Lists, Parameter, Why};
///
/// let lists = Lists { name: &["net0"], ..Lists::default() };
/// let error = lists.interface(0).unwrap_err();
/// assert_eq!((error.parameter, error.why), (Parameter::In, Why::NoChannel));
/// assert_eq!(error.errno(), Errno::Inval);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ConfigError<'a> {
    /// The parameter.
    pub parameter: Parameter,
    /// The entry of its list, counted from 1.
    pub position: usize,
    /// The entry.
    pub value: &'a str,
    /// The reason for the refusal.
    pub why: Why,
}

/// Reasons to refuse an entry.
///
/// ```
/// use muennet_core::config::{Lists, Why};
///
/// let lists = Lists { name: &["net0"], input: &["in"], ..Lists::default() };
/// let error = lists.interface(0).unwrap_err();
/// assert_eq!(error.why, Why::ProtocolMissing);
/// assert_eq!(
///     error.why.to_string(),
///     "the channel needs a protocol; give a hexadecimal number"
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Why {
    /// An interface name of 16 bytes or more.
    NameTooLong,
    /// No name for an interface: ".", "..", or with a slash, colon, blank or
    /// a `%` that is not one `%d`.
    NameInvalid,
    /// An entry for an interface that has no name: it is ignored.
    NoInterface,
    /// More entries than there can be interfaces.
    TooMany {
        /// The most there can be.
        max: usize,
    },
    /// Neither an input nor an output channel.
    NoChannel,
    /// A channel was given, this protocol was not.
    ProtocolMissing,
    /// Not a hexadecimal number of at most 64 bits.
    NotHexadecimal,
    /// Protocol 0.
    ProtocolZero,
    /// Not a decimal number.
    NotDecimal,
    /// A number out of range.
    OutOfRange {
        /// The least that is allowed.
        min: u32,
        /// The most that is allowed.
        max: u32,
    },
    /// A flag that does not exist.
    UnknownFlag,
    /// Two modes at once.
    BothModes,
    /// Room for a VLAN's tag in a mode without Ethernet frames.
    VlanWithoutEthernet,
    /// No resource has this name.
    UnknownResource,
    /// There is such a resource, but it is not a channel.
    NotAChannel,
    /// The input channel could be written.
    InputWritable,
    /// The output channel cannot be written.
    OutputReadOnly,
    /// Linux has no interrupt for the vector of the input channel.
    NoInterrupt {
        /// Number of the vector.
        vector: u8,
    },
    /// Another interface or driver takes the interrupt of the input channel.
    InterruptTaken {
        /// Linux' number of the interrupt.
        irq: u32,
    },
    /// Memory of fewer bytes than it must have.
    TooSmall {
        /// Bytes there are.
        size: u64,
        /// The least that is needed.
        min: u64,
    },
    /// Memory at an address that is not a multiple of the words in it.
    Misaligned {
        /// Bytes of a word.
        word: u64,
    },
    /// An output channel that an interface before it writes.
    WrittenTwice,
    /// Path MTUs for Ethernet frames.
    PathMtuOfEthernet,
}

/// The error numbers that users see.
///
/// ```
/// use muennet_core::config::Errno;
///
/// // Kernel functions return the negative number.
/// assert_eq!(-(Errno::Inval as i32), -22);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(i32)]
pub enum Errno {
    /// EPERM: the resource does not permit it.
    Perm = 1,
    /// ENXIO: there is no such resource.
    Nxio = 6,
    /// EINVAL: the value is wrong.
    Inval = 22,
}

impl ConfigError<'_> {
    /// The error number for this error.
    pub fn errno(&self) -> Errno {
        match self.why {
            Why::UnknownResource => Errno::Nxio,
            Why::NotAChannel | Why::InputWritable | Why::OutputReadOnly => Errno::Perm,
            _ => Errno::Inval,
        }
    }
}

impl fmt::Display for ConfigError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value.as_bytes().escape_ascii();
        let (parameter, position) = (self.parameter, self.position);
        write!(
            f,
            "parameter {parameter}, entry {position}, value \"{value}\": {}",
            self.why
        )
    }
}

impl core::error::Error for ConfigError<'_> {}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NameTooLong => "an interface name has at most 15 bytes",
            Self::NameInvalid => {
                "not an interface name; use letters, digits, -, _ and at most one %d"
            }
            Self::NoInterface => "ignored, as there is no interface name for this entry",
            Self::NoChannel => "an interface needs a channel; give in, out or both",
            Self::ProtocolMissing => "the channel needs a protocol; give a hexadecimal number",
            Self::NotHexadecimal => "not a hexadecimal number of at most 64 bits",
            Self::ProtocolZero => "a protocol must not be 0",
            Self::NotDecimal => "not a decimal number",
            Self::TooMany { max } => {
                return write!(f, "there can be no more than {max} interfaces")
            }
            Self::OutOfRange { min, max } => return write!(f, "not between {min} and {max}"),
            Self::UnknownFlag => "unknown flag; there are net_hdr, eth_dev and vlan",
            Self::BothModes => "net_hdr and eth_dev exclude each other",
            Self::VlanWithoutEthernet => "vlan goes with Ethernet frames; give eth_dev+vlan",
            Self::UnknownResource => "the subject has no memory of this name",
            Self::NotAChannel => "this memory is not a channel",
            Self::InputWritable => {
                "this channel is writable; an input must be read-only for this subject"
            }
            Self::OutputReadOnly => {
                "this channel is read-only; an output must be writable for this subject"
            }
            Self::NoInterrupt { vector } => {
                let first = Irq::FIRST_VECTOR;
                return write!(
                    f,
                    "vector {vector} of this channel has no interrupt; \
                     choose a vector from {first} on in the policy"
                );
            }
            Self::InterruptTaken { irq } => {
                return write!(
                    f,
                    "interrupt {irq} of this channel is taken by another interface or driver; \
                     give each interface an input channel of its own"
                );
            }
            Self::TooSmall { size, min } => {
                return write!(
                    f,
                    "this memory has {size} bytes, fewer than the {min} it must have"
                )
            }
            Self::Misaligned { word } => {
                return write!(f, "the address of this memory is not a multiple of {word}")
            }
            Self::WrittenTwice => "another interface writes this channel; give each its own",
            Self::PathMtuOfEthernet => {
                "path MTUs are for IP packets, and eth_dev carries frames; leave one of them out"
            }
        })
    }
}
