// SPDX-License-Identifier: GPL-2.0-only

//! The peer's event: rung with no lock held, on the event's own CPU.

use crate::{
    counters::{Counter, Counters},
    muen::Event,
    net::work::Call,
};
use kernel::prelude::*;

/// Rings the peer, if the output channel has an event.
pub(crate) struct Bell(Option<Pin<KBox<Call<Event>>>>);

impl Bell {
    pub(crate) fn new(event: Option<Event>) -> Result<Self> {
        Ok(Self(match event {
            Some(event) => Some(KBox::pin_init(Call::new(event, Event::trigger), GFP_KERNEL)?),
            None => None,
        }))
    }

    /// Rings; softirqs are disabled, and nothing is locked.
    pub(crate) fn ring(&self, counters: &Counters) {
        if let Some(call) = &self.0 {
            counters.count_anywhere(match call.on(call.argument().cpu()) {
                true => Counter::TxEvents,
                false => Counter::TxDeferred,
            });
        }
    }
}
