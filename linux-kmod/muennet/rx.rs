// SPDX-License-Identifier: GPL-2.0-only

//! The receive path: elements of the input channel are copied into packets of
//! the frame's length, within NAPI's budget; and the carrier follows the peer.

use crate::{
    children::Children,
    counters::{Counter, Counters},
    direction::Direction,
    mapping::Input,
    net::{device::Device, napi::Polling, skb::SkBuff, timer},
};
use muennet_core::{
    carrier::{Carrier, Change},
    channel::{Fault, Peer, Read},
    config::Mode,
    framing::{Dynamic, Frame, Reject, Sink},
    link::{Arrival, Receiver},
};

/// Elements taken with one look at the counters.
const BURST: usize = 16;

/// The receiving half of an interface.
pub(crate) struct Receive {
    receiver: Receiver<Input, Dynamic>,
    mode: Mode,
    /// The peer as it was seen last.
    seen: Peer,
    carrier: Carrier,
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
    pub(crate) fn new(receiver: Receiver<Input, Dynamic>, mode: Mode) -> Self {
        Self {
            receiver,
            mode,
            seen: Peer::Down,
            carrier: Carrier::default(),
        }
    }

    /// The interface comes up: what the peer sent before is passed over.
    pub(crate) fn open(&mut self, counters: &Counters) {
        let before = self.receiver.skipped();
        self.receiver.open();
        let skipped = self.receiver.skipped().wrapping_sub(before);
        counters.add(Counter::RxSkipped, skipped);
    }

    /// True once after the peer came up: it is to be rung.
    pub(crate) fn came_up(&mut self) -> bool {
        self.receiver.came_up()
    }

    /// The interface went down.
    pub(crate) fn stop(&mut self) {
        self.seen = Peer::Down;
        self.carrier.reset();
    }

    /// True when [`poll`](Self::poll) would find something.
    pub(crate) fn has_pending(&self) -> bool {
        self.receiver.has_pending()
    }

    /// Elements that the input channel has room for.
    pub(crate) fn capacity(&self) -> u64 {
        self.receiver.capacity()
    }

    /// State of the peer.
    pub(crate) fn direction(&self, protocol: u64) -> Direction {
        let (epoch, fault) = match self.seen {
            Peer::Up { epoch } => (Some(epoch), None),
            Peer::Faulty(fault) => (None, Some(fault)),
            Peer::Down => (None, None),
        };
        Direction {
            protocol,
            epoch,
            geometry: self.receiver.geometry(),
            fault,
        }
    }

    /// Takes up to `budget` elements, good or bad, and says how many.
    pub(crate) fn poll(
        &mut self,
        polling: &Polling<'_>,
        counters: &Counters,
        children: &Children,
        budget: i32,
    ) -> i32 {
        counters.count(Counter::RxPolls);
        self.show(polling, counters, children);
        let budget = usize::try_from(budget).unwrap_or(0);
        let mut done = 0;
        let mut arrivals: [_; BURST] =
            core::array::from_fn(|_| Arrival::new(Packet { polling, skb: None }));
        while done < budget {
            let room = BURST.min(budget - done);
            let read = match arrivals.get_mut(..room) {
                Some(arrivals) => self.receiver.receive_burst(arrivals),
                None => break,
            };
            done += match read {
                Read::Taken(burst) => {
                    overrun(counters, burst.lost);
                    for arrival in arrivals.iter_mut().take(burst.taken) {
                        match (arrival.result, arrival.sink.skb.take()) {
                            (Some(Ok(frame)), Some(skb)) => {
                                self.deliver(polling, children, frame, skb);
                            }
                            (Some(Err(reject)), _) => counters.count(reason(reject)),
                            // No frame without a packet; were there one, it would be lost.
                            (Some(Ok(_)), None) => counters.count(Counter::RxNoMemory),
                            (None, _) => {}
                        }
                    }
                    burst.taken
                }
                Read::NewEpoch { .. } => 1,
                Read::Overrun { lost } => {
                    overrun(counters, lost);
                    1
                }
                Read::Empty | Read::Inactive | Read::Faulty(_) => break,
            };
        }
        // CAST: at most the budget.
        done as i32
    }

    /// Gives a packet to whom it is for: each packet's own mark decides.
    fn deliver(&self, polling: &Polling<'_>, children: &Children, frame: Frame, skb: SkBuff) {
        let mark = frame.meta.mark;
        match (self.mode, children.of_mark(mark)) {
            (Mode::Ethernet, _) => polling.receive_ethernet(skb),
            (_, None) => polling.receive_packet(skb, mark),
            (_, Some(child)) => child.receive(polling, skb, mark),
        }
    }

    /// Counts what became of the peer, and lets the carrier follow it. A storm of epochs is
    /// shown at a bounded rate; the watch timer polls again and shows its last state.
    fn show(&mut self, polling: &Polling<'_>, counters: &Counters, children: &Children) {
        let device = polling.device();
        let peer = self.receiver.peer();
        if peer != self.seen {
            self.seen = peer;
            match peer {
                Peer::Up { .. } => counters.count(Counter::RxEpochs),
                Peer::Down => {}
                Peer::Faulty(fault) => {
                    counters.count(Counter::RxFaults);
                    complain(device, fault);
                }
            }
        }
        let show = |on| {
            device.set_carrier(on);
            children.all().iter().for_each(|child| child.device().set_carrier(on));
        };
        let change = self.carrier.follow(peer, timer::now_ns);
        match change {
            None => {}
            Some(Change::On) => show(true),
            Some(Change::Off) => show(false),
            Some(Change::Restart) => {
                show(false);
                show(true);
            }
        }
        // Other modes have no addresses that a peer could have kept from before.
        if matches!(change, Some(Change::On | Change::Restart)) && self.mode == Mode::Ethernet {
            polling.announce();
        }
    }
}

fn overrun(counters: &Counters, lost: impl TryInto<u64>) {
    match lost.try_into() {
        Ok(lost) if lost > 0 => {
            counters.add(Counter::RxLost, lost);
            counters.count(Counter::RxOverruns);
        }
        _ => {}
    }
}

#[cold]
fn complain(device: &Device, fault: Fault) {
    device.complain(core::format_args!(
        "no carrier: the peer's channel is unusable: {fault}"
    ));
}

/// The counter of a refused element.
fn reason(reject: Reject) -> Counter {
    match reject {
        Reject::TooLong { .. } => Counter::RxTooLong,
        Reject::TooShort { .. } => Counter::RxTooShort,
        Reject::UnknownProtocol { .. } => Counter::RxProtocol,
        Reject::Version { .. } => Counter::RxVersion,
        Reject::LengthMismatch { .. } => Counter::RxMismatch,
        // No room; and whatever reasons a later protocol has.
        _ => Counter::RxNoMemory,
    }
}
