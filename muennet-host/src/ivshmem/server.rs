// SPDX-License-Identifier: MIT OR Apache-2.0
//! The server: it plays the separation kernel.

use super::{message, observer::Window};
use crate::{layout::vector_of, layout::Layout, policy::Policy};
use anyhow::{Context, Result};
use muennet_core::sinfo::MemoryKind;
use rustix::{
    event::{poll, PollFd, PollFlags},
    fs::{fcntl_add_seals, ftruncate, memfd_create, MemfdFlags, SealFlags},
};
use std::{
    fs::File,
    io,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::{
            fs::FileExt,
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
};
use vmm_sys_util::eventfd::{EventFd, EFD_NONBLOCK};

/// Offset of a channel's epoch in its header.
const EPOCH: u64 = 8;

/// Serves a policy's subjects.
///
/// Every client is told of all subjects when it connects, whether they are there or
/// not, and hears nothing afterwards: an event rings the descriptor that the reader
/// takes over when it comes. The protocol can tell of peers that come and go as well,
/// but QEMU (10.0, hw/misc/ivshmem-pci.c) writes into freed memory when a number that
/// went comes again.
#[derive(Debug)]
pub struct Server {
    policy: Policy,
    layout: Layout,
    memory: File,
    subjects: Vec<Subject>,
    window: Option<Window>,
}

#[derive(Debug)]
struct Subject {
    path: PathBuf,
    listener: UnixListener,
    connection: Option<UnixStream>,
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
        })
    }

    /// Lets whoever may open the socket [`SOCKET`](super::observer::SOCKET) in
    /// `folder` look at the region, but not write it.
    ///
    /// # Errors
    ///
    /// What the system says.
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

    /// Where a subject connects.
    pub fn socket(&self, subject: usize) -> &Path {
        &self.subjects[subject].path
    }

    /// Serves until `stop` becomes readable; `tell` hears who comes and goes.
    ///
    /// # Errors
    ///
    /// When the system refuses to wait.
    pub fn run(&mut self, stop: &impl AsFd, mut tell: impl FnMut(&str)) -> Result<()> {
        loop {
            let mut waits = vec![PollFd::new(stop, PollFlags::IN)];
            for subject in &self.subjects {
                waits.push(PollFd::new(&subject.listener, PollFlags::IN));
                if let Some(connection) = &subject.connection {
                    waits.push(PollFd::new(connection, PollFlags::IN));
                }
            }
            if let Some(window) = &self.window {
                waits.push(PollFd::new(&window.listener, PollFlags::IN));
            }
            match poll(&mut waits, None) {
                Err(rustix::io::Errno::INTR) => continue,
                result => result?,
            };
            if !waits[0].revents().is_empty() {
                return Ok(());
            }
            if let Some(window) = &self.window {
                window.show();
            }
            for number in 0..self.subjects.len() {
                if self.is_gone(number) {
                    self.leave(number, &mut tell);
                }
                while let Ok((connection, _)) = self.subjects[number].listener.accept() {
                    self.enter(number, connection, &mut tell);
                }
            }
        }
    }

    /// A client says nothing: what it sends is thrown away, and its end is the
    /// end of the connection.
    fn is_gone(&self, number: usize) -> bool {
        let Some(connection) = &self.subjects[number].connection else {
            return false;
        };
        let mut buffer = [0; 256];
        match io::Read::read(&mut &*connection, &mut buffer) {
            Ok(0) => true,
            Ok(_) => false,
            Err(error) => {
                error.kind() != io::ErrorKind::WouldBlock
                    && error.kind() != io::ErrorKind::Interrupted
            }
        }
    }

    fn enter(&mut self, number: usize, connection: UnixStream, tell: &mut impl FnMut(&str)) {
        let name = self.policy.subjects[number].clone();
        // The one before may have ended since it was looked at.
        if self.is_gone(number) {
            self.leave(number, tell);
        }
        if self.subjects[number].connection.is_some() {
            tell(&format!("{name}: refused, a connection is there already"));
            return;
        }
        if let Err(error) = self.greet(number, &connection) {
            tell(&format!("{name}: dropped while it connected: {error}"));
            return;
        }
        self.subjects[number].connection = Some(connection);
        tell(&format!("{name}: connected"));
    }

    /// Tells a new client who it is and who is there.
    fn greet(&self, number: usize, connection: &UnixStream) -> io::Result<()> {
        connection.set_nonblocking(true)?;
        message::send(connection, message::VERSION, None)?;
        message::send(connection, number as i64, None)?;
        message::send(connection, message::MEMORY, Some(self.memory.as_raw_fd()))?;
        let others = (0..self.subjects.len()).filter(|other| *other != number);
        for other in others.chain([number]) {
            self.introduce(connection, other)?;
        }
        Ok(())
    }

    /// Sends `whom`'s number with each of its vectors.
    fn introduce(&self, connection: &UnixStream, whom: usize) -> io::Result<()> {
        for vector in &self.subjects[whom].vectors {
            message::send(connection, whom as i64, Some(vector.as_raw_fd()))?;
        }
        Ok(())
    }

    /// The subject is gone: its channels become inactive, and their readers are rung.
    fn leave(&mut self, number: usize, tell: &mut impl FnMut(&str)) {
        if self.subjects[number].connection.take().is_none() {
            return;
        }
        tell(&format!("{}: disconnected", self.policy.subjects[number]));
        for vector in &self.subjects[number].vectors {
            // Rings that nobody heard are not for the next one; none is well, too.
            let _ = vector.read();
        }
        for (channel, offset) in self.policy.channels.iter().zip(&self.layout.offsets) {
            if channel.writer != number || channel.kind != MemoryKind::Channel {
                continue;
            }
            if let Err(error) = self.memory.write_all_at(&[0; 8], offset + EPOCH) {
                tell(&format!("{}: cannot deactivate: {error}", channel.name));
            }
            if let Some(vector) = vector_of(&self.policy, &channel.name) {
                // A full counter has rung already.
                let _ = self.subjects[channel.reader].vectors[usize::from(vector)].write(1);
            }
        }
    }

    /// The shared memory.
    pub fn memory(&self) -> io::Result<OwnedFd> {
        self.memory.as_fd().try_clone_to_owned()
    }
}
