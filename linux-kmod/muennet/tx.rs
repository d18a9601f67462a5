// SPDX-License-Identifier: GPL-2.0-only

//! The transmit path: a packet is copied into the next element of the output
//! channel, and the peer's event rung behind the last packet of a batch.
//!
//! The ring never fills: whoever reads too slowly loses the oldest.

use crate::{
    interface::Counters,
    mapping::Output,
    muen::Event,
    net::{device::Device, skb::SkBuff, work::Call},
};
use core::num::NonZeroU64;
use kernel::{bindings, prelude::*};
use muennet_core::{
    framing::{Ethernet, Meta},
    link::Sender,
};

/// The sending half of an interface.
pub(crate) struct Transmit {
    sender: Sender<Output, Ethernet, ()>,
    event: Option<Pin<KBox<Call<Event>>>>,
    /// Something was written that the peer was not told of.
    unannounced: bool,
}

impl Transmit {
    pub(crate) fn new(sender: Sender<Output, Ethernet, ()>, event: Option<Event>) -> Result<Self> {
        let event = match event {
            Some(event) => Some(KBox::pin_init(Call::new(event, Event::trigger), GFP_KERNEL)?),
            None => None,
        };
        Ok(Self {
            sender,
            event,
            unannounced: false,
        })
    }

    /// Starts a new epoch.
    pub(crate) fn start(&mut self) {
        self.sender.activate(random_epoch());
        self.announce();
    }

    /// Ends the epoch.
    pub(crate) fn stop(&mut self) {
        self.sender.deactivate();
        self.announce();
    }

    /// Sends a packet.
    pub(crate) fn send(&mut self, device: &Device, counters: &Counters, skb: SkBuff, more: bool) {
        let frame = skb.head();
        // A fragmented packet cannot be: the device does not offer to take it.
        let whole = frame.len() == skb.len();
        if whole && self.sender.write(&[frame], Meta::default()).is_ok() {
            device.count_sent(frame.len());
            skb.tx_timestamp();
            skb.consume();
            self.unannounced = true;
        } else {
            counters.not_sent();
        }
        if !more && core::mem::take(&mut self.unannounced) {
            self.announce();
        }
    }

    fn announce(&self) {
        if let Some(call) = &self.event {
            call.on(call.argument().cpu());
        }
    }
}

/// A number that tells this start from any other.
fn random_epoch() -> NonZeroU64 {
    let mut bytes = [0; 8];
    // SAFETY: room for eight bytes.
    unsafe { bindings::get_random_bytes(bytes.as_mut_ptr().cast(), bytes.len()) };
    NonZeroU64::new(u64::from_ne_bytes(bytes)).unwrap_or(NonZeroU64::MIN)
}
