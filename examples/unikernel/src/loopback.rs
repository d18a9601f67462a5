// SPDX-License-Identifier: MIT OR Apache-2.0
//! The self-test: the servers, and a client that asks them over channels in this
//! program's own memory.

use crate::{
    log,
    platform::{now, Input, Output, Place},
    sockets::Servers,
};
use core::{fmt::Write, num::NonZeroU64, sync::atomic::AtomicU64};
use muennet_core::{
    framing::Ethernet,
    link::{Link, Receiver, Sender},
};
use muennet_servers::{echo, http, iperf3};
use smoltcp::{
    iface::{Config, Interface, SocketHandle, SocketSet, SocketStorage},
    socket::{icmp, tcp, udp},
    time::Instant,
    wire::{EthernetAddress, Icmpv4Packet, Icmpv4Repr, IpAddress, IpCidr, Ipv4Address},
};
use smoltcp_device::Device;
use static_cell::ConstStaticCell;

const PROTOCOL: NonZeroU64 = muennet_core::framing::SOLO5_PROTOCOL;
const SERVER: Ipv4Address = Ipv4Address::new(10, 0, 0, 2);
const CLIENT: Ipv4Address = Ipv4Address::new(10, 0, 0, 1);
/// The client's port for TCP and UDP.
const PORT: u16 = 50_000;
/// Identifier and data of the ping.
const PING: &[u8] = b"is anybody there?";
const IDENTITY: u16 = 0x4d75;
/// Bytes through TCP.
const BYTES: usize = 1 << 20;
/// The longest datagram.
const DATAGRAM: usize = 1472;
/// Microseconds that any of the checks may take.
const PATIENCE: u64 = 60_000_000;

/// Words of a channel: 128 KiB.
const WORDS: usize = 16 * 1024;

type Memory = [AtomicU64; WORDS];

static CHANNELS: [Memory; 2] = [const { [const { AtomicU64::new(0) }; WORDS] }; 2];

type Port = Device<Input, Output, Ethernet, ()>;

fn place(memory: &'static Memory) -> Option<Place> {
    let address = core::ptr::from_ref(memory).expose_provenance() as u64;
    // SAFETY: a static, whose words are atomics, and which is used here alone.
    unsafe { Place::new(address, size_of::<Memory>() as u64) }
}

/// The device that reads one channel and writes the other.
fn device(input: usize, output: usize) -> Option<Port> {
    let framing = Ethernet::new(1500).ok()?;
    let rx = Input(place(&CHANNELS[input])?);
    let tx = Output(place(&CHANNELS[output])?);
    let mut device = Device::new(Link {
        rx: Receiver::new(rx, PROTOCOL, framing).ok()?,
        tx: Sender::new(tx, PROTOCOL, framing, ()).ok()?,
    });
    device.activate(NonZeroU64::new(now() | 1)?);
    Some(device)
}

fn time() -> Instant {
    Instant::from_micros(now() as i64)
}

fn interface(device: &mut Port, address: Ipv4Address) -> Interface {
    let mac = EthernetAddress([2, 0, 0, 0, 0, address.octets()[3]]);
    let mut interface = Interface::new(Config::new(mac.into()), device, time());
    interface.update_ip_addrs(|list| {
        // The list of a fresh interface has room.
        let _ = list.push(IpCidr::new(address.into(), 24));
    });
    interface
}

struct Buffers {
    tcp: [[u8; 32 * 1024]; 2],
    udp: [[u8; 4 * 1024]; 2],
    icmp: [[u8; 256]; 2],
}

static BUFFERS: ConstStaticCell<Buffers> = ConstStaticCell::new(Buffers {
    tcp: [[0; 32 * 1024]; 2],
    udp: [[0; 4 * 1024]; 2],
    icmp: [[0; 256]; 2],
});

