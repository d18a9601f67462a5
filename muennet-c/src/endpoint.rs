// SPDX-License-Identifier: MIT OR Apache-2.0
//! A link behind its handle: one direction or both, and what is counted.

use crate::{
    frame,
    memory::Mapped,
    notify::Callback,
    pointers::{Array, Room},
    result::Said,
    Code,
};
use core::num::NonZeroU64;
use muennet_core::{
    channel::{self, Read},
    framing::{Dynamic, Framing, Packet, Reject},
    link::{self, Received, Receiver, Sender},
};

/// Counters of a link, from 0 when it is opened.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Counters {
    /// Frames received.
    pub received: u64,
    /// Bytes of the frames received.
    pub received_bytes: u64,
    /// Elements that held no acceptable frame, or none that the buffer had room for.
    pub rejected: u64,
    /// Frames that the peer overwrote before they were received, as the peer counts them.
    pub lost: u64,
    /// Epochs of the peer that were reported.
    pub epochs: u64,
    /// Frames from before this end came up, which were passed over, as the peer counts them.
    pub skipped: u64,
    /// Frames sent.
    pub sent: u64,
    /// Bytes of the frames sent.
    pub sent_bytes: u64,
    /// Frames that were refused when they were to be sent; of a batch all.
    pub refused: u64,
}

/// Sizes of a link.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Info {
    /// Bytes of the longest frame that is sent, as the mode and the MTU make it.
    pub max_frame: usize,
    /// Bytes that a buffer needs so that no frame of the peer is rejected for want of room. It
    /// follows the peer's element size; without a peer it is `max_frame`.
    pub room: usize,
    /// Elements that the output holds before the oldest is overwritten; 0 without output.
    pub output_elements: u64,
    /// Bytes of an element of the output; 0 without output.
    pub output_element_size: usize,
    /// The epoch that this end has started; 0 while it is inactive.
    pub output_epoch: u64,
    /// Elements of the peer's channel; 0 while none is known.
    pub input_elements: u64,
    /// Bytes of an element of the peer's channel; 0 while none is known.
    pub input_element_size: usize,
}

/// The link of a handle.
pub(crate) struct Endpoint {
    rx: Option<Receiver<Mapped, Dynamic>>,
    tx: Option<Sender<Mapped, Dynamic, Callback>>,
    framing: Dynamic,
    counters: Counters,
}

impl Endpoint {
    pub(crate) fn new(
        input: Option<(Mapped, NonZeroU64)>,
        output: Option<(Mapped, NonZeroU64)>,
        framing: Dynamic,
        resume: channel::Resume,
        notify: Callback,
    ) -> Result<Self, Code> {
        let rx = match input {
            Some((memory, protocol)) => {
                Some(Receiver::new(memory, protocol, framing)?.with_resume(resume))
            }
            None => None,
        };
        let tx = match output {
            Some((memory, protocol)) => Some(Sender::new(memory, protocol, framing, notify)?),
            None => None,
        };
        Ok(Self {
            rx,
            tx,
            framing,
            counters: Counters::default(),
        })
    }

    pub(crate) fn activate(&mut self, epoch: NonZeroU64) {
        if let Some(rx) = &mut self.rx {
            rx.open();
        }
        if let Some(tx) = &mut self.tx {
            tx.activate(epoch);
        }
    }

    pub(crate) fn deactivate(&mut self) {
        if let Some(tx) = &mut self.tx {
            tx.deactivate();
        }
    }

    pub(crate) fn detach(&mut self) {
        if let Some(tx) = &mut self.tx {
            tx.detach();
        }
    }

    pub(crate) fn notify(&self) -> Code {
        match &self.tx {
            Some(tx) => {
                tx.notify();
                Code::Ok
            }
            None => Code::NoOutput,
        }
    }

    /// Rings the peer once when it has come up.
    #[inline]
    fn greet(&mut self) {
        if let (Some(rx), Some(tx)) = (&mut self.rx, &self.tx) {
            if rx.came_up() {
                tx.greet();
            }
        }
    }

    #[inline]
    pub(crate) fn write(&mut self, packet: &Packet<'_>) -> Code {
        let Some(tx) = &mut self.tx else {
            return Code::NoOutput;
        };
        match tx.write_packet(packet) {
            Ok(()) => {
                self.counters.sent = self.counters.sent.wrapping_add(1);
                // CAST: usize is at most 64 bits on every target.
                let bytes = packet.len() as u64;
                self.counters.sent_bytes = self.counters.sent_bytes.wrapping_add(bytes);
                Code::Ok
            }
            Err(error) => {
                self.counters.refused = self.counters.refused.wrapping_add(1);
                error.into()
            }
        }
    }

