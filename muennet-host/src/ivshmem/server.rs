// SPDX-License-Identifier: MIT OR Apache-2.0
//! The server: it plays the separation kernel.

use super::{
    greeting::{Attached, Greeting, Progress},
    observer::Window,
};
use crate::{layout::vector_of, layout::Layout, log::RateLimit, policy::Policy};
use anyhow::{ensure, Context, Result};
use muennet_core::sinfo::MemoryKind;
use rustix::{
    event::{poll, PollFd, PollFlags, Timespec},
    fs::{fcntl_add_seals, ftruncate, memfd_create, MemfdFlags, SealFlags},
    process::{getrlimit, setrlimit, Resource, Rlimit},
};
use std::{
    fs::File,
    io,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::{
            fs::FileExt,
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use vmm_sys_util::eventfd::{EventFd, EFD_NONBLOCK};

/// Offset of a channel's epoch in its header.
const EPOCH: u64 = 8;
/// Pause when the system has no descriptors left for connections or messages.
const PAUSE: Duration = Duration::from_millis(10);
/// Descriptors besides those of subjects: standard streams, memory, observers.
const OTHER_DESCRIPTORS: usize = 64;

/// Serves a policy's subjects.
///
/// Every client is told of all subjects when it connects, whether they are there or
/// not, and hears nothing afterwards: an event rings the descriptor that the reader
/// takes over when it comes. The protocol can tell of peers that come and go as well,
/// but QEMU (10.0, hw/misc/ivshmem-pci.c) writes into freed memory when a number that
/// went comes again.
///
/// No client keeps the others waiting: a round accepts one connection at each socket and
/// sends each client one batch of its greeting. A client that does not read is sent no more
/// until it does. Bytes that a client sends are left in the socket's buffer.
#[derive(Debug)]
pub struct Server {
    policy: Policy,
    layout: Layout,
    memory: File,
    subjects: Vec<Subject>,
    window: Option<Window>,
    limit: RateLimit<(usize, Cause)>,
    /// The system has no more descriptors for now.
    exhausted: bool,
}

/// Causes of the lines that are said of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Cause {
    Accept,
    Connected,
    Disconnected,
    Dropped,
    Refused,
    Deactivation,
}

/// A descriptor that is ready, and of which kind.
#[derive(Debug, Clone, Copy)]
enum Ready {
    Observer,
    /// The client of a subject is gone.
    Gone(usize),
    /// The client of a subject takes more of its greeting.
    Writable(usize),
    /// A client wants to be a subject.
    Wanted(usize),
}

/// A client that is a subject.
#[derive(Debug)]
struct Connection {
    socket: UnixStream,
    /// The messages that it has yet to get.
    greeting: Option<Greeting>,
}

#[derive(Debug)]
struct Subject {
    path: PathBuf,
    listener: UnixListener,
    connection: Option<Connection>,
    /// One for each vector, and at least one, since QEMU's device has it.
    vectors: Vec<EventFd>,
}

impl Subject {
    fn new(path: PathBuf, vectors: usize) -> Result<Self> {
        // A socket that nobody serves any more is in the way.
        if UnixStream::connect(&path).is_ok() {
            anyhow::bail!("{}: another muen-ivshmem serves here", path.display());
        }
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path)
            .with_context(|| format!("cannot listen at {}", path.display()))?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            path,
            listener,
            connection: None,
            vectors: event_descriptors(vectors)?,
        })
    }
}

/// True if accepting fails for another reason than that nobody waits any more.
fn is_serious(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, Interrupted, WouldBlock};
    !matches!(error.kind(), ConnectionAborted | Interrupted | WouldBlock)
}

/// Raises the process's limit of descriptors as far as it may be. It bounds the
/// descriptors that lie in sockets unread, too.
fn reserve_descriptors(needed: usize) -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).context("cannot raise the limit of descriptors")?;
    let enough = limit.maximum.is_none_or(|most| most >= needed as u64);
    ensure!(
        enough,
        "the subjects need {needed} descriptors, and the system allows {}; raise it with ulimit -Hn",
        limit.maximum.unwrap_or(0)
    );
    Ok(())
}