struct Tables {
    udp: [[udp::PacketMetadata; 4]; 2],
    icmp: [[icmp::PacketMetadata; 4]; 2],
    sockets: [SocketStorage<'static>; 3],
}

static TABLES: ConstStaticCell<Tables> = ConstStaticCell::new(Tables {
    udp: [[udp::PacketMetadata::EMPTY; 4]; 2],
    icmp: [[icmp::PacketMetadata::EMPTY; 4]; 2],
    sockets: [const { SocketStorage::EMPTY }; 3],
});

/// Both ends.
struct Ends {
    server: (Port, Interface, Servers),
    client: (Port, Interface, SocketSet<'static>),
    tcp: SocketHandle,
    udp: SocketHandle,
    icmp: SocketHandle,
}

impl Ends {
    fn new() -> Option<Self> {
        let (mut server, mut client) = (device(0, 1)?, device(1, 0)?);
        let server_interface = interface(&mut server, SERVER);
        let client_interface = interface(&mut client, CLIENT);
        let Buffers {
            tcp: [tcp_a, tcp_b],
            udp: [udp_a, udp_b],
            icmp: [icmp_a, icmp_b],
        } = BUFFERS.take();
        let Tables {
            udp: [udp_c, udp_d],
            icmp: [icmp_c, icmp_d],
            sockets,
        } = TABLES.take();
        let mut set = SocketSet::new(&mut sockets[..]);
        let tcp = set.add(tcp::Socket::new(
            tcp::SocketBuffer::new(&mut tcp_a[..]),
            tcp::SocketBuffer::new(&mut tcp_b[..]),
        ));
        let udp = set.add(udp::Socket::new(
            udp::PacketBuffer::new(&mut udp_c[..], &mut udp_a[..]),
            udp::PacketBuffer::new(&mut udp_d[..], &mut udp_b[..]),
        ));
        let icmp = set.add(icmp::Socket::new(
            icmp::PacketBuffer::new(&mut icmp_c[..], &mut icmp_a[..]),
            icmp::PacketBuffer::new(&mut icmp_d[..], &mut icmp_b[..]),
        ));
        Some(Self {
            server: (server, server_interface, Servers::new()),
            client: (client, client_interface, set),
            tcp,
            udp,
            icmp,
        })
    }

    fn poll(&mut self) {
        let (device, interface, servers) = &mut self.server;
        interface.poll(time(), device, &mut servers.set);
        servers.serve_echo();
        servers.serve_iperf3(time());
        servers.serve_http(time(), |request, page, clients| match request {
            http::Request::Get("/") => {
                let clients = clients.0.iter().flatten().count();
                // A page takes whatever is written.
                let _ = writeln!(page, "at the service of {clients}");
                http::Status::Ok
            }
            _ => http::Status::NotFound,
        });
        interface.poll(time(), device, &mut servers.set);
        let (device, interface, set) = &mut self.client;
        interface.poll(time(), device, set);
    }

    /// Polls both ends until `done`; false if that takes too long.
    fn until(&mut self, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        let start = now();
        while now() - start < PATIENCE {
            self.poll();
            if done(self) {
                return true;
            }
        }
        false
    }

    fn tcp(&mut self) -> &mut tcp::Socket<'static> {
        self.client.2.get_mut(self.tcp)
    }

    fn connect(&mut self, port: u16, from: u16) -> bool {
        let (_, interface, set) = &mut self.client;
        let socket: &mut tcp::Socket<'_> = set.get_mut(self.tcp);
        let context = interface.context();
        socket.connect(context, (SERVER, port), from).is_ok()
    }

    fn ping(&mut self) -> bool {
        let socket: &mut icmp::Socket<'_> = self.client.2.get_mut(self.icmp);
        let request = Icmpv4Repr::EchoRequest {
            ident: IDENTITY,
            seq_no: 1,
            data: PING,
        };
        let sent = socket.bind(icmp::Endpoint::Ident(IDENTITY)).is_ok()
            && socket
                .send(request.buffer_len(), SERVER.into())
                .map(|room| {
                    request.emit(&mut Icmpv4Packet::new_unchecked(room), &Default::default());
                })
                .is_ok();
        sent && self.until(|ends| {
            let socket: &mut icmp::Socket<'_> = ends.client.2.get_mut(ends.icmp);
            socket
                .recv()
                .is_ok_and(|(bytes, from)| from == IpAddress::from(SERVER) && bytes.ends_with(PING))
        })
    }

