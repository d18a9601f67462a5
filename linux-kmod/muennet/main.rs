// SPDX-License-Identifier: GPL-2.0-only

//! Network interfaces over Muen's channels.
//!
//! A packet's way out begins in [`tx`], its way in in [`rx`]. Around them:
//!
//! - [`params`]: the module's parameters, checked by muennet-core;
//! - [`interface`]: an interface up and down, its locks and counters ([`counters`]);
//! - [`bell`]: the peer's event;
//! - [`interfaces`]: all of them;
//! - [`path`]: the path MTU of a packet's mark;
//! - [`child`], [`children`]: interfaces that get the packets of their marks;
//! - [`netlink`]: the requests that make children and list what there is;
//! - [`info`]: the file in debugfs;
//! - [`muen`]: what the Muen kernel exports: resources and events;
//! - [`mapping`]: a channel's memory.
//!
//! The layer below, `net`, wraps the kernel's network devices and knows of no
//! channels; the protocol itself is in the crate muennet-core.
//!
//! # Locks
//!
//! In this order: the lock of an open file in debugfs, the RTNL, the list of
//! interfaces, an interface's `rx` or its `tx`, never both. These two are taken with
//! softirqs disabled. While one of them is held, nothing is handed to the network stack
//! but a child's packet, which it only queues; so no packet comes back to a lock that
//! its sender holds.
//! The event is rung with neither held, with interrupts enabled and on the event's own
//! CPU, where ringing waits for nobody. Peers are told of an interface with the RTNL
//! held, in process context.
//!
//! # References
//!
//! An interface's table holds its children, and a child its parent, each by a
//! counted reference. A child leaves the table before it is unregistered. When
//! the module goes, the netlink family goes first, so that no request comes any
//! more; then the kind of the children, which takes all of them away; then the
//! interfaces.
//!
//! # Tables
//!
//! The kernel calls the module through these tables. The module stays for as long as
//! each can be called, because:
//!
//! | table | in | the module stays until |
//! |-------|----|------------------------|
//! | `net_device_ops`, `ethtool_ops` | `net/driver.rs`, `net/ethtool.rs` | `unregister_netdev` has returned: it waits for the RTNL, for RCU readers and for every counted reference |
//! | the same of children, `priv_destructor` | `net/rtnl.rs` | `rtnl_link_unregister` has returned: it waits for children that others delete, and ends its own before it gives the RTNL back |
//! | `rtnl_link_ops` | `net/rtnl.rs` | as above; `newlink` is waited for by SRCU |
//! | `genl_family`, its commands and policy | `net/genl.rs` | `.module` is counted while a list is sent, and `genl_unregister_family` waits for requests in progress |
//! | `file_operations` | `net/debugfs.rs` | `.owner` is counted while a file is open, and `debugfs_remove` waits for reads in progress |
//! | NAPI's poll function | `net/napi.rs` | `napi_disable` has returned, in `ndo_stop` |
//! | interrupt handler | `net/irq.rs` | `free_irq` has returned, in `ndo_stop` |
//! | timer function | `net/timer.rs` | `hrtimer_cancel` has returned, in `ndo_stop` |
//! | work function | `net/work.rs` | `cancel_work_sync` has returned, when the interface is dropped |
//!
//! A failed init frees the module without waiting for counts of the module. So the
//! family is registered last of what can fail, and the files are made after it.

#![deny(unsafe_code)]

#[path = "../bindings/mod.rs"]
#[expect(unsafe_code, reason = "made by bindgen")]
mod bindings;
mod bell;
mod child;
mod children;
mod counters;
mod direction;
mod info;
mod interface;
#[expect(unsafe_code, reason = "a lock in a static is initialised once")]
mod interfaces;
#[expect(unsafe_code, reason = "memory that the subject information grants is mapped")]
mod mapping;
#[expect(unsafe_code, reason = "the Muen kernel exports functions of C")]
mod muen;
#[path = "../net/mod.rs"]
#[expect(unsafe_code, reason = "safe wrappers of the kernel's functions")]
mod net;
mod netlink;
#[path = "../compat/newlink.rs"]
#[expect(unsafe_code, reason = "the kernel calls it")]
mod newlink;
#[expect(unsafe_code, reason = "the module loader writes the parameters")]
mod params;
mod path;
mod rx;
mod tx;

use child::Child;
use info::Info;
use interface::Interface;
use kernel::prelude::*;
use muennet_core::config::Parameter;
use net::{driver::Registration, genl, rtnl};
use params::Refused;

module! {
    type: Muennet,
    name: "muennet",
    authors: ["the muennet authors"],
    description: "Network interfaces over Muen channels",
    license: "GPL",
}

/// The module. Its parts go in this order.
struct Muennet {
    _family: genl::Registration<netlink::Muennet>,
    _kind: rtnl::Registration<Child>,
    _info: Info,
    _list: interfaces::List,
    _interfaces: KVec<Registration<Interface>>,
}

impl kernel::Module for Muennet {
    fn init(module: &'static ThisModule) -> Result<Self> {
        // A refusal drops, and so unregisters, what was registered before it, the
        // latest first.
        let mut interfaces = KVec::new();
        let list = interfaces::List::new();
        let mut shown = KVec::new();
        params::for_each(|config| {
            interfaces::check_writer(config)?;
            let interface = Interface::register(config, interfaces::wait_for)?;
            let listed = || {
                // Before anybody holds it: dropping it would wait for them.
                interfaces.push(interface, GFP_KERNEL)?;
                let held = interfaces.last().ok_or(ENODEV)?.hold()?;
                shown.push(info::entry(&held)?, GFP_KERNEL)?;
                list.push(held)
            };
            listed().map_err(|error| {
                let (name, position) = (config.name, config.position);
                Refused::by_kernel(Parameter::Name, position, name, interface::SET_UP, error)
            })
        })?;
        let say = |what: &'static str| {
            move |error: &Error| {
                pr_err!("the kernel does not register the {what} muennet ({})\n", error.to_errno());
            }
        };
        let kind = child::KIND.register().inspect_err(say("link kind"))?;
        let family = netlink::FAMILY.register(module).inspect_err(say("netlink family"))?;
        // Nothing fails from here on: a failed init would not wait for open files,
        // nor for a list that the family is sending.
        Ok(Self {
            _family: family,
            _kind: kind,
            _info: info::files(shown),
            _list: list,
            _interfaces: interfaces,
        })
    }
}
