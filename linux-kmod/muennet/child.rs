// SPDX-License-Identifier: GPL-2.0-only

//! A child: an interface that gets the packets of its marks, and sends by its
//! parent's channel.
//!
//! Children are links of the kind `muennet`, whether `ip link` or the family
//! `muennet` makes them.

use crate::{
    interface::Interface,
    net::{
        device::Device,
        driver::HeldOf,
        netlink::{Ack, Attributes, Message, Policy},
        rtnl::{HeldLink, Kind, Link, Rtnl},
        skb::SkBuff,
    },
};
use kernel::prelude::*;
use muennet_core::{config::Mode, marks::Refusal};

/// Attributes of the kind: a mark to begin with, a u32; and when it is shown the
/// marks held, an array of u32.
const MARK: u16 = 1;
const MARKS: u16 = 2;

/// Marks that `ip -d link` shows; all are listed by the family's GET_MARK.
const SHOWN: usize = 128;

/// The kind of all children.
pub(crate) static KIND: Kind<Child> = Kind::new();

/// Private data of a child's device.
pub(crate) struct Child {
    parent: HeldOf<Interface>,
}

impl Child {
    /// Gives a free mark to a child.
    pub(crate) fn add_mark(this: &HeldLink<Self>, mark: u32, ack: Ack, rtnl: &Rtnl) -> Result {
        if mark == 0 {
            let why = "mark 0 is no mark: packets without one are the parent's";
            return Err(ack.refuse(EINVAL, core::format_args!("{why}")));
        }
        match this.parent.with_children(|children| children.give(mark, this)) {
            Ok(()) => Ok(()),
            Err(Refusal::Own) => Err(ack.refuse(
                EEXIST,
                core::format_args!("the child holds mark {mark} already"),
            )),
            Err(Refusal::Taken(owner)) => Err(ack.refuse(
                EBUSY,
                core::format_args!(
                    "mark {mark} is held by {}",
                    owner.device().name(rtnl).to_bytes().escape_ascii()
                ),
            )),
            Err(Refusal::Full(room)) => Err(ack.refuse(
                ENOSPC,
                core::format_args!("all {room} marks of the parent are given out"),
            )),
        }
    }

    /// Takes a mark away from a child that holds it.
    pub(crate) fn del_mark(this: &HeldLink<Self>, mark: u32, ack: Ack) -> Result {
        if this.parent.with_children(|children| children.take(mark, this)) {
            return Ok(());
        }
        let errno = ENOENT;
        Err(ack.refuse(errno, core::format_args!("the child does not hold mark {mark}")))
    }
}

impl Link for Child {
    const KIND: &'static CStr = c"muennet";
    const POLICIES: &'static [Policy] = &[Policy::NONE, Policy::number()];
    /// A header, and a number for each.
    const FILL: usize = 4 + 4 * SHOWN;
    type Parent = Interface;

    fn over(parent: HeldOf<Interface>, ack: Ack) -> Result<Self> {
        if parent.mode() != Mode::NetHdr {
            let why = "the parent carries no marks; only a net_hdr interface has children";
            return Err(ack.refuse(EOPNOTSUPP, core::format_args!("{why}")));
        }
        Ok(Self { parent })
    }

    fn added(
        this: &HeldLink<Self>,
        attributes: &Attributes<'_>,
        ack: Ack,
        rtnl: &Rtnl,
    ) -> Result {
        let adopted = this.parent.with_children(|children| {
            this.device().set_carrier(this.parent.device().carrier());
            children.adopt(this.clone())
        });
        if !adopted {
            let why = "the parent has as many children as it can";
            return Err(ack.refuse(ENOSPC, core::format_args!("{why}")));
        }
        match attributes.number(MARK.into()) {
            Some(mark) => Self::add_mark(this, mark, ack, rtnl),
            None => Ok(()),
        }
    }

    fn removed(&self, device: &Device) {
        self.parent.with_children(|children| children.forget(|child| child.is(device)));
    }

    fn parent(&self) -> &HeldOf<Interface> {
        &self.parent
    }

    fn start_xmit(&self, device: &Device, skb: SkBuff) {
        self.parent.transmit(device, skb, false);
    }

    fn fill(&self, device: &Device, message: &mut Message) -> Result {
        let (mut marks, mut count) = ([0; SHOWN], 0);
        self.parent.with_children(|children| {
            let own = children.marks().iter().filter(|(_, child)| child.is(device));
            for (to, (mark, _)) in marks.iter_mut().zip(own) {
                *to = *mark;
                count += 1;
            }
        });
        message.numbers(MARKS, marks.get(..count).unwrap_or(&[]))
    }
}
