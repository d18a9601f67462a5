// SPDX-License-Identifier: MIT OR Apache-2.0
//! A component with two links, each an interface of its own: what comes on the left
//! as a datagram goes on to the right, and back. The ends are here too:
//!
//! ```sh
//! cargo run -p muennet-components --bin two_links
//! ```
//!
//! One is Ethernet, the other IP with marks, as a policy may well have it.

use anyhow::{ensure, Result};
use muennet_components::{Node, PROTOCOL};
use muennet_core::framing::{Ethernet, NetHdr};
use muennet_host::{epoch, in_process::links};
use smoltcp::{
    iface::SocketHandle,
    socket::udp,
    time::Instant,
    wire::{IpAddress, IpCidr, IpEndpoint},
};
use smoltcp_device::StackFraming;

const PORT: u16 = 5000;
/// Bytes of a channel.
const CHANNEL: usize = 1 << 18;
/// Datagrams that go through.
const DATAGRAMS: usize = 500;
/// Polls after which one is missed.
const PATIENCE: usize = 10_000;

fn address(net: u8, host: u8) -> IpAddress {
    IpAddress::v4(10, 0, net, host)
}

/// An interface and a UDP socket on `PORT`.
struct End<F: StackFraming> {
    node: Node<F, ()>,
    socket: SocketHandle,
}

impl<F: StackFraming> End<F> {
    fn new(link: muennet_host::in_process::HostLink<F, ()>, at: IpAddress) -> Result<Self> {
        let mut node = Node::new(link, &[IpCidr::new(at, 24)], epoch::random().get());
        let socket = node.udp();
        node.sockets.get_mut::<udp::Socket<'_>>(socket).bind(PORT)?;
        Ok(Self { node, socket })
    }

    fn send(&mut self, bytes: &[u8], to: IpAddress) -> Result<()> {
        let to = IpEndpoint::new(to, PORT);
        let socket: &mut udp::Socket<'_> = self.node.sockets.get_mut(self.socket);
        Ok(socket.send_slice(bytes, to)?)
    }

    fn receive(&mut self) -> Option<Vec<u8>> {
        self.node.poll(Instant::now());
        let socket: &mut udp::Socket<'_> = self.node.sockets.get_mut(self.socket);
        socket.recv().ok().map(|(bytes, _)| bytes.to_vec())
    }
}

fn main() -> Result<()> {
    let (left, to_left) = links(CHANNEL, PROTOCOL, Ethernet::new(1500)?, ((), ()))?;
    let (right, to_right) = links(CHANNEL, PROTOCOL, NetHdr::new(1500)?, ((), ()))?;
    let mut left = End::new(left, address(1, 1))?;
    let mut right = End::new(right, address(2, 1))?;
    // The component: one device for each link, each with its own buffers and counters.
    let mut to_left = End::new(to_left, address(1, 2))?;
    let mut to_right = End::new(to_right, address(2, 2))?;
    to_right.node.device.set_mark(7);

    for number in 0..DATAGRAMS {
        let question: Vec<u8> = (0..=number).map(|at| (at * 31 + number) as u8).collect();
        left.send(&question, address(1, 2))?;
        let mut answer = None;
        for _ in 0..PATIENCE {
            if let Some(bytes) = to_left.receive() {
                to_right.send(&bytes, address(2, 1))?;
            }
            if let Some(bytes) = to_right.receive() {
                to_left.send(&bytes, address(1, 1))?;
            }
            if let Some(bytes) = right.receive() {
                right.send(&bytes, address(2, 2))?;
            }
            answer = left.receive();
            if answer.is_some() {
                break;
            }
        }
        ensure!(
            answer.as_ref() == Some(&question),
            "datagram {number} got lost"
        );
    }
    let (a, b) = (
        to_left.node.device.counters(),
        to_right.node.device.counters(),
    );
    println!(
        "two_links: {DATAGRAMS} datagrams through and back; left {} in, {} out, right {} in, {} out",
        a.received, a.sent, b.received, b.sent
    );
    Ok(())
}
