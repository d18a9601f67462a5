// SPDX-License-Identifier: MIT OR Apache-2.0
//! The socket of generic netlink.

use netlink_sys::{protocols::NETLINK_GENERIC, SocketAddr};
use std::io;

/// The other end of a [`Client`](crate::client::Client): datagrams to the kernel and from it.
pub trait Kernel {
    /// Sends a datagram.
    fn send(&mut self, datagram: &[u8]) -> io::Result<()>;
    /// Waits for a datagram of the kernel's.
    fn receive(&mut self) -> io::Result<Vec<u8>>;
}

/// A socket whose errors carry the kernel's words.
#[derive(Debug)]
pub struct Socket(netlink_sys::Socket);

impl Socket {
    /// Opens it.
    pub fn open() -> io::Result<Self> {
        let mut socket = netlink_sys::Socket::new(NETLINK_GENERIC)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        socket.set_ext_ack(true)?;
        socket.set_cap_ack(true)?;
        Ok(Self(socket))
    }
}

impl Kernel for Socket {
    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        self.0.send(datagram, 0).map(drop)
    }

    fn receive(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let (datagram, sender) = self.0.recv_from_full()?;
            // Other processes may write to this socket, too.
            if sender.port_number() == 0 {
                return Ok(datagram);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request to the controller of generic netlink for its own family.
    const GET_FAMILY: [u8; 28] = [
        28, 0, 0, 0, 16, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, // header of a request
        3, 1, 0, 0, // CTRL_CMD_GETFAMILY
        6, 0, 1, 0, 16, 0, 0, 0, // CTRL_ATTR_FAMILY_ID
    ];

    #[test]
    #[cfg(target_endian = "little")]
    fn only_the_kernel_is_heard() {
        let mut socket = Socket::open().unwrap();
        let mut own = SocketAddr::new(0, 0);
        socket.0.get_address(&mut own).unwrap();
        let stranger = netlink_sys::Socket::new(NETLINK_GENERIC).unwrap();
        // A stranger without rights is refused by Linux itself.
        let _ = stranger.send_to(b"a stranger's word", &own, 0);
        socket.send(&GET_FAMILY).unwrap();
        let answer = socket.receive().unwrap();
        assert!(answer.windows(6).any(|bytes| bytes == b"nlctrl"));
    }
}
