// SPDX-License-Identifier: MIT OR Apache-2.0
//! TCP and UDP echo (RFC 862).

use muennet_servers::echo;
use smoltcp::{
    iface::{SocketHandle, SocketSet},
    socket::{tcp, udp},
};

/// Connections that are served at a time.
const CONNECTIONS: usize = 8;
/// Bytes of each buffer of a connection.
const BUFFER: usize = 64 * 1024;

/// The servers' sockets.
pub struct Servers {
    tcp: Vec<SocketHandle>,
    udp: SocketHandle,
}

impl Servers {
    /// Opens them.
    pub fn new(sockets: &mut SocketSet<'_>) -> Self {
        let tcp = (0..CONNECTIONS)
            .map(|_| {
                let buffer = || tcp::SocketBuffer::new(vec![0; BUFFER]);
                sockets.add(tcp::Socket::new(buffer(), buffer()))
            })
            .collect();
        let buffer =
            || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 64], vec![0; BUFFER]);
        let udp = sockets.add(udp::Socket::new(buffer(), buffer()));
        Self { tcp, udp }
    }

    /// Sends back what came; true if there is something to send.
    pub fn serve(&mut self, sockets: &mut SocketSet<'_>) -> bool {
        let mut busy = false;
        for handle in &self.tcp {
            busy |= echo::stream(sockets.get_mut(*handle));
        }
        busy | echo::datagrams(sockets.get_mut(self.udp))
    }
}
