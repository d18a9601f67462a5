// SPDX-License-Identifier: MIT OR Apache-2.0
//! The limit: smoltcp in one process, over a queue that moves frames without copying
//! them. Buffers go back by a queue of their own, so that nothing is
//! allocated on the way.

use rtrb::{Consumer, Producer, RingBuffer};
use smoltcp::{
    phy::{self, DeviceCapabilities, Medium},
    time::Instant,
};

const FRAME: usize = 1514;

/// One end of a pair of queues.
#[derive(Debug)]
pub struct Queue {
    rx: Consumer<Vec<u8>>,
    rx_empty: Producer<Vec<u8>>,
    tx: Producer<Vec<u8>>,
    tx_empty: Consumer<Vec<u8>>,
}

/// Two ends of queues that hold `frames`.
pub fn pair(frames: usize) -> (Queue, Queue) {
    let queue = || {
        let (mut empty, taken) = RingBuffer::new(frames);
        while empty.push(vec![0; FRAME]).is_ok() {}
        (RingBuffer::new(frames), (empty, taken))
    };
    let ((ab_in, ab_out), (ab_empty, ab_taken)) = queue();
    let ((ba_in, ba_out), (ba_empty, ba_taken)) = queue();
    (
        Queue {
            rx: ba_out,
            rx_empty: ba_empty,
            tx: ab_in,
            tx_empty: ab_taken,
        },
        Queue {
            rx: ab_out,
            rx_empty: ab_empty,
            tx: ba_in,
            tx_empty: ba_taken,
        },
    )
}

/// A received frame.
#[derive(Debug)]
pub struct RxToken<'a> {
    rx: &'a mut Consumer<Vec<u8>>,
    empty: &'a mut Producer<Vec<u8>>,
}

impl phy::RxToken for RxToken<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, take: F) -> R {
        let frame = self.rx.pop().unwrap_or_default();
        let result = take(&frame);
        // There are no more buffers than fit.
        let _ = self.empty.push(frame);
        result
    }
}

/// Room for a frame.
#[derive(Debug)]
pub struct TxToken<'a> {
    empty: &'a mut Consumer<Vec<u8>>,
    tx: &'a mut Producer<Vec<u8>>,
}

impl phy::TxToken for TxToken<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, build: F) -> R {
        let mut frame = self.empty.pop().unwrap_or_default();
        frame.resize(len, 0);
        let result = build(&mut frame);
        // There are no more buffers than fit.
        let _ = self.tx.push(frame);
        result
    }
}

impl phy::Device for Queue {
    type RxToken<'a> = RxToken<'a>;
    type TxToken<'a> = TxToken<'a>;

    fn receive(&mut self, now: Instant) -> Option<(RxToken<'_>, TxToken<'_>)> {
        if self.rx.is_empty() || self.tx_empty.is_empty() {
            return None;
        }
        let _ = now;
        Some((
            RxToken {
                rx: &mut self.rx,
                empty: &mut self.rx_empty,
            },
            TxToken {
                empty: &mut self.tx_empty,
                tx: &mut self.tx,
            },
        ))
    }

    fn transmit(&mut self, now: Instant) -> Option<TxToken<'_>> {
        let _ = now;
        (!self.tx_empty.is_empty()).then_some(TxToken {
            empty: &mut self.tx_empty,
            tx: &mut self.tx,
        })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = FRAME;
        capabilities
    }
}
