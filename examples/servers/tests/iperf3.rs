// SPDX-License-Identifier: MIT OR Apache-2.0
//! iperf3's server on sockets: clients that behave, and such that do not.

mod host;

use host::Host;
use muennet_servers::iperf3::{Server, CONNECTIONS, PORT};
use smoltcp::{iface::SocketHandle, socket::tcp, time::Duration};

const COOKIE: [u8; 37] = [b'a'; 37];
const BUSY: &[u8] = &[0xff];

/// The server and all its clients, on one host.
struct World {
    host: Host,
    server: Server,
    ports: u16,
}

impl World {
    fn new() -> Self {
        let mut host = Host::new();
        let server = Server::new([(); CONNECTIONS].map(|()| host.sockets.add(socket())));
        let mut world = Self {
            host,
            server,
            ports: 50_000,
        };
        world.pass(10);
        world
    }

    /// Lets milliseconds pass.
    fn pass(&mut self, milliseconds: u64) {
        let step = Duration::from_millis(1 + milliseconds / 50);
        let end = self.host.now + Duration::from_millis(milliseconds);
        while self.host.now < end {
            for step in [step, Duration::ZERO, Duration::ZERO, Duration::ZERO] {
                self.host.poll(step);
                self.server.serve(&mut self.host.sockets, self.host.now);
            }
        }
    }

    fn connect(&mut self) -> SocketHandle {
        let handle = self.host.sockets.add(socket());
        self.ports += 1;
        self.host.connect(handle, PORT, self.ports);
        self.pass(20);
        handle
    }

    fn socket(&mut self, handle: SocketHandle) -> &mut tcp::Socket<'static> {
        self.host.sockets.get_mut(handle)
    }

    fn say(&mut self, handle: SocketHandle, bytes: &[u8]) {
        let sent = self.socket(handle).send_slice(bytes);
        assert_eq!(sent, Ok(bytes.len()));
        self.pass(20);
    }

    /// Bytes that came within some milliseconds.
    fn heard(&mut self, handle: SocketHandle) -> Vec<u8> {
        self.pass(20);
        let mut bytes = vec![0; 1 << 16];
        let len = self.socket(handle).recv_slice(&mut bytes).unwrap_or(0);
        bytes.truncate(len);
        bytes
    }

    /// A test of these parameters: its control connection.
    fn ask(&mut self, parameters: &str) -> SocketHandle {
        let control = self.connect();
        self.say(control, &COOKIE);
        assert_eq!(self.heard(control), [9]);
        self.say(control, &message(parameters));
        control
    }

    /// A whole test; gives the server's results.
    fn test(&mut self, parameters: &str, bytes: usize) -> String {
        let control = self.ask(parameters);
        assert_eq!(self.heard(control), [10]);
        let data = self.connect();
        self.say(data, &COOKIE);
        assert_eq!(self.heard(control), [1, 2]);
        if bytes > 0 {
            self.say(data, &vec![1; bytes]);
        } else {
            assert!(!self.heard(data).is_empty());
        }
        self.say(control, &[4]);
        assert_eq!(self.heard(control), [13]);
        self.say(control, &message("{}"));
        let results = self.heard(control);
        self.say(control, &[16]);
        for handle in [data, control] {
            self.socket(handle).close();
        }
        self.pass(50);
        String::from_utf8(results[4..results.len() - 1].to_vec()).unwrap()
    }
}

fn socket() -> tcp::Socket<'static> {
    let buffer = || tcp::SocketBuffer::new(vec![0; 32 * 1024]);
    tcp::Socket::new(buffer(), buffer())
}

fn message(text: &str) -> Vec<u8> {
    [&(text.len() as u32).to_be_bytes(), text.as_bytes()].concat()
}

#[test]
fn one_test_after_the_other() {
    let mut world = World::new();
    for _ in 0..5 {
        let results = world.test(r#"{"tcp":true}"#, 10_000);
        assert!(results.contains(r#""bytes":10000,"#), "{results}");
        let results = world.test(r#"{"tcp":true,"reverse":true}"#, 0);
        assert!(!results.contains(r#""bytes":0,"#), "{results}");
    }
}

#[test]
fn what_is_not_served_is_told() {
    let mut world = World::new();
    for _ in 0..5 {
        let control = world.ask(r#"{"udp":true}"#);
        let told = world.heard(control);
        assert_eq!(told, [0xfe, 0, 0, 0, 13, 0, 0, 0, 0]);
        assert!(!world.socket(control).may_recv());
        world.socket(control).close();
        world.pass(50);
    }
}

#[test]
fn further_clients_hear_that_it_is_busy() {
    let mut world = World::new();
    let control = world.ask(r#"{"tcp":true}"#);
    assert_eq!(world.heard(control), [10]);
    // Not this client's data connection.
    let other = world.connect();
    world.say(other, &[b'b'; 37]);
    assert_eq!(world.heard(other), BUSY);
    world.socket(other).abort();
    world.pass(20);
    let data = world.connect();
    world.say(data, &COOKIE);
    assert_eq!(world.heard(control), [1, 2]);
    for _ in 0..3 {
        let other = world.connect();
        assert_eq!(world.heard(other), BUSY);
        world.socket(other).abort();
        world.pass(20);
    }
    // The client is gone; the next one is served.
    world.socket(control).abort();
    world.socket(data).abort();
    world.pass(50);
    world.test(r#"{"tcp":true}"#, 1);
}

#[test]
fn who_is_silent_makes_room() {
    let mut world = World::new();
    let silent: Vec<_> = (0..CONNECTIONS).map(|_| world.connect()).collect();
    world.pass(30_000);
    for handle in silent {
        assert_eq!(world.heard(handle), BUSY);
        assert!(!world.socket(handle).may_recv());
    }
    world.test(r#"{"tcp":true}"#, 1);

    let control = world.ask(r#"{"tcp":true}"#);
    world.pass(30_000);
    assert_eq!(world.heard(control)[..2], [10, 0xfe]);
    world.test(r#"{"tcp":true}"#, 1);
}

#[test]
fn whatever_clients_do_it_serves_the_next() {
    // A generator of pseudo-random numbers: xorshift.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let good = message(r#"{"tcp":true}"#);
    let reverse = message(r#"{"tcp":true,"reverse":true}"#);
    let mut world = World::new();
    for _ in 0..60 {
        let mut handles = Vec::new();
        for _ in 0..30 {
            if handles.len() < 4 && random(3) == 0 {
                handles.push(world.connect());
                continue;
            }
            let Some(handle) = handles.get(random(8) as usize).copied() else {
                continue;
            };
            let noise = random(u64::MAX).to_be_bytes();
            let bytes: &[u8] = match random(8) {
                0 | 1 => &COOKIE,
                2 => &good,
                3 => &reverse,
                4 => &[4],
                5 => &noise[..random(9) as usize],
                6 => {
                    world.socket(handle).close();
                    continue;
                }
                _ => {
                    world.socket(handle).abort();
                    continue;
                }
            };
            let _ = world.socket(handle).send_slice(bytes);
            world.pass(random(20));
        }
        for handle in handles {
            world.socket(handle).abort();
        }
        world.pass(30_000);
        world.test(r#"{"tcp":true}"#, 1);
    }
}
