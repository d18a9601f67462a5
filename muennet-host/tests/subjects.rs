// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two clients of a server: memory, events, and a subject that goes and comes again.

use muennet_core::{
    channel::Peer,
    framing::{Ethernet, Meta},
    link::{Received, Receiver, Sender},
    sinfo::Version,
};
use muennet_host::{
    ivshmem::{client::Client, server::Server},
    policy::Policy,
};
use rustix::event::{poll, PollFd, PollFlags};
use std::{
    num::NonZeroU64,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::mpsc,
    thread::JoinHandle,
};

const POLICY: &str = "
[[subject]]
name = \"a\"
[[subject]]
name = \"b\"
[[channel]]
name = \"wire\"
size = \"64K\"
writer = \"a\"
reader = \"b\"
event = true
[[memory]]
name = \"mtus\"
size = 400
writer = \"a\"
reader = \"b\"
";

const PROTOCOL: NonZeroU64 = NonZeroU64::new(7).unwrap();

/// A server in a thread, ended with the value.
struct Serving {
    folder: PathBuf,
    said: mpsc::Receiver<String>,
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    fn start(name: &str) -> Self {
        Self::of_version(name, Version::default())
    }

    fn of_version(name: &str, version: Version) -> Self {
        let folder = std::env::temp_dir().join(format!("muennet-{name}-{}", std::process::id()));
        let mut policy = Policy::parse(POLICY).unwrap();
        policy.sinfo_version = version;
        let mut server = Server::new(policy, &folder).unwrap();
        let (stop, stopped) = UnixStream::pair().unwrap();
        let (say, said) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let tell = |event: &str| drop(say.send(event.to_owned()));
            server.run(&stopped, tell).unwrap();
        });
        Self {
            folder,
            said,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    fn client(&self, name: &str) -> Client {
        let client = Client::connect(&self.socket(name)).unwrap();
        self.expect(&format!("{name}: connected"));
        client
    }

    fn socket(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.sock"))
    }

    fn expect(&self, event: &str) {
        assert_eq!(self.said.recv().unwrap(), event);
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(std::thread::panicking() || ended.is_ok());
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn frames_and_rings_cross_and_restarts_are_seen() {
    for version in Version::ALL {
        frames_and_rings_cross(version);
    }
}

fn frames_and_rings_cross(version: Version) {
    let serving = Serving::of_version(&format!("cross-{}", version.number()), version);
    let framing = Ethernet::new(1500).unwrap();
    let b = serving.client("b");
    assert_eq!(b.sinfo().unwrap().version(), version);
    let mut receiver = Receiver::new(b.input("wire").unwrap(), PROTOCOL, framing).unwrap();
    let vector = b.vector("wire").unwrap().unwrap();
    assert_eq!(receiver.peer(), Peer::Down);

    for round in 1..=3u64 {
        let a = serving.client("a");
        let notifier = a.notifier("wire").unwrap();
        assert!(notifier.is_some());
        let output = a.output("wire").unwrap();
        let mut sender = Sender::new(output, PROTOCOL, framing, notifier).unwrap();
        sender.activate(NonZeroU64::new(round).unwrap());
        sender.send(&[&[round as u8; 60]], Meta::default()).unwrap();
        poll(&mut [PollFd::new(&vector, PollFlags::IN)], None).unwrap();
        assert!(vector.clear() && !vector.clear());
        let mut frame = [0; 1514];
        assert_eq!(
            receiver.receive(&mut &mut frame[..]),
            Received::NewEpoch { epoch: round }
        );
        let received = receiver.receive(&mut &mut frame[..]);
        assert!(matches!(received, Received::Frame(frame) if frame.len == 60));
        assert_eq!(frame[..60], [round as u8; 60]);

        // It goes without a word: the epoch ends all the same, and the reader is rung.
        std::mem::forget(sender);
        drop(a);
        serving.expect("a: disconnected");
        poll(&mut [PollFd::new(&vector, PollFlags::IN)], None).unwrap();
        assert!(vector.clear());
        assert_eq!(receiver.peer(), Peer::Down);
    }
}

#[test]
fn rights_are_those_of_the_policy() {
    let serving = Serving::start("rights");
    let (a, b) = (serving.client("a"), serving.client("b"));
    let why = |error: muennet_host::ivshmem::client::ClientError| error.to_string();
    assert!(
        why(a.input("wire").unwrap_err()).contains("channel \"wire\": this channel is writable")
    );
    assert!(
        why(b.output("wire").unwrap_err()).contains("channel \"wire\": this channel is read-only")
    );
    assert!(why(b.input("mtus").unwrap_err()).contains("not a channel"));
    assert!(why(b.input("nowhere").unwrap_err()).contains("no memory of this name"));
}

#[test]
fn a_subject_is_one_process_at_a_time() {
    let serving = Serving::start("once");
    let a = serving.client("a");
    let error = Client::connect(&serving.socket("a"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("is another process this subject already?"),
        "{error}"
    );
    serving.expect("a: refused, a connection is there already");
    drop(a);
    serving.expect("a: disconnected");
    serving.client("a");
    let error = Client::connect(Path::new("/nonexistent/socket")).unwrap_err();
    assert!(error.to_string().contains("is muen-ivshmem running?"));
}
