// SPDX-License-Identifier: MIT OR Apache-2.0
//! The sockets of the servers, and where their buffers are.

use muennet_servers::{echo, http, iperf3};
use smoltcp::{
    iface::{SocketHandle, SocketSet, SocketStorage},
    socket::{tcp, udp},
    time::Instant,
    wire::IpEndpoint,
};
use static_cell::ConstStaticCell;

/// Connections that are served at a time: echo, HTTP, iperf3.
const ECHO: usize = 4;
const HTTP: usize = 2;
const IPERF3: usize = iperf3::CONNECTIONS;
/// Bytes of each buffer of an echo connection, and of iperf3.
const STREAM_BUFFER: usize = 64 * 1024;
/// Bytes of the buffers of an HTTP connection: a request, a page with its header.
const REQUEST: usize = 1024;
const ANSWER: usize = http::PAGE + 256;
/// Datagrams that wait at most, and their bytes.
const DATAGRAMS: usize = 32;
const DATAGRAM_BUFFER: usize = 64 * 1024;
/// All sockets.
const SOCKETS: usize = CONNECTIONS + 1;
/// Those for connections.
const CONNECTIONS: usize = ECHO + HTTP + IPERF3;

/// All zero at first, so that they take no room in the image.
struct Buffers {
    echo: [[[u8; STREAM_BUFFER]; 2]; ECHO],
    iperf3: [[[u8; STREAM_BUFFER]; 2]; IPERF3],
    request: [[u8; REQUEST]; HTTP],
    answer: [[u8; ANSWER]; HTTP],
    datagrams: [[u8; DATAGRAM_BUFFER]; 2],
}

static BUFFERS: ConstStaticCell<Buffers> = ConstStaticCell::new(Buffers {
    echo: [[[0; STREAM_BUFFER]; 2]; ECHO],
    iperf3: [[[0; STREAM_BUFFER]; 2]; IPERF3],
    request: [[0; REQUEST]; HTTP],
    answer: [[0; ANSWER]; HTTP],
    datagrams: [[0; DATAGRAM_BUFFER]; 2],
});

struct Tables {
    metadata: [[udp::PacketMetadata; DATAGRAMS]; 2],
    sockets: [SocketStorage<'static>; SOCKETS],
}

static TABLES: ConstStaticCell<Tables> = ConstStaticCell::new(Tables {
    metadata: [[udp::PacketMetadata::EMPTY; DATAGRAMS]; 2],
    sockets: [const { SocketStorage::EMPTY }; SOCKETS],
});

/// The servers' sockets.
pub struct Servers {
    /// All sockets.
    pub set: SocketSet<'static>,
    echo: [SocketHandle; ECHO],
    http: [SocketHandle; HTTP],
    visits: [http::Visit; HTTP],
    iperf3: iperf3::Server,
    udp: SocketHandle,
}

/// Of connections over `buffers`, a receive and a send buffer each.
fn connections<const N: usize>(
    set: &mut SocketSet<'static>,
    buffers: impl IntoIterator<Item = (&'static mut [u8], &'static mut [u8])>,
) -> [SocketHandle; N] {
    let mut buffers = buffers.into_iter();
    core::array::from_fn(|_| {
        let (receive, send) = buffers.next().unwrap_or_default();
        let buffer = tcp::SocketBuffer::new;
        set.add(tcp::Socket::new(buffer(receive), buffer(send)))
    })
}

impl Servers {
    /// Makes the sockets. To be called once.
    pub fn new() -> Self {
        let Buffers {
            echo,
            iperf3,
            request,
            answer,
            datagrams,
        } = BUFFERS.take();
        let Tables { metadata, sockets } = TABLES.take();
        let mut set = SocketSet::new(&mut sockets[..]);
        let streams = |buffers: &'static mut [[[u8; STREAM_BUFFER]; 2]]| {
            buffers.iter_mut().map(|[a, b]| (&mut a[..], &mut b[..]))
        };
        let echo = connections(&mut set, streams(echo));
        let iperf3 = iperf3::Server::new(connections(&mut set, streams(iperf3)));
        let pages = request.iter_mut().zip(answer);
        let http = connections(&mut set, pages.map(|(a, b)| (&mut a[..], &mut b[..])));
        let ([datagrams_a, datagrams_b], [metadata_a, metadata_b]) = (datagrams, metadata);
        let udp = set.add(udp::Socket::new(
            udp::PacketBuffer::new(&mut metadata_a[..], &mut datagrams_a[..]),
            udp::PacketBuffer::new(&mut metadata_b[..], &mut datagrams_b[..]),
        ));
        Self {
            set,
            echo,
            http,
            visits: Default::default(),
            iperf3,
            udp,
        }
    }

    /// Sends back what came to the echo servers; true if there is something to send.
    pub fn serve_echo(&mut self) -> bool {
        let mut busy = echo::datagrams(self.set.get_mut(self.udp));
        for handle in self.echo {
            busy |= echo::stream(self.set.get_mut(handle));
        }
        busy
    }

    /// Serves iperf3; true if there is something to send.
    pub fn serve_iperf3(&mut self, now: Instant) -> bool {
        self.iperf3.serve(&mut self.set, now)
    }

    /// Answers HTTP requests; true if there is something to send.
    pub fn serve_http(
        &mut self,
        now: Instant,
        mut answer: impl FnMut(http::Request<'_>, &mut http::Page, &Clients) -> http::Status,
    ) -> bool {
        let clients = self.clients();
        let mut busy = false;
        for (visit, handle) in self.visits.iter_mut().zip(self.http) {
            busy |= visit.serve(self.set.get_mut(handle), now, |request, page| {
                answer(request, page, &clients)
            });
        }
        busy
    }

    /// The clients that are connected.
    fn clients(&self) -> Clients {
        let servers = self.echo.iter().chain(&self.http);
        let mut handles = servers.chain(self.iperf3.handles());
        Clients(core::array::from_fn(|_| {
            let socket: &tcp::Socket<'_> = self.set.get(*handles.next()?);
            Some((socket.local_endpoint()?.port, socket.remote_endpoint()?))
        }))
    }

    /// True while a page is on its way.
    #[cfg(not(platform = "virt"))]
    pub fn is_answering(&self) -> bool {
        self.http.iter().any(|handle| {
            let socket: &tcp::Socket<'_> = self.set.get(*handle);
            socket.is_active() && socket.state() != tcp::State::TimeWait
        })
    }
}

/// The connections: own port and the other end.
pub struct Clients(pub [Option<(u16, IpEndpoint)>; CONNECTIONS]);
