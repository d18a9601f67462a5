// SPDX-License-Identifier: MIT OR Apache-2.0
//! The messages that tell a new client who it is and who is there: a queue for each
//! connection, sent as fast as the client takes them.

use super::message;
use rustix::io::Errno;
use std::{
    collections::VecDeque,
    os::{fd::BorrowedFd, unix::net::UnixStream},
};

/// Messages that one client is sent before the others have their turn.
const BATCH: usize = 64;

/// The descriptor that goes with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attached {
    /// None.
    Nothing,
    /// The shared memory.
    Memory,
    /// A vector of a subject, by the two numbers.
    Vector(usize, usize),
}

/// Progress of a greeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// The client has all of it.
    Done,
    /// More can be sent at once.
    More,
    /// The client has to read first.
    Full,
    /// The system passes on no more descriptors until some client has read its own.
    Exhausted,
}

/// Messages that a client has yet to get.
#[derive(Debug)]
pub(super) struct Greeting {
    messages: VecDeque<(i64, Attached)>,
    /// Bytes of the first message that were sent.
    sent: usize,
}

impl Greeting {
    /// The greeting of the subject `number`, where `vectors` says how many each subject has.
    pub(super) fn new(number: usize, vectors: &[usize]) -> Self {
        let others = (0..vectors.len()).filter(|other| *other != number);
        let introductions = others.chain([number]).flat_map(|subject| {
            let vectors = vectors.get(subject).copied().unwrap_or(0);
            (0..vectors).map(move |vector| (subject as i64, Attached::Vector(subject, vector)))
        });
        let head = [
            (message::VERSION, Attached::Nothing),
            (number as i64, Attached::Nothing),
            (message::MEMORY, Attached::Memory),
        ];
        Self {
            messages: head.into_iter().chain(introductions).collect(),
            sent: 0,
        }
    }

    /// The greeting of one who looks on.
    pub(super) fn of_observer() -> Self {
        Self {
            messages: VecDeque::from([
                (message::VERSION, Attached::Nothing),
                (message::MEMORY, Attached::Memory),
            ]),
            sent: 0,
        }
    }

    /// Sends what `socket` takes now, up to a batch; `descriptor` finds what is attached.
    ///
    /// # Errors
    ///
    /// The error of the operating system on this connection.
    pub(super) fn send<'a>(
        &mut self,
        socket: &UnixStream,
        descriptor: impl Fn(Attached) -> Option<BorrowedFd<'a>>,
    ) -> Result<Progress, Errno> {
        for _ in 0..BATCH {
            let Some((number, attached)) = self.messages.front() else {
                return Ok(Progress::Done);
            };
            match message::send_from(socket, *number, descriptor(*attached), self.sent) {
                Ok(bytes) => self.sent += bytes,
                Err(Errno::AGAIN) => return Ok(Progress::Full),
                Err(Errno::INTR) => return Ok(Progress::More),
                Err(Errno::TOOMANYREFS) => return Ok(Progress::Exhausted),
                Err(error) => return Err(error),
            }
            if self.sent >= message::SIZE {
                self.messages.pop_front();
                self.sent = 0;
            }
        }
        Ok(if self.messages.is_empty() {
            Progress::Done
        } else {
            Progress::More
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn own_vectors_come_last() {
        let greeting = Greeting::new(1, &[2, 1, 1]);
        let numbers: Vec<_> = greeting
            .messages
            .iter()
            .map(|(number, _)| *number)
            .collect();
        assert_eq!(numbers, [0, 1, -1, 0, 0, 2, 1]);
        assert_eq!(greeting.messages[4].1, Attached::Vector(0, 1));
        assert_eq!(greeting.messages[6].1, Attached::Vector(1, 0));
    }

    #[test]
    fn a_client_that_reads_late_gets_all_of_it() {
        let (near, far) = UnixStream::pair().unwrap();
        let mut greeting = Greeting::new(0, &[1; 2000]);
        let memory = std::fs::File::open("/dev/null").unwrap();
        let find = |attached| (attached != Attached::Nothing).then(|| memory.as_fd());
        let mut sent = 0;
        // Nobody reads: it is full at some time, and stays so.
        let full = loop {
            match greeting.send(&near, find).unwrap() {
                Progress::More => sent += BATCH,
                other => break other,
            }
            assert!(sent < 2003, "the system buffers all of it");
        };
        assert!(matches!(full, Progress::Full | Progress::Exhausted));
        let mut numbers = Vec::new();
        while numbers.len() < 2003 {
            let (number, descriptor) = message::receive(&far).unwrap().unwrap();
            assert_eq!(descriptor.is_some(), numbers.len() > 1, "{number}");
            numbers.push(number);
            greeting.send(&near, find).unwrap();
        }
        assert_eq!(greeting.send(&near, find), Ok(Progress::Done));
        let others = 1..2000;
        let expected: Vec<_> = [0, 0, -1].into_iter().chain(others).chain([0]).collect();
        assert_eq!(numbers, expected);
    }

    #[test]
    fn one_turn_is_a_batch() {
        let (near, _far) = UnixStream::pair().unwrap();
        let mut greeting = Greeting::new(0, &[1; 1000]);
        assert_eq!(greeting.send(&near, |_| None), Ok(Progress::More));
        assert_eq!(greeting.messages.len(), 1003 - BATCH);
    }
}
