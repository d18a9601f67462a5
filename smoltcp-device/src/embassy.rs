// SPDX-License-Identifier: MIT OR Apache-2.0
//! The device as a driver for embassy-net.
//!
//! The receiver of the channel's event (an interrupt handler, a task that waits)
//! rings the driver's [`Bell`], which wakes embassy-net's runner. Make the device with
//! [`Ring::EachFrame`](crate::Ring::EachFrame): embassy-net does not say when it is
//! done with a batch.

use crate::{Device, RxToken, StackFraming, TxToken};
use atomic_waker::AtomicWaker;
use core::task::Context;
use embassy_net_driver::{self as driver, Capabilities, HardwareAddress, LinkState};
use muennet_core::{
    channel::Peer,
    notify::Notifier,
    shm::{Memory, MemoryMut},
};
use smoltcp::phy::{self, Checksum, Medium};

/// Wakes a driver's task. Ring it when the input channel's event came, or, where there
/// is no event, at regular intervals.
///
/// ```
/// use muennet_core::notify::Notifier;
/// use smoltcp_device::embassy::Bell;
///
/// static BELL: Bell = Bell::new();
///
/// // In the handler of the channel's interrupt:
/// BELL.ring();
/// // As the notifier of another link of this program:
/// Notifier::notify(&BELL);
/// ```
#[derive(Debug, Default)]
pub struct Bell(AtomicWaker);

impl Bell {
    /// A bell; it can be a `static`.
    pub const fn new() -> Self {
        Self(AtomicWaker::new())
    }

    /// Wakes the task, from anywhere, interrupts included.
    pub fn ring(&self) {
        self.0.wake();
    }
}

/// Two links of one program ring each other by their bells.
impl Notifier for Bell {
    fn notify(&self) {
        self.ring();
    }
}

/// A driver for embassy-net.
///
/// ```
/// use core::num::NonZeroU64;
/// use muennet_core::framing::Ethernet;
/// use muennet_host::in_process;
/// use smoltcp_device::{embassy::{Bell, Driver}, Device};
///
/// static BELL: Bell = Bell::new();
///
/// let framing = Ethernet::new(1500)?;
/// let (link, _peer) = in_process::links(1 << 16, NonZeroU64::MIN, framing, ((), ()))?;
/// let device: Device<_, _, _, _> = Device::new(link);
/// let driver = Driver::new(device, [2, 0, 0, 0, 0, 2], &BELL);
/// // When the channel's event came:
/// BELL.ring();
/// # drop(driver);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Driver<'b, R: Memory, W: MemoryMut, F, N, const SIZE: usize = { crate::MAX_FRAME }> {
    device: Device<R, W, F, N, SIZE>,
    address: [u8; 6],
    bell: &'b Bell,
    /// The peer's epoch that the link was told to be up for.
    told: Option<u64>,
}

impl<'b, R: Memory, W: MemoryMut, F: StackFraming, N: Notifier, const SIZE: usize>
    Driver<'b, R, W, F, N, SIZE>
{
    /// Makes a driver of a device. The hardware `address` counts in Ethernet mode.
    pub fn new(device: Device<R, W, F, N, SIZE>, address: [u8; 6], bell: &'b Bell) -> Self {
        Self {
            device,
            address,
            bell,
            told: None,
        }
    }

    /// The device.
    pub fn device(&mut self) -> &mut Device<R, W, F, N, SIZE> {
        &mut self.device
    }

    /// From now on the bell wakes this task. Whatever came before is found by the
    /// look that follows.
    fn listen(&self, context: &Context<'_>) {
        self.bell.0.register(context.waker());
    }
}

impl<R: Memory, W: MemoryMut, F: StackFraming, N: Notifier, const SIZE: usize> driver::Driver
    for Driver<'_, R, W, F, N, SIZE>
{
    type RxToken<'a>
        = RxToken<'a>
    where
        Self: 'a;
    type TxToken<'a>
        = TxToken<'a, W, F, N, SIZE>
    where
        Self: 'a;

    fn receive(
        &mut self,
        context: &mut Context<'_>,
    ) -> Option<(Self::RxToken<'_>, Self::TxToken<'_>)> {
        self.listen(context);
        self.device.take()
    }

    fn transmit(&mut self, _: &mut Context<'_>) -> Option<Self::TxToken<'_>> {
        Some(self.device.send())
    }

    /// Down once between two epochs of the peer, however fast it restarts: embassy-net
    /// asks for a new address when the link comes up, and only then.
    fn link_state(&mut self, context: &mut Context<'_>) -> LinkState {
        self.listen(context);
        let epoch = match self.device.peer() {
            Peer::Up { epoch } => Some(epoch),
            Peer::Down | Peer::Faulty(_) => None,
        };
        if self.told.is_some() && epoch.is_some() && self.told != epoch {
            self.told = None;
            // It is up again at the next look, which need not wait for an event.
            context.waker().wake_by_ref();
            return LinkState::Down;
        }
        self.told = epoch;
        match epoch {
            Some(_) => LinkState::Up,
            None => LinkState::Down,
        }
    }

    fn capabilities(&self) -> Capabilities {
        let ours = phy::Device::capabilities(&self.device);
        let mut theirs = Capabilities::default();
        theirs.max_transmission_unit = ours.max_transmission_unit;
        theirs.max_burst_size = ours.max_burst_size;
        theirs.checksum.ipv4 = checksum(ours.checksum.ipv4);
        theirs.checksum.udp = checksum(ours.checksum.udp);
        theirs.checksum.tcp = checksum(ours.checksum.tcp);
        theirs.checksum.icmpv4 = checksum(ours.checksum.icmpv4);
        theirs
    }

    fn hardware_address(&self) -> HardwareAddress {
        match self.device.framing().medium() {
            Medium::Ip => HardwareAddress::Ip,
            _ => HardwareAddress::Ethernet(self.address),
        }
    }
}

fn checksum(ours: Checksum) -> driver::Checksum {
    match ours {
        Checksum::Both => driver::Checksum::Both,
        Checksum::Rx => driver::Checksum::Rx,
        Checksum::Tx => driver::Checksum::Tx,
        Checksum::None => driver::Checksum::None,
    }
}

impl driver::RxToken for RxToken<'_> {
    fn consume<T, F>(self, take: F) -> T
    where
        F: FnOnce(&mut [u8]) -> T,
    {
        self.consume_mut(take)
    }
}

impl<W: MemoryMut, F: StackFraming, N: Notifier, const SIZE: usize> driver::TxToken
    for TxToken<'_, W, F, N, SIZE>
{
    fn consume<T, B>(self, len: usize, build: B) -> T
    where
        B: FnOnce(&mut [u8]) -> T,
    {
        phy::TxToken::consume(self, len, build)
    }
}
