// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why the unikernel cannot run: for the log, once.

use core::fmt;
use muennet_core::{
    channel::GeometryError, config::ConfigError, framing::MtuError, ivshmem::DirectoryError,
    sinfo::SinfoError,
};

/// Errors of the unikernel, and advice.
#[derive(Debug, Clone, Copy)]
pub enum Trouble {
    /// The machine has no such device.
    #[cfg(platform = "qemu")]
    NoDevice(&'static str),
    /// A device lacks something.
    #[cfg(platform = "qemu")]
    Device(&'static str),
    /// Memory at that address cannot be reached.
    Unreachable {
        /// Its first byte.
        address: u64,
        /// Its length.
        size: u64,
    },
    /// The own peer number is none of the region's subjects.
    #[cfg(platform = "qemu")]
    NoBlock(u32),
    /// The region is not of `muen-ivshmem`.
    Directory(DirectoryError),
    /// The subject information is unsound.
    Sinfo(SinfoError),
    /// The region with Solo5's boot information holds no command line.
    #[cfg(platform = "muen")]
    BootInfo {
        /// Its first byte.
        address: u64,
    },
    /// A word of the command line.
    Word(&'static str),
    /// The policy gives no channel of that name, or with other rights.
    Channel(ConfigError<'static>),
    /// No channel was named, and the policy gives none to `in` or `out`.
    NoChannel(&'static str),
    /// No channel was named, and the policy gives more than one to `in` or `out`.
    ManyChannels(&'static str),
    /// The channel is too small.
    Geometry(GeometryError),
    /// The MTU does not fit the framing.
    Mtu(MtuError),
    /// The channel's vector is none of the machine's.
    #[cfg(target_arch = "x86_64")]
    NoVector(u8),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(platform = "qemu")]
            Self::NoDevice(what) => write!(f, "the machine has no {what}"),
            #[cfg(platform = "qemu")]
            Self::Device(what) => f.write_str(what),
            Self::Unreachable { address, size } => {
                write!(
                    f,
                    "{size} bytes of memory at {address:#x} cannot be reached"
                )
            }
            #[cfg(platform = "qemu")]
            Self::NoBlock(number) => write!(
                f,
                "peer number {number} is no subject; connect QEMU to a subject's own socket"
            ),
            Self::Directory(error) => error.fmt(f),
            Self::Sinfo(error) => error.fmt(f),
            #[cfg(platform = "muen")]
            Self::BootInfo { address } => write!(
                f,
                "the Solo5 boot information at {address:#x} holds no command line of up to 1023 \
                 bytes; look at <bootparams> in the policy"
            ),
            Self::Word(word) => write!(
                f,
                "\"{word}\" is not understood; give in=CHANNEL out=CHANNEL address=ADDRESS/LENGTH \
                 mode=eth_dev|net_hdr shutdown=allowed epoch=keep"
            ),
            Self::Channel(error) => error.fmt(f),
            Self::NoChannel(which) => {
                write!(f, "the policy gives no channel for \"{which}\"; name one")
            }
            Self::ManyChannels(which) => write!(
                f,
                "the policy gives more than one channel for \"{which}\"; name one of them \
                 net_{which}, or say {which}=CHANNEL"
            ),
            Self::Geometry(error) => error.fmt(f),
            Self::Mtu(error) => error.fmt(f),
            #[cfg(target_arch = "x86_64")]
            Self::NoVector(number) => write!(
                f,
                "the machine has no vector {number}; start QEMU with more of them (vectors=…)"
            ),
        }
    }
}

/// Makes `?` turn an error into trouble.
macro_rules! from {
    ($($variant:ident($error:ty)),*) => {
        $(impl From<$error> for Trouble {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        })*
    };
}

from!(
    Directory(DirectoryError),
    Sinfo(SinfoError),
    Channel(ConfigError<'static>),
    Geometry(GeometryError),
    Mtu(MtuError)
);
