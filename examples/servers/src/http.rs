// SPDX-License-Identifier: MIT OR Apache-2.0
//! A server of very small pages (HTTP/1.1, a connection for each).

use crate::text::Text;
use core::fmt::Write;
use smoltcp::{
    socket::tcp,
    time::{Duration, Instant},
};

/// The service.
pub const PORT: u16 = 80;

/// Bytes of the longest page.
pub const PAGE: usize = 2048;

/// A client that has not asked and been answered within so long is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// The end of a request's header.
const END: &[u8] = b"\r\n\r\n";

/// The request of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request<'a> {
    /// To read what is there.
    Get(&'a str),
    /// To do what is there.
    Post(&'a str),
}

/// The server's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The page is what was asked for.
    Ok,
    /// The request is none.
    BadRequest,
    /// There is no such page.
    NotFound,
}

impl Status {
    fn line(self) -> &'static str {
        match self {
            Self::Ok => "200 OK",
            Self::BadRequest => "400 Bad Request",
            Self::NotFound => "404 Not Found",
        }
    }
}

/// A page being written. What does not fit is left out.
pub type Page = Text<PAGE>;

/// State of a connection between two calls.
#[derive(Debug, Default)]
pub struct Visit {
    since: Option<Instant>,
}

impl Visit {
    /// Serves one connection: `answer` writes the page of a request. True if there is
    /// something to send now. The socket's buffers take a page and 256 bytes.
    pub fn serve(
        &mut self,
        socket: &mut tcp::Socket<'_>,
        now: Instant,
        answer: impl FnMut(Request<'_>, &mut Page) -> Status,
    ) -> bool {
        match socket.state() {
            tcp::State::Closed | tcp::State::TimeWait | tcp::State::Listen => self.since = None,
            _ if now >= *self.since.get_or_insert(now) + PATIENCE => {
                socket.abort();
                return true;
            }
            _ => {}
        }
        serve(socket, answer)
    }
}

fn serve(
    socket: &mut tcp::Socket<'_>,
    mut answer: impl FnMut(Request<'_>, &mut Page) -> Status,
) -> bool {
    if !socket.is_open() {
        // The port is not 0 and the socket not open, so listening cannot fail.
        let _ = socket.listen(PORT);
        return false;
    }
    if !socket.may_send() || !(socket.can_recv() || socket.state() == tcp::State::CloseWait) {
        return false;
    }
    let full = socket.recv_queue() == socket.recv_capacity();
    let ended = socket.state() == tcp::State::CloseWait;
    let mut page = Page::new();
    let status = socket.recv(|bytes| {
        if bytes.windows(END.len()).any(|window| window == END) {
            let status = match parse(bytes) {
                Some(request) => answer(request, &mut page),
                None => Status::BadRequest,
            };
            (bytes.len(), Some(status))
        } else {
            // There will be no more of it.
            let hopeless = full || ended;
            (0, hopeless.then_some(Status::BadRequest))
        }
    });
    let status = match status {
        Ok(Some(status)) => status,
        Ok(None) => return false,
        // Nothing was asked.
        Err(_) => {
            socket.close();
            return true;
        }
    };
    let mut head = Page::new();
    // A page takes whatever is written.
    let _ = write!(
        head,
        "HTTP/1.1 {}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        status.line(),
        page.bytes().len()
    );
    for part in [head.bytes(), page.bytes()] {
        // What does not fit the socket's buffer the client misses by its length.
        let _ = socket.send_slice(part);
    }
    socket.close();
    true
}

/// The first line of a request.
fn parse(bytes: &[u8]) -> Option<Request<'_>> {
    let line = bytes.split(|byte| *byte == b'\r').next()?;
    let mut words = core::str::from_utf8(line).ok()?.split(' ');
    let (method, path, version) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() || !version.starts_with("HTTP/1.") {
        return None;
    }
    match method {
        "GET" => Some(Request::Get(path)),
        "POST" => Some(Request::Post(path)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_what_is_none() {
        let good = parse(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(good, Some(Request::Get("/a")));
        let good = parse(b"POST /shutdown HTTP/1.0\r\n\r\n");
        assert_eq!(good, Some(Request::Post("/shutdown")));
        let bad: [&[u8]; 5] = [
            b"",
            b"GET /\r\n\r\n",
            b"GET / HTTP/1.1 more\r\n\r\n",
            b"BREW / HTTP/1.1\r\n\r\n",
            b"GET /\xff HTTP/1.1\r\n\r\n",
        ];
        assert!(bad.iter().all(|bytes| parse(bytes).is_none()));
    }
}
