// SPDX-License-Identifier: GPL-2.0-only

//! The path MTU of a packet's mark, and what becomes of a packet that is longer.

use crate::{mapping::Input, net::skb::SkBuff};
use kernel::prelude::*;
use muennet_core::{
    fragment::{Fragments, Header},
    path_mtu::PathMtus,
    shm::TableError,
};

/// The path MTUs of an interface's marks.
pub(crate) struct Path(PathMtus<Input>);

/// The way in which a packet fits its path.
pub(crate) enum Fit {
    /// As it is.
    Whole,
    /// In fragments.
    Fragments(Header, u32),
    /// Not at all: IPv4 that must not be fragmented.
    Ipv4TooBig(u32),
    /// Not at all: IPv6, which is never fragmented on its way.
    Ipv6TooBig(u32),
}

impl Path {
    pub(crate) fn new(region: Input) -> Result<Self, TableError> {
        PathMtus::new(region).map(Self)
    }

    /// The number of marks that have an entry.
    pub(crate) fn entries(&self) -> usize {
        self.0.entries()
    }

    /// Looks, once, at the path MTU of the packet's mark.
    pub(crate) fn fit(&self, skb: &SkBuff) -> Fit {
        match self.0.of_mark(skb.mark()) {
            Some(mtu) if skb.len() > usize::try_from(mtu).unwrap_or(usize::MAX) => {
                Fit::of(skb, mtu)
            }
            _ => Fit::Whole,
        }
    }
}

impl Fit {
    #[cold]
    fn of(skb: &SkBuff, mtu: u32) -> Self {
        let start = skb.head();
        match Header::parse(start, skb.len()) {
            Some(header) if header.dont_fragment() => Self::Ipv4TooBig(mtu),
            Some(header) => Self::Fragments(header, mtu),
            None if start.first().is_some_and(|first| first >> 4 == 6) => Self::Ipv6TooBig(mtu),
            // Not IP; the framing says so.
            None => Self::Whole,
        }
    }

    /// Tells the sender of a packet that does not fit; true if it does not.
    pub(crate) fn tell(&self, skb: &mut SkBuff) -> bool {
        match self {
            Self::Whole | Self::Fragments(..) => return false,
            Self::Ipv4TooBig(mtu) => skb.fragmentation_needed(*mtu),
            Self::Ipv6TooBig(mtu) => skb.packet_too_big(*mtu),
        }
        true
    }

    /// Fills in the checksum of a packet that fits in fragments: each of them has
    /// its part only. False if there is no memory for that.
    pub(crate) fn prepare(&self, skb: &mut SkBuff) -> bool {
        match self {
            Self::Fragments(..) => skb.fill_checksum(),
            _ => true,
        }
    }

    /// The fragments of a packet that fits in fragments.
    pub(crate) fn fragments(&self) -> Option<Fragments> {
        match self {
            Self::Fragments(header, mtu) => {
                header.fragments(usize::try_from(*mtu).unwrap_or(usize::MAX))
            }
            _ => None,
        }
    }
}
