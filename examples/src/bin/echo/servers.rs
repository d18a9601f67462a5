// SPDX-License-Identifier: MIT OR Apache-2.0
//! TCP and UDP echo (RFC 862).

use smoltcp::{
    iface::{SocketHandle, SocketSet},
    socket::{tcp, udp},
};

/// The echo service.
pub const PORT: u16 = 7;

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
            busy |= echo_stream(sockets.get_mut::<tcp::Socket<'_>>(*handle));
        }
        busy | echo_datagrams(sockets.get_mut::<udp::Socket<'_>>(self.udp))
    }
}

fn echo_stream(socket: &mut tcp::Socket<'_>) -> bool {
    if !socket.is_open() {
        // The port is not 0 and the socket not open, so listening cannot fail.
        let _ = socket.listen(PORT);
        return false;
    }
    let mut busy = false;
    while socket.can_recv() && socket.can_send() {
        let room = socket.send_capacity() - socket.send_queue();
        let mut chunk = [0; 4096];
        let len = room.min(chunk.len());
        match socket.recv_slice(&mut chunk[..len]) {
            Ok(len) if len > 0 && socket.send_slice(&chunk[..len]).is_ok() => busy = true,
            _ => break,
        }
    }
    if socket.may_send() && !socket.may_recv() && !socket.can_recv() && socket.is_active() {
        let ended = !matches!(
            socket.state(),
            tcp::State::SynReceived | tcp::State::SynSent
        );
        if ended {
            // The other side has said all, and so have we.
            socket.close();
            busy = true;
        }
    }
    busy
}

fn echo_datagrams(socket: &mut udp::Socket<'_>) -> bool {
    if !socket.is_open() {
        // The port is not 0 and the socket not open, so binding cannot fail.
        let _ = socket.bind(PORT);
    }
    let mut busy = false;
    while socket.can_send() {
        let mut datagram = [0; 2048];
        let Ok((len, from)) = socket.recv_slice(&mut datagram) else {
            break;
        };
        busy |= socket.send_slice(&datagram[..len], from.endpoint).is_ok();
    }
    busy
}
