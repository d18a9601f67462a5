// SPDX-License-Identifier: GPL-2.0-only

//! The receive path: elements of the input channel are copied into packets of
//! the frame's length, within NAPI's budget; and the carrier follows the peer.

use crate::{
    interface::Counters,
    mapping::Input,
    net::{device::Device, napi::Polling, skb::SkBuff},
};
use muennet_core::{
    channel::Peer,
    framing::{Ethernet, Reject, Sink},
    link::{Received, Receiver},
};

/// The receiving half of an interface.
pub(crate) struct Receive {
    receiver: Receiver<Input, Ethernet>,
    /// The peer as the carrier shows it.
    shown: Peer,
}

/// Makes a packet for a frame once its length is known.
struct Packet<'a, 'p> {
    polling: &'a Polling<'p>,
    skb: Option<SkBuff>,
}

impl Sink for Packet<'_, '_> {
    fn place(&mut self, len: usize) -> Option<&mut [u8]> {
        let len = u32::try_from(len).ok()?;
        let skb = self.skb.insert(self.polling.alloc_skb(len)?);
        Some(self.polling.put(skb, len))
    }
}

impl Receive {
    pub(crate) fn new(receiver: Receiver<Input, Ethernet>) -> Self {
        Self {
            receiver,
            shown: Peer::Down,
        }
    }

    /// The interface went down.
    pub(crate) fn stop(&mut self) {
        self.shown = Peer::Down;
    }

    /// True when [`poll`](Self::poll) would find something.
    pub(crate) fn has_pending(&self) -> bool {
        self.receiver.has_pending()
    }

    /// Takes up to `budget` elements, good or bad, and says how many.
    pub(crate) fn poll(&mut self, polling: &Polling<'_>, counters: &Counters, budget: i32) -> i32 {
        self.show(polling.device());
        let mut done = 0;
        while done < budget {
            let mut packet = Packet { polling, skb: None };
            let received = self.receiver.receive(&mut packet);
            match (received, packet.skb) {
                (Received::Frame(_), Some(skb)) => polling.receive_ethernet(skb),
                // No frame without a packet; were there one, it would be lost.
                (Received::Frame(_), None) => counters.no_memory(),
                (Received::Empty | Received::Inactive | Received::Faulty(_), _) => break,
                (Received::NewEpoch { .. }, _) => {}
                (Received::Overrun { lost }, _) => counters.overrun(lost),
                (Received::Rejected(Reject::NoRoom { .. }), _) => counters.no_memory(),
                (Received::Rejected(_), _) => counters.bad_length(),
            }
            done += 1;
        }
        done
    }

    /// Lets the carrier follow the peer.
    fn show(&mut self, device: &Device) {
        let peer = self.receiver.peer();
        if peer == self.shown {
            return;
        }
        // From one epoch to the next the carrier goes down and up.
        if matches!(self.shown, Peer::Up { .. }) {
            device.set_carrier(false);
        }
        match peer {
            Peer::Up { .. } => device.set_carrier(true),
            Peer::Down => {}
            Peer::Faulty(fault) => device.complain(core::format_args!(
                "no carrier: the peer's channel is unusable: {fault}"
            )),
        }
        self.shown = peer;
    }
}
