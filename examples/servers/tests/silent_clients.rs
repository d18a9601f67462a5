// SPDX-License-Identifier: MIT OR Apache-2.0
//! Clients that say nothing, or are gone without a word, do not keep a server's sockets.

mod host;

use host::Host;
use muennet_servers::{echo, http};
use smoltcp::{
    iface::SocketHandle,
    socket::tcp,
    time::{Duration, Instant},
};

/// A server's socket and a client's, on one host.
struct World {
    host: Host,
    server: SocketHandle,
    client: SocketHandle,
}

impl World {
    fn new() -> Self {
        let mut host = Host::new();
        let buffer = || tcp::SocketBuffer::new(vec![0; 4096]);
        let [server, client] =
            [(); 2].map(|()| host.sockets.add(tcp::Socket::new(buffer(), buffer())));
        Self {
            host,
            server,
            client,
        }
    }

    /// Lets seconds pass in which the server serves.
    fn pass(&mut self, seconds: u64, mut serve: impl FnMut(&mut tcp::Socket<'_>, Instant)) {
        let end = self.host.now + Duration::from_secs(seconds);
        while self.host.now < end {
            self.host.poll(Duration::from_millis(10));
            serve(self.host.sockets.get_mut(self.server), self.host.now);
        }
    }

    fn connect(&mut self, port: u16) {
        self.host.connect(self.client, port, 50_000);
    }

    fn server_state(&self) -> tcp::State {
        self.host
            .sockets
            .get::<tcp::Socket<'_>>(self.server)
            .state()
    }
}

#[test]
fn an_echo_client_that_vanished_is_given_up() {
    let mut world = World::new();
    let serve = |socket: &mut tcp::Socket<'_>, _| {
        echo::stream(socket);
    };
    world.pass(1, serve);
    world.connect(echo::PORT);
    world.pass(1, serve);
    assert_eq!(world.server_state(), tcp::State::Established);
    // It is not there any more, and nobody said so.
    world.host.sockets.remove(world.client);
    world.pass(120, serve);
    assert_eq!(world.server_state(), tcp::State::Listen);
}

#[test]
fn an_echo_client_may_be_silent() {
    let mut world = World::new();
    let serve = |socket: &mut tcp::Socket<'_>, _| {
        echo::stream(socket);
    };
    world.pass(1, serve);
    world.connect(echo::PORT);
    world.pass(600, serve);
    assert_eq!(world.server_state(), tcp::State::Established);
}

#[test]
fn a_reader_of_pages_asks_or_leaves() {
    let mut world = World::new();
    let mut visit = http::Visit::default();
    let mut serve = |socket: &mut tcp::Socket<'_>, now| {
        visit.serve(socket, now, |_, _| http::Status::Ok);
    };
    world.pass(1, &mut serve);
    world.connect(http::PORT);
    world.pass(1, &mut serve);
    assert_eq!(world.server_state(), tcp::State::Established);
    world.pass(20, &mut serve);
    assert_eq!(world.server_state(), tcp::State::Listen);
    // The next one is served.
    world.connect(http::PORT);
    world.pass(1, &mut serve);
    let client = world.host.sockets.get_mut::<tcp::Socket<'_>>(world.client);
    client.send_slice(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    world.pass(1, &mut serve);
    let client = world.host.sockets.get_mut::<tcp::Socket<'_>>(world.client);
    let ok = client.recv(|bytes| (bytes.len(), bytes.starts_with(b"HTTP/1.1 200 OK")));
    assert_eq!(ok, Ok(true));
}
