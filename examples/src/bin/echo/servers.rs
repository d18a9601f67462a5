// SPDX-License-Identifier: MIT OR Apache-2.0
//! TCP and UDP echo (RFC 862), and iperf3.

use muennet_servers::{echo, iperf3};
use smoltcp::{
    iface::{SocketHandle, SocketSet},
    socket::{tcp, udp},
    time::Instant,
};

/// Connections that are served at a time.
const CONNECTIONS: usize = 8;
/// Bytes of each buffer of a connection.
const BUFFER: usize = 64 * 1024;

/// The servers' sockets.
pub struct Servers {
    tcp: Vec<SocketHandle>,
    udp: SocketHandle,
    iperf3: iperf3::Server,
}

impl Servers {
    /// Opens them.
    pub fn new(sockets: &mut SocketSet<'_>) -> Self {
        let mut connection = || {
            let buffer = || tcp::SocketBuffer::new(vec![0; BUFFER]);
            sockets.add(tcp::Socket::new(buffer(), buffer()))
        };
        let tcp = (0..CONNECTIONS).map(|_| connection()).collect();
        let iperf3 = iperf3::Server::new(std::array::from_fn(|_| connection()));
        let buffer =
            || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 64], vec![0; BUFFER]);
        let udp = sockets.add(udp::Socket::new(buffer(), buffer()));
        Self { tcp, udp, iperf3 }
    }

    /// Answers what came; true if there is something to send.
    pub fn serve(&mut self, sockets: &mut SocketSet<'_>) -> bool {
        let mut busy = self.iperf3.serve(sockets, Instant::now());
        for handle in &self.tcp {
            busy |= echo::stream(sockets.get_mut(*handle));
        }
        busy | echo::datagrams(sockets.get_mut(self.udp))
    }
}
