// SPDX-License-Identifier: MIT OR Apache-2.0
//! A host whose servers and clients speak to each other over its loopback.

use smoltcp::{
    iface::{Config, Interface, SocketHandle, SocketSet},
    phy::{Loopback, Medium},
    socket::tcp,
    time::{Duration, Instant},
    wire::{EthernetAddress, IpAddress, IpCidr},
};

const ADDRESS: IpAddress = IpAddress::v4(10, 0, 0, 1);

/// The host, its sockets and its time.
pub struct Host {
    device: Loopback,
    interface: Interface,
    pub sockets: SocketSet<'static>,
    pub now: Instant,
}

impl Host {
    pub fn new() -> Self {
        let mut device = Loopback::new(Medium::Ethernet);
        let config = Config::new(EthernetAddress([2, 0, 0, 0, 0, 1]).into());
        let mut interface = Interface::new(config, &mut device, Instant::ZERO);
        interface.update_ip_addrs(|list| list.push(IpCidr::new(ADDRESS, 24)).unwrap());
        Self {
            device,
            interface,
            sockets: SocketSet::new(Vec::new()),
            now: Instant::ZERO,
        }
    }

    /// Time goes on, and frames pass.
    pub fn poll(&mut self, step: Duration) {
        self.now += step;
        self.interface
            .poll(self.now, &mut self.device, &mut self.sockets);
    }

    /// Connects a socket of this host to a port of it.
    pub fn connect(&mut self, client: SocketHandle, port: u16, from: u16) {
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(client);
        socket
            .connect(self.interface.context(), (ADDRESS, port), from)
            .unwrap();
    }
}
