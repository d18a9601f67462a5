// SPDX-License-Identifier: MIT OR Apache-2.0
//! One TCP connection of smoltcp as fast as it goes, over any device.

use crate::ended::Ended;
use anyhow::{ensure, Result};
use smoltcp::{
    iface::{Config, Interface, SocketHandle, SocketSet},
    phy::Device,
    socket::tcp,
    time::Instant,
    wire::{EthernetAddress, IpAddress, IpCidr},
};
use std::time::{Duration, Instant as Clock};

/// Bytes of each buffer of a socket.
const BUFFER: usize = 256 * 1024;
const PORT: u16 = 5001;
/// No transfer takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which side this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Connects and sends.
    Sends,
    /// Listens and receives.
    Receives,
}

impl Side {
    fn number(self) -> u8 {
        match self {
            Self::Sends => 1,
            Self::Receives => 2,
        }
    }
}

/// One side of a transfer. The bytes are neither made nor looked at: what counts is
/// the way.
pub struct Transfer {
    side: Side,
    bytes: u64,
    interface: Interface,
    sockets: SocketSet<'static>,
    handle: SocketHandle,
    done: u64,
    connected: Option<Clock>,
    limit: Instant,
}

impl Transfer {
    /// Connects over `device` to send `bytes`, or listens to receive them.
    pub fn new<D: Device>(device: &mut D, side: Side, bytes: u64) -> Result<Self> {
        let now = Instant::now();
        let address = EthernetAddress([2, 0, 0, 0, 0, side.number()]);
        let mut config = Config::new(address.into());
        config.random_seed = muennet_host::epoch::random().get();
        let mut interface = Interface::new(config, device, now);
        interface.update_ip_addrs(|addresses| {
            // The list of a fresh interface has room for one.
            let _ = addresses.push(IpCidr::new(IpAddress::v4(10, 0, 0, side.number()), 24));
        });
        let mut sockets = SocketSet::new(Vec::new());
        let buffer = || tcp::SocketBuffer::new(vec![0; BUFFER]);
        let handle = sockets.add(tcp::Socket::new(buffer(), buffer()));
        let socket = sockets.get_mut::<tcp::Socket<'_>>(handle);
        match side {
            Side::Receives => socket.listen(PORT)?,
            Side::Sends => {
                let server = (IpAddress::v4(10, 0, 0, 2), PORT);
                socket.connect(interface.context(), server, 49152)?;
            }
        }
        Ok(Self {
            side,
            bytes,
            interface,
            sockets,
            handle,
            done: 0,
            connected: None,
            limit: now + PATIENCE.into(),
        })
    }

    /// Does what there is to do; when all bytes came, gives the time from the
    /// connection to the last one.
    #[inline]
    pub fn step<D: Device>(
        &mut self,
        device: &mut D,
        flush: impl FnOnce(&mut D),
    ) -> Result<Option<Duration>> {
        let now = Instant::now();
        self.interface.poll(now, device, &mut self.sockets);
        flush(device);
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(self.handle);
        if self.connected.is_none() && socket.may_send() {
            self.connected = Some(Clock::now());
        }
        let left = self.bytes - self.done;
        match self.side {
            Side::Sends if left > 0 && socket.can_send() => {
                self.done += socket.send(|room| {
                    // CAST: at most the room's length.
                    let len = left.min(room.len() as u64) as usize;
                    (len, len as u64)
                })?;
            }
            Side::Receives if socket.can_recv() => {
                let came = socket.recv(|data| (data.len(), data.len() as u64))?;
                ensure!(came <= left, "more bytes came than were sent");
                self.done += came;
                if self.done == self.bytes {
                    return Ok(self.connected.map(|connected| connected.elapsed()));
                }
            }
            _ => {}
        }
        ensure!(
            now < self.limit,
            "{} of {} bytes in {PATIENCE:?}, then patience ended",
            self.done,
            self.bytes
        );
        Ok(None)
    }
}

/// One side on a core of its own: receives and gives the time it took, or sends until
/// `ended` says that all came.
pub fn transfer<D: Device>(
    device: &mut D,
    side: Side,
    bytes: u64,
    ended: &mut Ended<'_>,
    mut flush: impl FnMut(&mut D),
) -> Result<Duration> {
    let start = Clock::now();
    let mut transfer = Transfer::new(device, side, bytes)?;
    loop {
        if let Some(took) = transfer.step(device, &mut flush)? {
            return Ok(took);
        }
        if side == Side::Sends && ended.is_so() {
            return Ok(start.elapsed());
        }
    }
}