    /// Writes all of them or none; of the first that cannot be sent the error has the place.
    pub(crate) fn write_batch(&mut self, packets: &[Packet<'_>]) -> Result<(), (usize, Code)> {
        let Some(tx) = &mut self.tx else {
            return Err((0, Code::NoOutput));
        };
        // CAST: usize is at most 64 bits on every target, here and below.
        let count = packets.len() as u64;
        match tx.write_batch(packets) {
            Ok(()) => {
                let bytes = packets.iter().map(|packet| packet.len() as u64);
                let bytes = bytes.fold(0u64, u64::wrapping_add);
                self.counters.sent = self.counters.sent.wrapping_add(count);
                self.counters.sent_bytes = self.counters.sent_bytes.wrapping_add(bytes);
                Ok(())
            }
            Err(error) => {
                self.counters.refused = self.counters.refused.wrapping_add(count);
                Err((error.index, error.error.into()))
            }
        }
    }

    /// Takes at most one frame.
    #[inline]
    pub(crate) fn receive(&mut self, room: &mut Room) -> (frame::Frame, Code) {
        let Some(rx) = &mut self.rx else {
            return (frame::Frame::default(), Code::NoInput);
        };
        let received = rx.receive(room);
        let outcome = match received {
            Received::Frame(frame) => (self.arrived(frame, room), Code::Ok),
            other => {
                let said = self.explain(other);
                (said.into(), said.code)
            }
        };
        self.greet();
        outcome
    }

    /// Takes up to `N` frames, no more than there are arrivals.
    pub(crate) fn receive_burst<const N: usize>(
        &mut self,
        arrivals: &mut Array<frame::Arrival>,
    ) -> (frame::Burst, Code) {
        let mut rooms: [_; N] = core::array::from_fn(|_| link::Arrival::new(Room::NONE));
        for (index, room) in rooms.iter_mut().take(arrivals.count()).enumerate() {
            match arrivals.room(index) {
                Ok(given) => room.sink = given,
                Err(code) => return (frame::Burst::default(), code),
            }
        }
        let Some(rx) = &mut self.rx else {
            return (frame::Burst::default(), Code::NoInput);
        };
        let rooms = rooms.get_mut(..arrivals.count()).unwrap_or_default();
        let read = rx.receive_burst(rooms);
        let (burst, code) = match read {
            Read::Taken(channel::Burst { taken, lost }) => {
                // CAST: usize is at most 64 bits on every target.
                self.lost(lost as u64);
                let burst = frame::Burst {
                    taken,
                    lost,
                    ..frame::Burst::default()
                };
                (burst, Code::Ok)
            }
            other => {
                let said = self.explain(match other {
                    Read::Taken(_) | Read::Empty => Received::Empty,
                    Read::Inactive => Received::Inactive,
                    Read::NewEpoch { epoch } => Received::NewEpoch { epoch },
                    Read::Overrun { lost } => Received::Overrun { lost },
                    Read::Faulty(fault) => Received::Faulty(fault),
                });
                (said.into(), said.code)
            }
        };
        for (index, room) in rooms.iter().enumerate() {
            let (frame, result) = match room.result {
                Some(Ok(frame)) => (self.arrived(frame, &room.sink), Code::Ok),
                Some(Err(reject)) => {
                    let said = self.rejected(reject);
                    (said.into(), said.code)
                }
                None if index < burst.lost => (frame::Frame::default(), Code::Overrun),
                None => (frame::Frame::default(), Code::Empty),
            };
            arrivals.put(index, frame, result);
        }
        self.greet();
        (burst, code)
    }

    #[inline]
    fn arrived(&mut self, frame: muennet_core::framing::Frame, room: &Room) -> frame::Frame {
        self.counters.received = self.counters.received.wrapping_add(1);
        // CAST: usize is at most 64 bits on every target.
        let bytes = frame.len as u64;
        self.counters.received_bytes = self.counters.received_bytes.wrapping_add(bytes);
        let protocol = match self.framing {
            // The core has seen to it that the version is one of these.
            Dynamic::NetHdr(_) if room.first() >> 4 == 4 => 4,
            Dynamic::NetHdr(_) => 41,
            Dynamic::Raw(_) | Dynamic::Ethernet(_) => 0,
        };
        frame::Frame {
            length: frame.len,
            mark: frame.meta.mark,
            protocol,
            found: 0,
            expected: 0,
        }
    }

    fn rejected(&mut self, reject: Reject) -> Said {
        self.counters.rejected = self.counters.rejected.wrapping_add(1);
        reject.into()
    }

    fn lost(&mut self, lost: u64) {
        // The number is the peer's word.
        self.counters.lost = self.counters.lost.saturating_add(lost);
    }

    /// Counts what is no frame.
    #[cold]
    fn explain(&mut self, received: Received) -> Said {
        match received {
            Received::Frame(_) => Code::Ok.into(),
            Received::Empty => Code::Empty.into(),
            Received::Inactive => Code::Inactive.into(),
            Received::NewEpoch { epoch } => {
                self.counters.epochs = self.counters.epochs.wrapping_add(1);
                Said::new(Code::NewEpoch, epoch, 0)
            }
            Received::Overrun { lost } => {
                self.lost(lost);
                Said::new(Code::Overrun, lost, 0)
            }
            Received::Rejected(reject) => self.rejected(reject),
            Received::Faulty(fault) => fault.into(),
        }
    }

    pub(crate) fn pending(&self) -> Code {
        match &self.rx {
            Some(rx) if rx.has_pending() => Code::Ok,
            Some(_) => Code::Empty,
            None => Code::NoInput,
        }
    }

    pub(crate) fn peer(&mut self) -> Said {
        let Some(rx) = &mut self.rx else {
            return Code::NoInput.into();
        };
        let peer = rx.peer();
        self.greet();
        peer.into()
    }

    pub(crate) fn counters(&self) -> Counters {
        Counters {
            skipped: self.rx.as_ref().map_or(0, Receiver::skipped),
            ..self.counters
        }
    }

    pub(crate) fn info(&self) -> Info {
        let max_frame = self.framing.max_frame();
        let output = self.tx.as_ref().map(Sender::geometry);
        let input = self.rx.as_ref().and_then(Receiver::geometry);
        let epoch = self.tx.as_ref().and_then(Sender::epoch);
        Info {
            max_frame,
            room: input.map_or(max_frame, |input| {
                input
                    .element_size()
                    .clamp(max_frame, muennet_core::framing::LONGEST.max(max_frame))
            }),
            output_elements: output.map_or(0, |output| output.elements()),
            output_element_size: output.map_or(0, |output| output.element_size()),
            output_epoch: epoch.map_or(0, NonZeroU64::get),
            input_elements: input.map_or(0, |input| input.elements()),
            input_element_size: input.map_or(0, |input| input.element_size()),
        }
    }
}
