// SPDX-License-Identifier: MIT OR Apache-2.0
//! Looking at a region without being a subject.
//!
//! A client of the socket [`SOCKET`] gets the protocol's first message and the shared memory,
//! opened read-only; then the connection ends. The client finds the channels by the subject
//! information of the subjects.

use super::{
    client::{ClientError, Incoming},
    greeting::{Attached, Greeting},
};
use crate::mapping::Input;
use anyhow::Context;
use muennet_core::{
    ivshmem::Directory,
    sinfo::{self, MemoryKind, Sinfo},
};
use rustix::fs::{fchmod, Mode};
use std::{
    fs::{File, OpenOptions},
    io,
    os::{
        fd::{AsFd, AsRawFd},
        unix::{
            fs::FileExt,
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
};

/// Name of the socket in the folder of the subjects' sockets; theirs end in `.sock`.
pub const SOCKET: &str = "observe";

/// The server's side.
#[derive(Debug)]
pub(super) struct Window {
    path: PathBuf,
    pub(super) listener: UnixListener,
    memory: File,
}

impl Window {
    pub(super) fn open(folder: &Path, memory: &File) -> anyhow::Result<Self> {
        // The subjects have their descriptors from us. Nobody else but root can
        // make this one writable.
        fchmod(memory, Mode::RUSR)?;
        let again = format!("/proc/self/fd/{}", memory.as_raw_fd());
        let memory = OpenOptions::new().read(true).open(&again);
        let memory = memory.with_context(|| format!("cannot open {again} for reading"))?;
        let path = folder.join(SOCKET);
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path)
            .with_context(|| format!("cannot listen at {}", path.display()))?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            path,
            listener,
            memory,
        })
    }

    /// Shows the region to one who waits.
    ///
    /// # Errors
    ///
    /// When the system has no descriptor for the connection.
    pub(super) fn show(&self) -> io::Result<()> {
        let (connection, _) = self.listener.accept()?;
        // A fresh socket has room for two messages. One that fails goes without.
        let _ = Greeting::of_observer().send(&connection, |attached| {
            (attached == Attached::Memory).then(|| self.memory.as_fd())
        });
        Ok(())
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A channel of the region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// Its name.
    pub name: String,
    /// Offset of its first byte in the shared memory.
    pub offset: u64,
    /// Bytes.
    pub size: u64,
    /// The subject that writes it.
    pub writer: Option<String>,
    /// The subject that reads it.
    pub reader: Option<String>,
}

/// A region to be looked at.
#[derive(Debug)]
pub struct Observer {
    memory: File,
    channels: Vec<Observed>,
}

impl Observer {
    /// Asks the server's socket for the region.
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
        let memory = incoming.memory()?;
        let mut head = [0; Directory::SIZE];
        memory.read_exact_at(&mut head, 0)?;
        let directory = Directory::parse(&head, memory.metadata()?.len())?;
        let mut channels = Vec::new();
        let mut bytes = vec![0; sinfo::SIZE];
        for number in 0..directory.subjects {
            let Some(block) = directory.block(number) else {
                break;
            };
            memory.read_exact_at(&mut bytes, block)?;
            gather(&Sinfo::parse(&bytes)?, &mut channels);
        }
        channels.sort_by_key(|channel| channel.offset);
        Ok(Self { memory, channels })
    }

    /// The channels, by their places in the region.
    pub fn channels(&self) -> &[Observed] {
        &self.channels
    }

    /// Maps a channel for reading.
    ///
    /// # Errors
    ///
    /// [`ClientError::Channel`] when the region is too short for it.
    pub fn input(&self, channel: &Observed) -> Result<Input, ClientError> {
        Input::new(&self.memory, channel.offset, channel.size as usize).map_err(|error| {
            ClientError::Channel {
                name: channel.name.clone(),
                why: error.to_string(),
            }
        })
    }
}

/// Adds a subject's channels to those that are known.
fn gather(sinfo: &Sinfo<'_>, channels: &mut Vec<Observed>) {
    for resource in sinfo.resources() {
        let Some(memory) = resource
            .memory()
            .filter(|memory| memory.kind == MemoryKind::Channel)
        else {
            continue;
        };
        let name = resource.name.to_string();
        let place = channels.iter().position(|channel| channel.name == name);
        let place = place.unwrap_or_else(|| {
            channels.push(Observed {
                name,
                offset: memory.address,
                size: memory.size,
                writer: None,
                reader: None,
            });
            channels.len() - 1
        });
        let end = if memory.writable {
            &mut channels[place].writer
        } else {
            &mut channels[place].reader
        };
        *end = Some(sinfo.subject().to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ivshmem::server::Server, mapping::Output, policy::Policy};
    use muennet_core::sinfo::Version;

    const POLICY: &str = "[[subject]]\nname = \"a\"\n[[subject]]\nname = \"b\"\n\
        [[channel]]\nname = \"x|in\"\nsize = 8192\nwriter = \"a\"\nreader = \"b\"\n\
        [[channel]]\nname = \"y\"\nsize = 4096\nwriter = \"b\"\nreader = \"a\"\n";

    #[test]
    fn an_observer_sees_all_and_writes_nothing() {
        for version in Version::ALL {
            observe(version);
        }
    }

    fn observe(version: Version) {
        let folder = tempfile::tempdir().unwrap();
        let mut policy = Policy::parse(POLICY).unwrap();
        policy.sinfo_version = version;
        let mut server = Server::new(policy, folder.path()).unwrap();
        let socket = folder.path().join(SOCKET);
        assert!(matches!(
            Observer::connect(&socket),
            Err(ClientError::Connect { .. })
        ));
        server.observe(folder.path()).unwrap();
        let (stop, stopper) = UnixStream::pair().unwrap();
        let offsets = server.layout().offsets.clone();
        let memory = server.memory().unwrap();
        let serving = std::thread::spawn(move || server.run(&stop, |_| {}));

        let observer = Observer::connect(&socket).unwrap();
        let channels: Vec<_> = observer
            .channels()
            .iter()
            .map(|it| (it.name.as_str(), it.offset, it.size, &it.writer, &it.reader))
            .collect();
        let (a, b) = (Some("a".to_owned()), Some("b".to_owned()));
        assert_eq!(
            channels,
            [
                ("x|in", offsets[0], 8192, &a, &b),
                ("y", offsets[1], 4096, &b, &a)
            ]
        );
        let first = &observer.channels()[0];
        assert!(observer.input(first).is_ok());
        assert!(Output::new(&observer.memory, first.offset, 4096).is_err());
        assert!(observer.memory.write_at(&[1], 0).is_err());
        // The subjects' descriptor still can.
        assert!(Output::new(&memory, first.offset, 4096).is_ok());

        drop(stopper);
        serving.join().unwrap().unwrap();
        assert!(!socket.exists());
    }
}
