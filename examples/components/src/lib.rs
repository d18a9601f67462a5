// SPDX-License-Identifier: MIT OR Apache-2.0
//! An interface with its sockets on a link, shared by the components here.

pub mod subject;

use muennet_core::{link::Link, notify::Notifier};
use muennet_host::{
    epoch,
    mapping::{Input, Output},
};
use muennet_servers::echo;
use smoltcp::{
    iface::{Config, Interface, SocketHandle, SocketSet},
    phy::{Device as _, Medium},
    socket::{tcp, udp},
    time::Instant,
    wire::{EthernetAddress, HardwareAddress, IpAddress, IpCidr},
};
use smoltcp_device::{Device, StackFraming};
use std::num::NonZeroU64;

/// Protocol of the channels: that of Solo5's unikernels.
pub const PROTOCOL: NonZeroU64 = muennet_core::framing::SOLO5_PROTOCOL;

/// The last byte of the first address: another one for each end.
fn host(addresses: &[IpCidr]) -> u8 {
    match addresses.first().map(IpCidr::address) {
        Some(IpAddress::Ipv4(address)) => address.octets()[3],
        Some(IpAddress::Ipv6(address)) => address.octets()[15],
        None => 1,
    }
}

/// An interface on a link, and sockets.
pub struct Node<F: StackFraming, N: Notifier> {
    /// The device.
    pub device: Device<Input, Output, F, N>,
    /// The interface.
    pub interface: Interface,
    /// The sockets.
    pub sockets: SocketSet<'static>,
}

impl<F: StackFraming, N: Notifier> Node<F, N> {
    /// An interface with `addresses`, active from now on; its sequence numbers and
    /// ports come from `seed`.
    pub fn new(link: Link<Input, Output, F, N>, addresses: &[IpCidr], seed: u64) -> Self {
        let mut device = Device::new(link);
        let hardware = match device.capabilities().medium {
            Medium::Ip => HardwareAddress::Ip,
            _ => EthernetAddress([2, 0, 0, 0, 0, host(addresses)]).into(),
        };
        let mut config = Config::new(hardware);
        config.random_seed = seed;
        let mut interface = Interface::new(config, &mut device, Instant::ZERO);
        interface.update_ip_addrs(|list| {
            // The list has room for two.
            let _ = addresses.iter().try_for_each(|address| list.push(*address));
        });
        device.activate(epoch::random());
        Self {
            device,
            interface,
            sockets: SocketSet::new(Vec::new()),
        }
    }

    /// A TCP socket with `buffer` bytes each way.
    pub fn tcp(&mut self, buffer: usize) -> SocketHandle {
        let buffer = || tcp::SocketBuffer::new(vec![0; buffer]);
        let mut socket = tcp::Socket::new(buffer(), buffer());
        // After a timeout smoltcp sends the whole window again; without congestion
        // control a channel shorter than all windows would lose the same part again.
        socket.set_congestion_control(tcp::CongestionControl::Reno);
        self.sockets.add(socket)
    }

    /// A UDP socket for some datagrams each way.
    pub fn udp(&mut self) -> SocketHandle {
        let buffer =
            || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 16], vec![0; 32 * 1024]);
        self.sockets.add(udp::Socket::new(buffer(), buffer()))
    }

    /// Takes and sends what there is, and rings the peer.
    pub fn poll(&mut self, now: Instant) {
        self.interface
            .poll(now, &mut self.device, &mut self.sockets);
        self.device.flush();
    }

    /// Serves echo on TCP sockets.
    pub fn echo(&mut self, handles: &[SocketHandle]) {
        for handle in handles {
            echo::stream(self.sockets.get_mut(*handle));
        }
    }
}
