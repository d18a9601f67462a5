// SPDX-License-Identifier: GPL-2.0-only

//! The generic netlink family `muennet`: children, their marks, and lists.
//!
//! Commands 1 to 4 and attributes 1 to 3 are the original's; whatever is new has
//! a number after them.
//!
//! | command | attributes of the request | attributes of each answer |
//! |---------|---------------------------|---------------------------|
//! | 1 ADD_CHILD | DEV, CHILD_DEV | |
//! | 2 DEL_CHILD | CHILD_DEV | |
//! | 3 ADD_MARK | CHILD_DEV, MARK | |
//! | 4 DEL_MARK | CHILD_DEV, MARK | |
//! | 5 GET_INTERFACE (dump) | | DEV, IFINDEX … EPOCHS |
//! | 6 GET_CHILD (dump) | | DEV, CHILD_DEV, IFINDEX, RX_FRAMES, TX_FRAMES, PARENT_IFINDEX |
//! | 7 GET_MARK (dump) | | CHILD_DEV, MARK |
//!
//! | attribute | type | meaning |
//! |-----------|------|---------|
//! | 1 DEV | string | the interface; in answers about children, the parent |
//! | 2 CHILD_DEV | string | the child |
//! | 3 MARK | u32 | a mark |
//! | 4 IFINDEX | u32 | number of the interface or child |
//! | 5 MODE | string | `raw`, `net_hdr` or `eth_dev` |
//! | 6 IN, 7 OUT | string | channel names; empty where there is none |
//! | 8 MTU | u32 | bytes |
//! | 9 CARRIER | u8 | 1 while there is a peer |
//! | 10 RX_FRAMES, 11 TX_FRAMES | u64 | packets received and sent |
//! | 12 RX_LOST | u64 | frames overwritten before they were read |
//! | 13 RX_REJECTED | u64 | elements that held no acceptable frame |
//! | 14 EPOCHS | u64 | epochs of the peer |
//! | 15 PAD | | fills up to where a u64 may be |
//! | 16 PARENT_IFINDEX | u32 | number of the parent, if it is in the same namespace |
//!
//! Every command needs CAP_NET_ADMIN in the caller's network namespace; one that
//! touches a parent, in the parent's as well. A child lives in the namespace of
//! whoever adds it. A parent is looked for there first, then in the others that
//! the caller may configure.

use crate::{
    child::{self, Child},
    interface::Interface,
    interfaces,
    net::{
        device::Held,
        driver::HeldOf,
        genl::{Command, Dump, Family, Handler, Request},
        netlink::Policy,
        rtnl::{HeldLink, Link, Rtnl},
    },
};
use kernel::{prelude::*, str::CString};

mod command {
    pub(super) const ADD_CHILD: u8 = 1;
    pub(super) const DEL_CHILD: u8 = 2;
    pub(super) const ADD_MARK: u8 = 3;
    pub(super) const DEL_MARK: u8 = 4;
    pub(super) const GET_INTERFACE: u8 = 5;
    pub(super) const GET_CHILD: u8 = 6;
    pub(super) const GET_MARK: u8 = 7;
}

mod attribute {
    pub(super) const DEV: u16 = 1;
    pub(super) const CHILD_DEV: u16 = 2;
    pub(super) const MARK: u16 = 3;
    pub(super) const IFINDEX: u16 = 4;
    pub(super) const MODE: u16 = 5;
    pub(super) const IN: u16 = 6;
    pub(super) const OUT: u16 = 7;
    pub(super) const MTU: u16 = 8;
    pub(super) const CARRIER: u16 = 9;
    pub(super) const RX_FRAMES: u16 = 10;
    pub(super) const TX_FRAMES: u16 = 11;
    pub(super) const RX_LOST: u16 = 12;
    pub(super) const RX_REJECTED: u16 = 13;
    pub(super) const EPOCHS: u16 = 14;
    pub(super) const PAD: u16 = 15;
    pub(super) const PARENT_IFINDEX: u16 = 16;
}

/// Bytes of an interface's name, without the NUL.
const NAME_LEN: u16 = 15;

/// The family.
pub(crate) static FAMILY: Family<Muennet> = Family::new();

/// Answers the family's requests.
pub(crate) struct Muennet;

