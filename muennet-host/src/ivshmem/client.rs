// SPDX-License-Identifier: MIT OR Apache-2.0
//! The client: a Linux process as a subject.

use super::message;
use crate::mapping::{Input, Output};
use muennet_core::{
    config::{channel, Access},
    ivshmem::{Directory, DirectoryError, Doorbell, EVENTS, EVENT_TABLE},
    notify::Notifier,
    sinfo::{self, Detail, Kind, Memory, Sinfo, SinfoError},
};
use rustix::event::{poll, PollFd, PollFlags, Timespec};
use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io,
    net::Shutdown,
    os::{
        fd::{AsFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd},
        unix::{fs::FileExt, net::UnixStream},
    },
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use thiserror::Error;
use vmm_sys_util::eventfd::EventFd;

/// Why a process cannot be a subject.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The socket has no server.
    #[error("cannot connect to {path}: {cause}; is muen-ivshmem running?")]
    Connect {
        /// The socket.
        path: PathBuf,
        /// The error of the operating system.
        cause: io::Error,
    },
    /// The connection failed.
    #[error("the server broke off: {0}; is another process this subject already?")]
    Broken(io::Error),
    /// The connection ended.
    #[error("the server broke off; is another process this subject already?")]
    Ended,
    /// The server does not go on.
    #[error("the server does not finish its greeting within {} s; start it anew", GREETING.as_secs())]
    Silent,
    /// The server speaks another version, or out of turn.
    #[error("the server said {0} out of turn")]
    OutOfTurn(i64),
    /// The region is not of muen-ivshmem.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The own number is none of the region's subjects.
    #[error("peer {0} has no block in the region")]
    NoBlock(i64),
    /// The subject information is unsound.
    #[error(transparent)]
    Sinfo(#[from] SinfoError),
    /// A channel cannot be used as asked.
    #[error("channel \"{name}\": {why}")]
    Channel {
        /// Its name.
        name: String,
        /// Why not.
        why: String,
    },
}

/// The server's greeting takes no longer.
const GREETING: Duration = Duration::from_secs(30);

impl From<io::Error> for ClientError {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

/// The messages of a server, until a deadline.
#[derive(Debug)]
pub(super) struct Incoming<'a> {
    socket: &'a UnixStream,
    until: Instant,
}

impl<'a> Incoming<'a> {
    pub(super) fn new(socket: &'a UnixStream) -> Self {
        let until = Instant::now() + GREETING;
        Self { socket, until }
    }

    /// The next message.
    pub(super) fn next(&self) -> Result<(i64, Option<OwnedFd>), ClientError> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ClientError::Silent);
        }
        self.socket.set_read_timeout(Some(left))?;
        match message::receive(self.socket) {
            Ok(message) => message.ok_or(ClientError::Ended),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(ClientError::Silent),
            Err(error) => Err(error.into()),
        }
    }

    /// The protocol's version, which is one.
    pub(super) fn version(&self) -> Result<(), ClientError> {
        match self.next()? {
            (message::VERSION, None) => Ok(()),
            (number, _) => Err(ClientError::OutOfTurn(number)),
        }
    }

    /// The shared memory.
    pub(super) fn memory(&self) -> Result<File, ClientError> {
        match self.next()? {
            (message::MEMORY, Some(memory)) => Ok(File::from(memory)),
            (number, _) => Err(ClientError::OutOfTurn(number)),
        }
    }
}

/// Events by the doorbell that rings them: peer and vector.
type Peers = HashMap<(u16, u16), Arc<EventFd>>;

/// A connection to the server, as one subject.
#[derive(Debug)]
pub struct Client {
    number: i64,
    memory: File,
    sinfo: Vec<u8>,
    events: Vec<u8>,
    peers: Peers,
    vectors: Vec<EventFd>,
    socket: UnixStream,
}

/// The connection itself: the subject is connected while this lives.
#[derive(Debug)]
pub struct Connection(UnixStream);

impl Connection {
    /// True once the server has ended it: the channels are nobody's any more.
    pub fn has_ended(&self) -> bool {
        let mut end = [PollFd::new(&self.0, PollFlags::RDHUP)];
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        poll(&mut end, Some(&now)).is_ok_and(|count| count > 0)
    }
}

