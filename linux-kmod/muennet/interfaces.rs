// SPDX-License-Identifier: GPL-2.0-only

//! All interfaces of the module, for requests to find them.

use crate::{interface::Interface, net::driver::HeldOf};
use kernel::{prelude::*, sync::global_lock};
use muennet_core::config::{self, ConfigError, Parameter, Why};

global_lock! {
    // SAFETY: `List::new` initialises it, before anything else of the module can use it.
    unsafe(uninit) static INTERFACES: Mutex<KVec<HeldOf<Interface>>> = KVec::new();
}

/// The list; emptied when dropped. There is one, as there is one module.
pub(crate) struct List(());

impl List {
    /// Makes the list, once in the life of the module.
    pub(crate) fn new() -> Self {
        // SAFETY: called once, by the module's init function.
        unsafe { INTERFACES.init() };
        Self(())
    }

    /// Appends an interface.
    pub(crate) fn push(&self, interface: HeldOf<Interface>) -> Result {
        Ok(INTERFACES.lock().push(interface, GFP_KERNEL)?)
    }
}

impl Drop for List {
    fn drop(&mut self) {
        // Nobody but the module asks any more; its interfaces go next. Statics are never
        // dropped, and an emptied list would keep its memory.
        drop(core::mem::take(&mut *INTERFACES.lock()));
    }
}

/// Refuses an output channel that another interface writes: a channel has one writer.
pub(crate) fn check_writer<'a>(config: &config::Interface<'a>) -> Result<(), ConfigError<'a>> {
    let Some(channel) = config.output else {
        return Ok(());
    };
    let name = channel.name.as_bytes();
    if all().iter().any(|interface| interface.channels().1.to_bytes() == name) {
        return Err(ConfigError {
            parameter: Parameter::Out,
            position: config.position,
            value: channel.name,
            why: Why::WrittenTwice,
        });
    }
    Ok(())
}

/// True if an interface has requested this interrupt, or will when it goes up.
pub(crate) fn wait_for(irq: u32) -> bool {
    all().iter().any(|interface| interface.irq().is_some_and(|other| other.number == irq))
}

/// The interfaces, locked.
pub(crate) fn all() -> impl core::ops::Deref<Target = KVec<HeldOf<Interface>>> {
    INTERFACES.lock()
}
