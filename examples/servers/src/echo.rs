// SPDX-License-Identifier: MIT OR Apache-2.0
//! Echo (RFC 862), one call per socket and poll. Each opens its socket when it is
//! closed, and says whether there is something to send now.

use smoltcp::{
    socket::{tcp, udp},
    time::Duration,
};

/// The echo service.
pub const PORT: u16 = 7;

/// A client that has nothing to say is asked whether it is still there, so often.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// One that does not answer for so long is given up.
const PATIENCE: Duration = Duration::from_secs(90);

/// Sends back what came over a connection, and ends it when the other side does.
pub fn stream(socket: &mut tcp::Socket<'_>) -> bool {
    if !socket.is_open() {
        // A client may be gone without a word, or its last word be lost.
        socket.set_keep_alive(Some(KEEP_ALIVE));
        socket.set_timeout(Some(PATIENCE));
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
    // The other side has said all, and so have we.
    if socket.state() == tcp::State::CloseWait && !socket.can_recv() {
        socket.close();
        busy = true;
    }
    busy
}

/// Sends back the datagrams that came, each to where it came from.
pub fn datagrams(socket: &mut udp::Socket<'_>) -> bool {
    if !socket.is_open() {
        // The port is not 0 and the socket not open, so binding cannot fail.
        let _ = socket.bind(PORT);
    }
    let mut busy = false;
    while socket.can_send() {
        let mut datagram = [0; 2048];
        // The answer keeps address, and mark if there is one.
        let Ok((len, from)) = socket.recv_slice(&mut datagram) else {
            break;
        };
        busy |= socket.send_slice(&datagram[..len], from).is_ok();
    }
    busy
}
