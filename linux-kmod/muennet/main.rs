// SPDX-License-Identifier: GPL-2.0-only

//! Network interfaces over Muen's channels.
//!
//! A packet's way out begins in [`tx`], its way in in [`rx`]. Around them:
//!
//! - [`params`]: the module's parameters, checked by muennet-core;
//! - [`interface`]: an interface up and down, its locks and counters;
//! - [`muen`]: what the Muen kernel exports: resources and events;
//! - [`mapping`]: a channel's memory.
//!
//! The layer below, `net`, wraps the kernel's network devices and knows of no
//! channels; the protocol itself is in the crate muennet-core.
//!
//! Locks: an interface's `rx` and `tx` are never held together. Both are taken
//! with softirqs disabled; the event is rung with neither held by another CPU
//! waiting for it.

#[path = "../bindings/mod.rs"]
mod bindings;
mod interface;
mod mapping;
mod muen;
#[path = "../net/mod.rs"]
mod net;
mod params;
mod rx;
mod tx;

use interface::Interface;
use kernel::prelude::*;
use net::device::Registration;

module! {
    type: Muennet,
    name: "muennet",
    authors: ["the muennet authors"],
    description: "Network interfaces over Muen channels",
    license: "GPL",
}

/// The module: its interfaces, gone when it is.
struct Muennet {
    _interfaces: KVec<Registration<Interface>>,
}

impl kernel::Module for Muennet {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        // A refusal drops, and so unregisters, what was registered before it.
        let mut interfaces = KVec::new();
        params::for_each(|config| {
            interfaces.push(Interface::register(config)?, GFP_KERNEL)?;
            Ok(())
        })?;
        Ok(Self {
            _interfaces: interfaces,
        })
    }
}
