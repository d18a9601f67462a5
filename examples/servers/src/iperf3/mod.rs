// SPDX-License-Identifier: MIT OR Apache-2.0
//! A server for iperf3 (3.x): `iperf3 -c`, with `-R`, `-t`, `-n`, `-k` and `-O`; one TCP
//! connection at a time. Who comes meanwhile hears that the server is busy, and who asks
//! for more (UDP, `--bidir`, `-P`, a rate for what the server sends) that this is not
//! implemented.

mod parameters;
mod session;

pub use parameters::{Parameters, ParametersError};
pub use session::{Cookie, Refusal, Session};

use session::{DENIAL, PATIENCE};
use smoltcp::{
    iface::{SocketHandle, SocketSet},
    socket::tcp,
    time::{Duration, Instant},
};

/// The service.
pub const PORT: u16 = 5201;

/// Connections for the server to work: control, data, and one to refuse.
pub const CONNECTIONS: usize = 3;

/// The pause between two probes of an idle client.
const KEEP_ALIVE: Duration = Duration::from_secs(1);

/// The purpose of a connection.
#[derive(Debug)]
enum Role {
    /// There is none yet, or it has not said all of its cookie.
    Entrance {
        cookie: Cookie,
        len: usize,
        since: Option<Instant>,
    },
    /// Of the running test.
    Control,
    /// Likewise.
    Data,
    /// All is said; waits for the other side to take leave, until then.
    Exit { until: Instant },
}

impl Role {
    const ENTRANCE: Self = Self::Entrance {
        cookie: [0; size_of::<Cookie>()],
        len: 0,
        since: None,
    };
}

/// The server. Its sockets' buffers take at least a kilobyte.
#[derive(Debug)]
pub struct Server<const N: usize = CONNECTIONS> {
    handles: [SocketHandle; N],
    roles: [Role; N],
    session: Option<Session>,
}

impl<const N: usize> Server<N> {
    /// A server over these sockets, at least [`CONNECTIONS`].
    pub fn new(handles: [SocketHandle; N]) -> Self {
        Self {
            handles,
            roles: [const { Role::ENTRANCE }; N],
            session: None,
        }
    }

    /// Its sockets.
    pub fn handles(&self) -> &[SocketHandle; N] {
        &self.handles
    }

    /// Serves what there is; true if there is something to send now.
    pub fn serve(&mut self, sockets: &mut SocketSet<'_>, now: Instant) -> bool {
        let mut busy = false;
        // Data before the word that ends the test, as the client sent them.
        for kind in [Role::is_data, Role::is_control, Role::is_other] {
            for (role, handle) in self.roles.iter_mut().zip(self.handles) {
                if kind(role) {
                    let socket = sockets.get_mut(handle);
                    busy |= role.serve(socket, &mut self.session, now);
                }
            }
        }
        busy | self.answer(sockets, now)
    }

    /// Says what the session has to say, and ends what is over.
    fn answer(&mut self, sockets: &mut SocketSet<'_>, now: Instant) -> bool {
        let Some(session) = &mut self.session else {
            return false;
        };
        let mut said = !session.answer().is_empty();
        let mut over = session.is_over();
        for (role, handle) in self.roles.iter().zip(self.handles) {
            if said && role.is_control() {
                // There is room, as all answers of a session together are short.
                let socket: &mut tcp::Socket<'_> = sockets.get_mut(handle);
                let all = session.answer().len();
                over |= socket.send_slice(session.answer()) != Ok(all);
                session.answered();
            }
        }
        if over {
            self.session = None;
            for (role, handle) in self.roles.iter_mut().zip(self.handles) {
                if role.is_control() || role.is_data() {
                    *role = Role::leave(sockets.get_mut(handle), now);
                    said = true;
                }
            }
        }
        said
    }
}

impl Role {
    fn is_data(&self) -> bool {
        matches!(self, Self::Data)
    }

    fn is_control(&self) -> bool {
        matches!(self, Self::Control)
    }

    fn is_other(&self) -> bool {
        !self.is_data() && !self.is_control()
    }

    fn leave(socket: &mut tcp::Socket<'_>, now: Instant) -> Self {
        socket.close();
        Self::Exit {
            until: now + PATIENCE,
        }
    }

    /// Serves its socket.
    fn serve(
        &mut self,
        socket: &mut tcp::Socket<'_>,
        session: &mut Option<Session>,
        now: Instant,
    ) -> bool {
        match self {
            Self::Entrance { cookie, len, since } => {
                if !socket.is_open() {
                    socket.set_timeout(Some(PATIENCE));
                    socket.set_keep_alive(Some(KEEP_ALIVE));
                    // The port is not 0 and the socket not open, so listening cannot fail.
                    let _ = socket.listen(PORT);
                    *self = Self::ENTRANCE;
                    return false;
                }
                if !socket.may_send() {
                    return false;
                }
                let since = *since.get_or_insert(now);
                let expected = session.as_ref().is_none_or(Session::needs_stream);
                // It is open, or else there is nothing to take.
                *len += socket.recv_slice(&mut cookie[*len..]).unwrap_or(0);
                let whole = *len == cookie.len();
                match session {
                    None if whole => {
                        *session = Some(Session::new(*cookie, now));
                        *self = Self::Control;
                    }
                    Some(session) if whole && expected && session.is_of(cookie) => {
                        session.stream(now);
                        *self = Self::Data;
                    }
                    // What is on its way may become a cookie.
                    _ if expected && !whole && socket.may_recv() && now < since + PATIENCE => {
                        return false;
                    }
                    _ => {
                        // There is room, as nothing was said yet.
                        let _ = socket.send_slice(&DENIAL);
                        *self = Self::leave(socket, now);
                    }
                }
                true
            }
            Self::Control => {
                let Some(session) = session else {
                    *self = Self::leave(socket, now);
                    return true;
                };
                let taken = socket.recv(|bytes| {
                    session.take(bytes, now);
                    (bytes.len(), bytes.len())
                });
                session.watch(now);
                if !socket.may_recv() && !socket.can_recv() {
                    session.abandon();
                }
                taken.is_ok_and(|len| len > 0)
            }
            Self::Data => {
                // A client waits for whole blocks, or the end.
                let Some(session) = session.as_mut().filter(|session| !session.has_sent()) else {
                    *self = Self::leave(socket, now);
                    return true;
                };
                let mut passed = discard(socket);
                if session.is_sending() && socket.can_send() {
                    let sent = socket.send(|room| {
                        room.fill(0);
                        (room.len(), room.len())
                    });
                    passed = sent.unwrap_or(0);
                }
                session.passed(passed, now);
                if session.is_running() && !socket.may_recv() {
                    session.refuse(Refusal::StreamEnded);
                }
                passed > 0
            }
            Self::Exit { until } => {
                if !socket.is_open() {
                    *self = Self::ENTRANCE;
                    return true;
                }
                let busy = discard(socket) > 0;
                if now >= *until {
                    socket.abort();
                    return true;
                }
                busy
            }
        }
    }
}

/// Takes all that came; gives how much that was.
fn discard(socket: &mut tcp::Socket<'_>) -> usize {
    let mut total = 0;
    // Twice if the ring of the buffer is between.
    while let Ok(len @ 1..) = socket.recv(|bytes| (bytes.len(), bytes.len())) {
        total += len;
    }
    total
}
