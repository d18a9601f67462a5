// SPDX-License-Identifier: MIT OR Apache-2.0
//! One TCP connection of smoltcp as fast as it goes, over any device.

use crate::ended::Ended;
use anyhow::{ensure, Result};
use smoltcp::{
    iface::{Config, Interface, SocketSet},
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

/// Receives `bytes` and gives the time from the connection to the last byte, or sends
/// them until `ended` says that all came. The bytes are neither made nor looked at:
/// what counts is the way.
pub fn transfer<D: Device>(
    device: &mut D,
    side: Side,
    bytes: u64,
    ended: &mut Ended<'_>,
    mut flush: impl FnMut(&mut D),
) -> Result<Duration> {
    let start = Clock::now();
    let limit = Instant::now() + PATIENCE.into();
    let address = EthernetAddress([2, 0, 0, 0, 0, side.number()]);
    let mut config = Config::new(address.into());
    config.random_seed = muennet_host::epoch::random().get();
    let mut interface = Interface::new(config, device, Instant::now());
    interface.update_ip_addrs(|addresses| {
        // The list of a fresh interface has room for one.
        let _ = addresses.push(IpCidr::new(IpAddress::v4(10, 0, 0, side.number()), 24));
    });
    let mut sockets = SocketSet::new(Vec::new());
    let buffer = || tcp::SocketBuffer::new(vec![0; BUFFER]);
    let handle = sockets.add(tcp::Socket::new(buffer(), buffer()));
    match side {
        Side::Receives => sockets.get_mut::<tcp::Socket<'_>>(handle).listen(PORT)?,
        Side::Sends => sockets.get_mut::<tcp::Socket<'_>>(handle).connect(
            interface.context(),
            (IpAddress::v4(10, 0, 0, 2), PORT),
            49152,
        )?,
    }
    let (mut done, mut connected) = (0u64, None);
    loop {
        let now = Instant::now();
        interface.poll(now, device, &mut sockets);
        flush(device);
        let socket = sockets.get_mut::<tcp::Socket<'_>>(handle);
        if connected.is_none() && socket.may_send() {
            connected = Some(Clock::now());
        }
        match side {
            Side::Sends if socket.can_send() && done < bytes => {
                let left = bytes - done;
                done += socket.send(|room| {
                    // CAST: at most the room's length.
                    let len = left.min(room.len() as u64) as usize;
                    (len, len as u64)
                })?;
                if done == bytes {
                    socket.close();
                }
            }
            Side::Receives if socket.can_recv() => {
                done += socket.recv(|data| (data.len(), data.len() as u64))?;
                if let Some(connected) = connected.filter(|_| done >= bytes) {
                    let took = connected.elapsed();
                    ensure!(done == bytes, "{done} bytes came where {bytes} were sent");
                    return Ok(took);
                }
            }
            _ => {}
        }
        if side == Side::Sends && ended.is_so() {
            ensure!(done == bytes, "{done} of {bytes} bytes were sent");
            return Ok(start.elapsed());
        }
        ensure!(
            now < limit,
            "{done} of {bytes} bytes in {PATIENCE:?}, then patience ended"
        );
    }
}