/// Leaves: the server deactivates what this subject writes.
impl Drop for Connection {
    fn drop(&mut self) {
        // The server may have ended it before.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// An eventfd that was passed.
fn event(descriptor: OwnedFd) -> io::Result<EventFd> {
    // Another kind of file shall not block where an eventfd does not.
    rustix::io::ioctl_fionbio(&descriptor, true)?;
    // SAFETY: the descriptor is ours, and given away. That it is an eventfd is
    // the server's word; anything else makes reads and writes fail.
    Ok(unsafe { EventFd::from_raw_fd(descriptor.into_raw_fd()) })
}

/// The doorbells of an event table.
fn doorbells(events: &[u8]) -> HashSet<(u16, u16)> {
    let entries = events
        .chunks_exact(4)
        .filter_map(|entry| entry.first_chunk());
    let doorbells = entries.filter_map(|entry| Doorbell::parse(*entry));
    doorbells.map(|bell| (bell.peer, bell.vector)).collect()
}

impl Client {
    /// Connects to a subject's socket. The process is that subject until the client is
    /// dropped.
    ///
    /// # Errors
    ///
    /// [`ClientError`] says what is wrong.
    pub fn connect(path: &Path) -> Result<Self, ClientError> {
        let socket = UnixStream::connect(path).map_err(|cause| ClientError::Connect {
            path: path.to_owned(),
            cause,
        })?;
        let incoming = Incoming::new(&socket);
        incoming.version()?;
        let (number, _) = incoming.next()?;
        let memory = incoming.memory()?;

        let mut head = [0; Directory::SIZE];
        memory.read_exact_at(&mut head, 0)?;
        let directory = Directory::parse(&head, memory.metadata()?.len())?;
        let block = u32::try_from(number)
            .ok()
            .and_then(|number| directory.block(number))
            .ok_or(ClientError::NoBlock(number))?;
        let mut sinfo = vec![0; sinfo::SIZE];
        memory.read_exact_at(&mut sinfo, block)?;
        let wanted = Sinfo::parse(&sinfo)?
            .resources()
            .filter(|resource| matches!(resource.detail, Detail::Vector(_)))
            .count()
            .max(1);
        let mut events = vec![0; EVENTS * 4];
        memory.read_exact_at(&mut events, block + EVENT_TABLE as u64)?;

        let rung = doorbells(&events);
        // Of the others' events those are kept that this subject rings.
        let mut peers = Peers::new();
        let mut seen = HashMap::<u16, u16>::new();
        let mut vectors = Vec::new();
        while vectors.len() < wanted {
            let (peer, descriptor) = incoming.next()?;
            let descriptor = descriptor.ok_or(ClientError::OutOfTurn(peer))?;
            if peer == number {
                vectors.push(event(descriptor)?);
                continue;
            }
            let other = u16::try_from(peer)
                .ok()
                .filter(|other| u32::from(*other) < directory.subjects);
            let other = other.ok_or(ClientError::OutOfTurn(peer))?;
            let vector = seen.entry(other).or_default();
            if usize::from(*vector) == EVENTS {
                return Err(ClientError::OutOfTurn(peer));
            }
            if rung.contains(&(other, *vector)) {
                peers.insert((other, *vector), Arc::new(event(descriptor)?));
            }
            *vector += 1;
        }
        Ok(Self {
            number,
            memory,
            sinfo,
            events,
            peers,
            vectors,
            socket,
        })
    }

    /// Gives up the client for its connection, once its channels are mapped. The subject
    /// leaves when the connection is dropped.
    pub fn into_connection(self) -> Connection {
        Connection(self.socket)
    }

    /// The subject information.
    ///
    /// # Errors
    ///
    /// None: it was parsed before.
    pub fn sinfo(&self) -> Result<Sinfo<'_>, ClientError> {
        Ok(Sinfo::parse(&self.sinfo)?)
    }

    /// The own peer number.
    pub fn number(&self) -> i64 {
        self.number
    }

    fn memory_of(&self, access: Access, name: &str) -> Result<Memory, ClientError> {
        let found = self.sinfo()?.find(name, Kind::Memory);
        let memory = found.and_then(|resource| resource.memory());
        channel(access, 1, name, memory).map_err(|error| ClientError::Channel {
            name: name.to_owned(),
            why: error.why.to_string(),
        })
    }

    fn mapped<T>(&self, name: &str, mapped: io::Result<T>) -> Result<T, ClientError> {
        mapped.map_err(|error| ClientError::Channel {
            name: name.to_owned(),
            why: error.to_string(),
        })
    }

    /// Maps a channel that this subject reads.
    ///
    /// # Errors
    ///
    /// [`ClientError::Channel`] if there is none, or it is to be written.
    pub fn input(&self, name: &str) -> Result<Input, ClientError> {
        let memory = self.memory_of(Access::Input, name)?;
        self.mapped(
            name,
            Input::new(&self.memory, memory.address, memory.size as usize),
        )
    }

    /// Maps a channel that this subject writes.
    ///
    /// # Errors
    ///
    /// [`ClientError::Channel`] if there is none, or it is to be read.
    pub fn output(&self, name: &str) -> Result<Output, ClientError> {
        let memory = self.memory_of(Access::Output, name)?;
        self.mapped(
            name,
            Output::new(&self.memory, memory.address, memory.size as usize),
        )
    }

    /// Maps memory of any kind that this subject may write.
    ///
    /// # Errors
    ///
    /// [`ClientError::Channel`] if there is none, or it is read-only.
    pub fn memory(&self, name: &str) -> Result<Output, ClientError> {
        let found = self.sinfo()?.find(name, Kind::Memory);
        let memory = found
            .and_then(|resource| resource.memory())
            .filter(|memory| memory.writable)
            .ok_or_else(|| ClientError::Channel {
                name: name.to_owned(),
                why: "the subject has no memory of this name that it may write".to_owned(),
            })?;
        self.mapped(
            name,
            Output::new(&self.memory, memory.address, memory.size as usize),
        )
    }

    /// The notifier for the reader of a channel that this subject writes, if the channel has
    /// an event.
    ///
    /// # Errors
    ///
    /// None: it was parsed before.
    pub fn notifier(&self, channel: &str) -> Result<Option<Ringer>, ClientError> {
        let Some(resource) = self.sinfo()?.find(channel, Kind::Event) else {
            return Ok(None);
        };
        let Detail::Event(number) = resource.detail else {
            return Ok(None);
        };
        let entry = self.events.chunks_exact(4).nth(usize::from(number));
        let doorbell = entry.and_then(|entry| Doorbell::parse(*entry.first_chunk()?));
        let event = doorbell.and_then(|doorbell| self.peers.get(&(doorbell.peer, doorbell.vector)));
        Ok(event.cloned().map(Ringer))
    }

    /// The event of a channel that this subject reads, if it has one.
    ///
    /// # Errors
    ///
    /// None: it was parsed before.
    pub fn vector(&self, channel: &str) -> Result<Option<Vector>, ClientError> {
        let Some(resource) = self.sinfo()?.find(channel, Kind::Vector) else {
            return Ok(None);
        };
        let Detail::Vector(number) = resource.detail else {
            return Ok(None);
        };
        let event = self.vectors.get(usize::from(number));
        Ok(event
            .map(|event| event.try_clone().map(Vector))
            .transpose()?)
    }
}

/// Rings the reader of a channel.
#[derive(Debug)]
pub struct Ringer(Arc<EventFd>);

impl Notifier for Ringer {
    fn notify(&self) {
        // A full counter has rung already.
        let _ = self.0.write(1);
    }
}

/// An event to wait for: readable once it was rung.
#[derive(Debug)]
pub struct Vector(EventFd);

impl Vector {
    /// Takes note of all rings so far; true if there were any.
    pub fn clear(&self) -> bool {
        self.0.read().is_ok()
    }
}

impl AsFd for Vector {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: open as long as the value lives.
        unsafe { BorrowedFd::borrow_raw(std::os::fd::AsRawFd::as_raw_fd(&self.0)) }
    }
}