impl Handler for Muennet {
    const NAME: &'static CStr = c"muennet";
    const VERSION: u32 = 1;
    const STRICT_FROM: u8 = command::GET_INTERFACE;
    const POLICIES: &'static [Policy] = &[
        Policy::NONE,
        Policy::text(NAME_LEN),
        Policy::text(NAME_LEN),
        Policy::number(),
    ];
    const COMMANDS: &'static [Command] = &[
        Command::request::<Self>(command::ADD_CHILD),
        Command::request::<Self>(command::DEL_CHILD),
        Command::request::<Self>(command::ADD_MARK),
        Command::request::<Self>(command::DEL_MARK),
        Command::dump::<Self>(command::GET_INTERFACE),
        Command::dump::<Self>(command::GET_CHILD),
        Command::dump::<Self>(command::GET_MARK),
    ];

    fn family() -> &'static Family<Self> {
        &FAMILY
    }

    fn request(command: u8, request: &Request<'_>) -> Result {
        let rtnl = Rtnl::lock();
        match command {
            command::ADD_CHILD => {
                let name = name(request, attribute::CHILD_DEV, "the child")?;
                let parent = parent(request, &rtnl)?;
                if request.net().device(&name, &rtnl).is_some() {
                    let why = "there is an interface of the child's name already";
                    return Err(request.ack.refuse(EEXIST, core::format_args!("{why}")));
                }
                child::KIND.create(request.net(), &name, parent, request.ack, &rtnl)
            }
            command::DEL_CHILD => {
                child::KIND.delete(child(request, &rtnl)?, &rtnl);
                Ok(())
            }
            command::ADD_MARK => {
                let child = configurable(request, child(request, &rtnl)?)?;
                Child::add_mark(&child, mark(request)?, request.ack, &rtnl)
            }
            command::DEL_MARK => {
                let child = configurable(request, child(request, &rtnl)?)?;
                Child::del_mark(&child, mark(request)?, request.ack)
            }
            _ => Err(EOPNOTSUPP),
        }
    }

    fn dump(command: u8, dump: &mut Dump<'_>) -> Result {
        // Nobody moves to another namespace meanwhile.
        let rtnl = Rtnl::lock();
        for interface in interfaces::all().iter() {
            match command {
                command::GET_INTERFACE => dump_interface(dump, interface, &rtnl),
                command::GET_CHILD => dump_children(dump, interface, &rtnl)?,
                command::GET_MARK => dump_marks(dump, interface, &rtnl)?,
                _ => return Err(EOPNOTSUPP),
            }
            if dump.is_full() {
                break;
            }
        }
        Ok(())
    }
}

fn dump_interface(dump: &mut Dump<'_>, interface: &HeldOf<Interface>, rtnl: &Rtnl) {
    use attribute::*;
    let device = interface.device();
    if device.net() != dump.net() {
        return;
    }
    let (traffic, counts) = (device.traffic(), interface.counts());
    let (input, output) = interface.channels();
    dump.entry(|message| {
        message.text(DEV, device.name(rtnl))?;
        message.number(IFINDEX, device.index())?;
        message.text(MODE, interface.mode_name())?;
        message.text(IN, input)?;
        message.text(OUT, output)?;
        message.number(MTU, device.mtu())?;
        message.byte(CARRIER, device.carrier().into())?;
        message.long(RX_FRAMES, traffic.rx_frames, PAD)?;
        message.long(TX_FRAMES, traffic.tx_frames, PAD)?;
        message.long(RX_LOST, counts.lost, PAD)?;
        message.long(RX_REJECTED, counts.rejected, PAD)?;
        message.long(EPOCHS, counts.epochs, PAD)
    });
}

/// The children of an interface that are in the receiver's namespace.
fn children(dump: &Dump<'_>, interface: &Interface) -> Result<KVec<HeldLink<Child>>> {
    let count = interface.with_children(|children| children.all().len());
    let mut found = KVec::with_capacity(count, GFP_KERNEL)?;
    interface.with_children(|children| {
        for child in children.all().iter().filter(|child| child.device().net() == dump.net()) {
            // The RTNL is held: no more than were counted.
            let _ = found.push_within_capacity(child.clone());
        }
    });
    Ok(found)
}