fn event_descriptors(count: usize) -> io::Result<Vec<EventFd>> {
    (0..count.max(1))
        .map(|_| EventFd::new(EFD_NONBLOCK))
        .collect()
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Server {
    /// Lays out the region and listens in `folder`, which is made if need be.
    ///
    /// # Errors
    ///
    /// When the policy does not fit a region, or the system refuses.
    pub fn new(policy: Policy, folder: &Path) -> Result<Self> {
        let layout = Layout::new(&policy)?;
        let vectors = (0..policy.subjects.len()).map(|number| policy.vectors(number).max(1));
        reserve_descriptors(
            OTHER_DESCRIPTORS + 2 * policy.subjects.len() + vectors.sum::<usize>(),
        )?;
        let memory = memfd_create("muen", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&memory, layout.size)?;
        // Whoever maps it can rely on its length.
        fcntl_add_seals(
            &memory,
            SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL,
        )?;
        let memory = File::from(memory);
        memory.write_all_at(&layout.head(&policy)?, 0)?;
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let subjects = policy
            .subjects
            .iter()
            .enumerate()
            .map(|(number, name)| {
                Subject::new(folder.join(format!("{name}.sock")), policy.vectors(number))
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            policy,
            layout,
            memory,
            subjects,
            window: None,
            limit: RateLimit::default(),
            exhausted: false,
        })
    }

    /// Lets whoever may open the socket [`SOCKET`](super::observer::SOCKET) in
    /// `folder` look at the region, but not write it.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    pub fn observe(&mut self, folder: &Path) -> Result<()> {
        self.window = Some(Window::open(folder, &self.memory)?);
        Ok(())
    }

    /// The layout in use.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The policy served.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Path of the socket for a subject.
    pub fn socket(&self, subject: usize) -> &Path {
        &self.subjects[subject].path
    }

    /// Serves until `stop` becomes readable; `tell` hears who comes and goes. Of lines with
    /// one cause it hears a few, then how many more there were.
    ///
    /// # Errors
    ///
    /// When the system refuses to wait.
    pub fn run(&mut self, stop: &impl AsFd, mut tell: impl FnMut(&str)) -> Result<()> {
        while self.round(stop, &mut tell)? {}
        Ok(())
    }

    /// Waits, and does a bounded amount of work for each descriptor that is ready; false
    /// once `stop` is.
    fn round(&mut self, stop: &impl AsFd, tell: &mut impl FnMut(&str)) -> Result<bool> {
        let due = self.limit.settle(Instant::now(), &mut *tell);
        let Some(ready) = self.wait(stop, due)? else {
            return Ok(false);
        };
        self.exhausted = false;
        for ready in ready {
            match ready {
                Ready::Observer => {
                    let shown = self.window.as_ref().map(Window::show);
                    self.exhausted |= matches!(shown, Some(Err(error)) if is_serious(&error));
                }
                Ready::Gone(number) => self.leave(number, tell),
                Ready::Writable(number) => self.greet(number, tell),
                Ready::Wanted(number) => self.accept(number, tell),
            }
        }
        Ok(true)
    }

    /// Waits for as long as `due`; `None` once `stop` is readable.
    fn wait(&self, stop: &impl AsFd, due: Option<Duration>) -> Result<Option<Vec<Ready>>> {
        let mut waits = vec![PollFd::new(stop, PollFlags::IN)];
        let mut places = Vec::new();
        for (number, subject) in self.subjects.iter().enumerate() {
            if let Some(Connection { socket, greeting }) = &subject.connection {
                let mut flags = PollFlags::RDHUP;
                flags.set(PollFlags::OUT, greeting.is_some() && !self.exhausted);
                waits.push(PollFd::new(socket, flags));
                places.push(Ready::Writable(number));
            }
            if !self.exhausted {
                waits.push(PollFd::new(&subject.listener, PollFlags::IN));
                places.push(Ready::Wanted(number));
            }
        }
        if let Some(window) = self.window.as_ref().filter(|_| !self.exhausted) {
            waits.push(PollFd::new(&window.listener, PollFlags::IN));
            places.push(Ready::Observer);
        }
        let pause = self.exhausted.then_some(PAUSE);
        let due = due.into_iter().chain(pause).min().map(|due| Timespec {
            // At most the rate limit's while.
            tv_sec: due.as_secs() as i64,
            tv_nsec: due.subsec_nanos().into(),
        });
        match poll(&mut waits, due.as_ref()) {
            Err(rustix::io::Errno::INTR) => return Ok(Some(Vec::new())),
            result => result?,
        };
        if !waits[0].revents().is_empty() {
            return Ok(None);
        }
        let ready = waits[1..].iter().zip(places).filter_map(|(wait, place)| {
            let events = wait.revents();
            let gone = PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR;
            match place {
                _ if events.is_empty() => None,
                Ready::Writable(number) if events.intersects(gone) => Some(Ready::Gone(number)),
                place => Some(place),
            }
        });
        Ok(Some(ready.collect()))
    }

    /// Takes one of the clients that want to be the subject.
    fn accept(&mut self, number: usize, tell: &mut impl FnMut(&str)) {
        let socket = match self.subjects[number].listener.accept() {
            Ok((socket, _)) => socket,
            Err(error) => {
                if is_serious(&error) {
                    self.exhausted = true;
                    let what = format!("cannot accept a connection: {error}");
                    self.say(number, Cause::Accept, &what, tell);
                }
                return;
            }
        };
        // The one before may have ended since it was looked at.
        if self.is_gone(number) {
            self.leave(number, tell);
        }
        if self.subjects[number].connection.is_some() {
            let what = "refused, a connection is there already";
            self.say(number, Cause::Refused, what, tell);
            return;
        }
        let vectors: Vec<_> = (self.subjects.iter())
            .map(|subject| subject.vectors.len())
            .collect();
        self.subjects[number].connection = Some(Connection {
            socket,
            greeting: Some(Greeting::new(number, &vectors)),
        });
        self.greet(number, tell);
    }

    fn is_gone(&self, number: usize) -> bool {
        let Some(connection) = &self.subjects[number].connection else {
            return false;
        };
        let mut end = [PollFd::new(&connection.socket, PollFlags::RDHUP)];
        let now = Timespec::default();
        poll(&mut end, Some(&now)).is_ok_and(|count| count > 0)
    }

    /// Tells a client more of who it is and who is there.
    fn greet(&mut self, number: usize, tell: &mut impl FnMut(&str)) {
        let Some(mut connection) = self.subjects[number].connection.take() else {
            return;
        };
        let Some(greeting) = &mut connection.greeting else {
            self.subjects[number].connection = Some(connection);
            return;
        };
        let sent = greeting.send(&connection.socket, |attached| self.descriptor(attached));
        if sent == Ok(Progress::Done) {
            connection.greeting = None;
        }
        self.subjects[number].connection = Some(connection);
        match sent {
            Ok(Progress::Done) => self.say(number, Cause::Connected, "connected", tell),
            Ok(Progress::More | Progress::Full) => {}
            Ok(Progress::Exhausted) => self.exhausted = true,
            Err(error) => {
                let what = format!("dropped while it connected: {error}");
                self.say(number, Cause::Dropped, &what, tell);
                self.leave(number, tell);
            }
        }
    }

    fn descriptor(&self, attached: Attached) -> Option<BorrowedFd<'_>> {
        match attached {
            Attached::Nothing => None,
            Attached::Memory => Some(self.memory.as_fd()),
            Attached::Vector(subject, vector) => {
                let event = self.subjects.get(subject)?.vectors.get(vector)?;
                // SAFETY: the eventfd is open as long as the borrow of `self` that this has.
                Some(unsafe { BorrowedFd::borrow_raw(event.as_raw_fd()) })
            }
        }
    }

    /// Says something of a subject, unless the same was said too often.
    fn say(&mut self, number: usize, cause: Cause, what: &str, tell: &mut impl FnMut(&str)) {
        let line = format!("{}: {what}", self.policy.subjects[number]);
        self.limit.say(Instant::now(), (number, cause), &line, tell);
    }

    /// The subject is gone: its channels become inactive, and their readers are rung.
    fn leave(&mut self, number: usize, tell: &mut impl FnMut(&str)) {
        if self.subjects[number].connection.take().is_none() {
            return;
        }
        self.say(number, Cause::Disconnected, "disconnected", tell);
        let mut failed = Vec::new();
        for vector in &self.subjects[number].vectors {
            // Rings that nobody heard are not for the next one; none is well, too.
            let _ = vector.read();
        }
        for (channel, offset) in self.policy.channels.iter().zip(&self.layout.offsets) {
            if channel.writer != number || channel.kind != MemoryKind::Channel {
                continue;
            }
            if let Err(error) = self.memory.write_all_at(&[0; 8], offset + EPOCH) {
                failed.push(format!("cannot deactivate {}: {error}", channel.name));
            }
            if let Some(vector) = vector_of(&self.policy, &channel.name) {
                // A full counter has rung already.
                let _ = self.subjects[channel.reader].vectors[usize::from(vector)].write(1);
            }
        }
        for what in failed {
            self.say(number, Cause::Deactivation, &what, tell);
        }
    }

    /// The shared memory.
    pub fn memory(&self) -> io::Result<OwnedFd> {
        self.memory.as_fd().try_clone_to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serve(subjects: usize) -> (Server, tempfile::TempDir) {
        let name = |number| format!("[[subject]]\nname = \"s{number}\"\n");
        let text: String = (0..subjects).map(name).collect();
        let folder = tempfile::tempdir().unwrap();
        let policy = Policy::parse(&text).unwrap();
        let server = Server::new(policy, folder.path()).unwrap();
        (server, folder)
    }

    /// A round of a server that has something to do.
    fn round(server: &mut Server, told: &mut Vec<String>) {
        let (stop, _stopper) = UnixStream::pair().unwrap();
        let mut tell = |line: &str| told.push(line.to_owned());
        assert!(server.round(&stop, &mut tell).unwrap());
    }

    #[test]
    fn a_flood_of_connects_keeps_no_other_subject_waiting() {
        let (mut server, _folder) = serve(2);
        let connect = |server: &Server, number| UnixStream::connect(server.socket(number)).unwrap();
        let _flood: Vec<_> = (0..50).map(|_| connect(&server, 0)).collect();
        let _other = connect(&server, 1);
        let mut told = Vec::new();
        round(&mut server, &mut told);
        // One of the flood, and the other.
        assert_eq!(told, ["s0: connected", "s1: connected"]);
        round(&mut server, &mut told);
        assert_eq!(told.len(), 3);
        let (stop, _stopper) = UnixStream::pair().unwrap();
        let is_done = |server: &Server| {
            let ready = server.wait(&stop, Some(Duration::ZERO)).unwrap();
            ready.unwrap().is_empty()
        };
        while !is_done(&server) {
            round(&mut server, &mut told);
        }
        // Of 49 refusals a few are said.
        assert!((4..20).contains(&told.len()), "{told:?}");
    }

    #[test]
    fn bytes_of_a_client_are_no_work() {
        let (mut server, _folder) = serve(1);
        let client = UnixStream::connect(server.socket(0)).unwrap();
        round(&mut server, &mut Vec::new());
        client.set_nonblocking(true).unwrap();
        while io::Write::write(&mut &client, &[0; 4096]).is_ok() {}
        let (stop, _stopper) = UnixStream::pair().unwrap();
        let ready = server.wait(&stop, Some(Duration::ZERO)).unwrap().unwrap();
        assert!(ready.is_empty(), "{ready:?}");
        // Its end is seen all the same.
        drop(client);
        let mut told = Vec::new();
        round(&mut server, &mut told);
        assert_eq!(told, ["s0: disconnected"]);
    }

    #[test]
    fn without_descriptors_the_server_pauses() {
        let (mut server, _folder) = serve(1);
        let _client = UnixStream::connect(server.socket(0)).unwrap();
        server.exhausted = true;
        let (stop, _stopper) = UnixStream::pair().unwrap();
        assert!(server.wait(&stop, None).unwrap().unwrap().is_empty());
        server.exhausted = false;
        let mut told = Vec::new();
        round(&mut server, &mut told);
        assert_eq!(told, ["s0: connected"]);
    }
}
