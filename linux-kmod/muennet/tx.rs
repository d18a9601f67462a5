// SPDX-License-Identifier: GPL-2.0-only

//! The transmit path: a packet is copied into the next element of the output
//! channel. The peer's event is rung behind the last packet of a batch ([`bell`](crate::bell)).
//!
//! The ring never fills: whoever reads too slowly loses the oldest.

use crate::{
    bindings,
    counters::{Counter, Counters},
    direction::Direction,
    mapping::Output,
    net::{
        device::Device,
        skb::{SkBuff, MAX_PARTS},
    },
    path::Fit,
};
use core::num::NonZeroU64;
use muennet_core::{
    framing::{Checksum, Dynamic, FrameError, Meta, Packet, Remedy},
    link::{SendError, Sender},
};

/// The sending half of an interface.
pub(crate) struct Transmit {
    sender: Sender<Output, Dynamic, ()>,
    /// Something was written that the peer was not told of.
    unannounced: bool,
    /// The log has it that a frame of this epoch was too long.
    complained: bool,
}

impl Transmit {
    pub(crate) fn new(sender: Sender<Output, Dynamic, ()>) -> Self {
        Self {
            sender,
            unannounced: false,
            complained: false,
        }
    }

    /// Starts a new epoch; the peer is to be rung.
    pub(crate) fn start(&mut self, counters: &Counters) {
        self.sender.activate(random_epoch());
        self.complained = false;
        counters.count(Counter::TxEpochs);
    }

    /// Ends the epoch; the peer is to be rung.
    pub(crate) fn stop(&mut self) {
        self.sender.deactivate();
    }

    /// True between [`start`](Self::start) and [`stop`](Self::stop).
    pub(crate) fn is_active(&self) -> bool {
        self.sender.is_active()
    }

    /// State of this end.
    pub(crate) fn direction(&self, protocol: u64) -> Direction {
        Direction {
            protocol,
            epoch: self.sender.epoch().map(NonZeroU64::get),
            geometry: Some(self.sender.geometry()),
            fault: None,
        }
    }

    /// Writes a packet of `device`, whole or in fragments; false if it cannot be sent.
    pub(crate) fn send(
        &mut self,
        device: &Device,
        counters: &Counters,
        skb: &SkBuff,
        fit: &Fit,
    ) -> bool {
        let meta = Meta { mark: skb.mark() };
        let sent = skb.with_parts(|parts| match fit.fragments() {
            None => {
                let packet = Packet::of_parts(parts).with_meta(meta);
                self.sender.write_packet(&match skb.checksum() {
                    Some((start, offset)) => packet.with_checksum(Checksum { start, offset }),
                    None => packet,
                })
            }
            Some(mut fragments) => {
                counters.count(Counter::TxFragmented);
                fragments.try_for_each(|fragment| {
                    fragment.with_parts::<{ MAX_PARTS + 1 }, _>(parts, |parts| {
                        self.sender.write_packet(&Packet::of_parts(parts).with_meta(meta))
                    })
                })
            }
        });
        match sent {
            Ok(()) => self.unannounced = true,
            Err(error) => {
                counters.count(reason(error));
                self.complain(device, error);
            }
        }
        sent.is_ok()
    }

    /// Tells in the log of the first frame of an epoch that is longer than an element takes.
    #[cold]
    fn complain(&mut self, device: &Device, error: SendError) {
        if let SendError::Frame(long @ FrameError::TooLong { len, .. }) = error {
            if !core::mem::replace(&mut self.complained, true) {
                let remedy = Remedy::of(self.sender.framing(), len);
                device.complain(core::format_args!("not sent: {long}; {remedy}"));
            }
        }
    }

    /// Ends a packet. True if the peer is to be rung: behind the last one of a batch.
    pub(crate) fn settle(&mut self, more: bool) -> bool {
        !more && core::mem::take(&mut self.unannounced)
    }
}

/// The counter of a packet that is not sent.
#[cold]
fn reason(error: SendError) -> Counter {
    match error {
        SendError::Frame(FrameError::TooLong { .. }) => Counter::TxTooLong,
        SendError::Frame(FrameError::TooShort { .. }) => Counter::TxTooShort,
        SendError::Frame(FrameError::NotIp { .. }) => Counter::TxNotIp,
        SendError::Frame(FrameError::Checksum { .. }) => Counter::TxChecksum,
        _ => Counter::TxInactive,
    }
}

/// A number that tells this start from any other.
#[expect(unsafe_code, reason = "the kernel crate has no random bytes")]
fn random_epoch() -> NonZeroU64 {
    let mut bytes = [0; 8];
    // SAFETY: room for eight bytes.
    unsafe { bindings::get_random_bytes(bytes.as_mut_ptr().cast(), bytes.len()) };
    NonZeroU64::new(u64::from_ne_bytes(bytes)).unwrap_or(NonZeroU64::MIN)
}