fn dump_children(dump: &mut Dump<'_>, interface: &HeldOf<Interface>, rtnl: &Rtnl) -> Result {
    use attribute::*;
    let parent = interface.device();
    // A number says something in its own namespace only.
    let parent_index = (parent.net() == dump.net()).then(|| parent.index());
    for child in children(dump, interface)? {
        let (device, traffic) = (child.device(), child.device().traffic());
        dump.entry(|message| {
            message.text(DEV, parent.name(rtnl))?;
            message.text(CHILD_DEV, device.name(rtnl))?;
            message.number(IFINDEX, device.index())?;
            message.long(RX_FRAMES, traffic.rx_frames, PAD)?;
            message.long(TX_FRAMES, traffic.tx_frames, PAD)?;
            parent_index.map_or(Ok(()), |index| message.number(PARENT_IFINDEX, index))
        });
    }
    Ok(())
}

fn dump_marks(dump: &mut Dump<'_>, interface: &HeldOf<Interface>, rtnl: &Rtnl) -> Result {
    use attribute::*;
    let count = interface.with_children(|children| children.marks().len());
    let mut found = KVVec::with_capacity(count, GFP_KERNEL)?;
    interface.with_children(|children| {
        let visible = |(_, child): &&(u32, HeldLink<Child>)| child.device().net() == dump.net();
        for (mark, child) in children.marks().iter().filter(visible) {
            // The RTNL is held: no more than were counted.
            let _ = found.push_within_capacity((*mark, child.clone()));
        }
    });
    for (mark, child) in found {
        dump.entry(|message| {
            message.text(CHILD_DEV, child.device().name(rtnl))?;
            message.number(MARK, mark)
        });
    }
    Ok(())
}

/// A name that the request must give, of `what`.
fn name(request: &Request<'_>, attribute: u16, what: &str) -> Result<CString> {
    let given = request.attributes.text(attribute.into()).filter(|name| !name.is_empty());
    let given = given.and_then(|name| core::str::from_utf8(name).ok()).ok_or_else(|| {
        request.ack.refuse(EINVAL, core::format_args!("the name of {what} is missing"))
    })?;
    Ok(CString::try_from_fmt(fmt!("{given}"))?)
}

fn mark(request: &Request<'_>) -> Result<u32> {
    let mark = request.attributes.number(attribute::MARK.into());
    mark.ok_or_else(|| request.ack.refuse(EINVAL, core::format_args!("the mark is missing")))
}

/// The interface that the request names, which its sender may configure.
fn parent(request: &Request<'_>, rtnl: &Rtnl) -> Result<HeldOf<Interface>> {
    let name = name(request, attribute::DEV, "the parent")?;
    let all = interfaces::all();
    let named = || all.iter().filter(|interface| interface.device().name(rtnl) == &*name);
    let found = named()
        .find(|interface| interface.device().net() == request.net())
        .or_else(|| named().find(|interface| request.administers(interface.device().net())))
        .or_else(|| named().next())
        .ok_or_else(|| {
            let why = "there is no parent of this name; it must be an interface of this module";
            request.ack.refuse(ENODEV, core::format_args!("{why}"))
        })?;
    may_configure(request, found)?;
    Ok(found.clone())
}

/// The child that the request names, in its sender's namespace.
fn child(request: &Request<'_>, rtnl: &Rtnl) -> Result<HeldLink<Child>> {
    let name = name(request, attribute::CHILD_DEV, "the child")?;
    let device = request.net().device(&name, rtnl).ok_or_else(|| {
        request.ack.refuse(ENODEV, core::format_args!("there is no interface of this name"))
    })?;
    Held::new(device).ok_or_else(|| {
        request.ack.refuse(ENODEV, core::format_args!("this interface is not a child"))
    })
}

/// The child, if its parent is the sender's to configure too: marks are taken
/// from the parent's traffic.
fn configurable(request: &Request<'_>, child: HeldLink<Child>) -> Result<HeldLink<Child>> {
    may_configure(request, child.parent())?;
    Ok(child)
}

fn may_configure(request: &Request<'_>, interface: &HeldOf<Interface>) -> Result {
    if request.administers(interface.device().net()) {
        return Ok(());
    }
    let why = "the parent is in a network namespace that is not yours to configure";
    Err(request.ack.refuse(EPERM, core::format_args!("{why}")))
}