    fn datagrams(&mut self) -> bool {
        let socket: &mut udp::Socket<'_> = self.client.2.get_mut(self.udp);
        socket.bind(PORT).is_ok()
            && (1..=DATAGRAM).step_by(7).all(|len| {
                let mut datagram = [0; DATAGRAM];
                pattern(len, &mut datagram[..len]);
                let socket: &mut udp::Socket<'_> = self.client.2.get_mut(self.udp);
                let to = (IpAddress::from(SERVER), echo::PORT);
                socket.send_slice(&datagram[..len], to).is_ok()
                    && self.until(|ends| {
                        let socket: &mut udp::Socket<'_> = ends.client.2.get_mut(ends.udp);
                        socket
                            .recv()
                            .is_ok_and(|(bytes, _)| *bytes == datagram[..len])
                    })
            })
    }

    fn stream(&mut self) -> bool {
        if !self.connect(echo::PORT, PORT) {
            return false;
        }
        let (mut sent, mut received, mut good) = (0, 0, true);
        let all = self.until(|ends| {
            let socket = ends.tcp();
            if socket.can_send() && sent < BYTES {
                let room = socket.send(|room| {
                    let len = room.len().min(BYTES - sent);
                    pattern(sent, &mut room[..len]);
                    (len, len)
                });
                sent += room.unwrap_or(0);
            }
            if socket.can_recv() {
                let taken = socket.recv(|bytes| {
                    good &= bytes
                        .iter()
                        .zip(received..)
                        .all(|(byte, at)| *byte == expected(at));
                    (bytes.len(), bytes.len())
                });
                received += taken.unwrap_or(0);
            }
            if sent == BYTES && socket.send_queue() == 0 {
                socket.close();
            }
            received == BYTES && !socket.may_recv()
        });
        log!("{received} of {BYTES} bytes came back");
        all && good
    }

    fn page(&mut self) -> bool {
        self.tcp().abort();
        if !self.connect(http::PORT, PORT + 1) || !self.until(|ends| ends.tcp().can_send()) {
            return false;
        }
        let asked = self.tcp().send_slice(b"GET / HTTP/1.1\r\n\r\n").is_ok();
        let mut good = false;
        asked
            && self.until(|ends| {
                let socket = ends.tcp();
                let found = socket.recv(|bytes| {
                    let ok = bytes.starts_with(b"HTTP/1.1 200 OK\r\n");
                    (
                        bytes.len(),
                        ok && bytes.ends_with(b"\r\n\r\nat the service of 1\n"),
                    )
                });
                good |= found.unwrap_or(false);
                !socket.may_recv()
            })
            && good
    }

    /// A client whose wish iperf3's server cannot grant.
    fn iperf3(&mut self) -> bool {
        self.tcp().abort();
        if !self.connect(iperf3::PORT, PORT + 2) || !self.until(|ends| ends.tcp().can_send()) {
            return false;
        }
        let asked = [&[b'a'; 37][..], &[0, 0, 0, 12], br#"{"udp":true}"#]
            .iter()
            .all(|part| self.tcp().send_slice(part).is_ok());
        // The parameters may come; an option is not implemented.
        let expected = [9, 0xfe, 0, 0, 0, 13, 0, 0, 0, 0];
        let (mut answer, mut len) = ([0; 10], 0);
        asked
            && self.until(|ends| {
                let socket = ends.tcp();
                len += socket.recv_slice(&mut answer[len..]).unwrap_or(0);
                !socket.may_recv()
            })
            && answer == expected
    }
}

/// The byte at a place of the stream.
fn expected(at: usize) -> u8 {
    (at.wrapping_mul(0x9e37_79b9) >> 13) as u8
}

fn pattern(from: usize, bytes: &mut [u8]) {
    for (byte, at) in bytes.iter_mut().zip(from..) {
        *byte = expected(at);
    }
}

/// A check; true if it passed.
type Check = fn(&mut Ends) -> bool;

/// Runs the checks; true if all passed.
pub fn run() -> bool {
    let Some(mut ends) = Ends::new() else {
        log!("no channels");
        return false;
    };
    let checks: [(&str, Check); 5] = [
        ("ping", Ends::ping),
        ("UDP echo", Ends::datagrams),
        ("TCP echo", Ends::stream),
        ("HTTP", Ends::page),
        ("iperf3", Ends::iperf3),
    ];
    let mut passed = true;
    for (name, check) in checks {
        let good = check(&mut ends);
        log!("{name}: {}", if good { "ok" } else { "failed" });
        passed &= good;
    }
    let counters = ends.client.0.counters();
    log!(
        "{} frames sent, {} received",
        counters.sent,
        counters.received
    );
    passed
}
