// SPDX-License-Identifier: MIT OR Apache-2.0
//! A server that lies to its clients: each ends with an error, keeps no more than it needs,
//! and waits no longer than its limit.

use muennet_core::{
    ivshmem::{Directory, Doorbell, BLOCK_SIZE, EVENT_TABLE, PAGE_SIZE},
    sinfo::{Builder, MemoryKind, Version},
};
use muennet_host::ivshmem::{
    client::{Client, ClientError},
    observer::Observer,
};
use rustix::{
    fs::{ftruncate, memfd_create, MemfdFlags},
    net::{sendmsg, SendAncillaryBuffer, SendAncillaryMessage, SendFlags},
};
use std::{
    fs::File,
    io::{IoSlice, Write},
    mem::MaybeUninit,
    os::{
        fd::AsFd,
        unix::{
            fs::FileExt,
            net::{UnixListener, UnixStream},
        },
    },
};

/// Bytes of the region: two blocks and a channel.
const SIZE: u64 = 1 << 18;
const CHANNEL: u64 = (PAGE_SIZE + 2 * BLOCK_SIZE) as u64;

/// A region in which subject 0 writes a channel to subject 1, and rings it; `change` makes
/// it another.
fn region(change: impl FnOnce(&mut [u8])) -> File {
    let memory = memfd_create("lie", MemfdFlags::CLOEXEC).unwrap();
    ftruncate(&memory, SIZE).unwrap();
    let mut head = vec![0; CHANNEL as usize];
    let directory = Directory {
        subjects: 2,
        region_size: SIZE,
    };
    head[..Directory::SIZE].copy_from_slice(&directory.to_bytes());
    for (number, name) in ["a\u{1b}[2J", "b\n"].into_iter().enumerate() {
        let block = &mut head[PAGE_SIZE + number * BLOCK_SIZE..][..BLOCK_SIZE];
        let (sinfo, events) = block.split_at_mut(EVENT_TABLE);
        let mut builder = Builder::new(sinfo, Version::V5, name, 1).unwrap();
        let writes = number == 0;
        builder
            .memory("x\u{1b}[31m", MemoryKind::Channel, CHANNEL, 8192, writes)
            .unwrap();
        events.fill(0xff);
        if writes {
            builder.event("x\u{1b}[31m", 0).unwrap();
            let bell = Doorbell { peer: 1, vector: 2 };
            events[..4].copy_from_slice(&Doorbell::entry(Some(bell)));
        }
    }
    change(&mut head);
    let memory = File::from(memory);
    memory.write_all_at(&head, 0).unwrap();
    memory
}

/// A message, with descriptors.
fn say(socket: &UnixStream, number: i64, descriptors: &[&File]) {
    let descriptors: Vec<_> = descriptors.iter().map(|file| file.as_fd()).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(&descriptors));
    }
    let bytes = number.to_le_bytes();
    // A client that gave up is no matter.
    let _ = sendmsg(
        socket,
        &[IoSlice::new(&bytes)],
        &mut control,
        SendFlags::NOSIGNAL,
    );
}

/// Runs `serve` for one client that connects as `connect`.
fn against<T>(
    serve: impl FnOnce(UnixStream) + Send + 'static,
    connect: impl FnOnce(&std::path::Path) -> T,
) -> T {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lie.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let serving = std::thread::spawn(move || serve(listener.accept().unwrap().0));
    let result = connect(&path);
    serving.join().unwrap();
    result
}

fn client(serve: impl FnOnce(UnixStream) + Send + 'static) -> Result<Client, ClientError> {
    against(serve, Client::connect)
}

/// Version, number and memory.
fn head(socket: &UnixStream, number: i64, memory: &File) {
    say(socket, 0, &[]);
    say(socket, number, &[]);
    say(socket, -1, &[memory]);
}

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn a_server_that_speaks_out_of_turn_is_left() {
    let error = client(|socket| say(&socket, 1, &[])).unwrap_err();
    assert!(matches!(error, ClientError::OutOfTurn(1)), "{error}");
    let error = client(|socket| {
        say(&socket, 0, &[]);
        say(&socket, 0, &[]);
        say(&socket, -1, &[]);
    });
    assert!(matches!(error.unwrap_err(), ClientError::OutOfTurn(-1)));
    let error = client(|mut socket| socket.write_all(&[0; 5]).unwrap()).unwrap_err();
    assert!(matches!(error, ClientError::Broken(_)), "{error}");
    // A chain of causes says each of them once.
    let chain = format!("{:#}", anyhow::Error::new(error));
    assert_eq!(
        chain.matches("unexpected end of file").count(),
        1,
        "{chain}"
    );
    let error = client(|_| ()).unwrap_err();
    assert!(matches!(error, ClientError::Ended), "{error}");
    assert!(!error.to_string().contains("end of file"));
}

#[test]
fn numbers_and_regions_are_checked() {
    for number in [2, -1, i64::MAX, i64::MIN] {
        let error = client(move |socket| head(&socket, number, &region(|_| ())));
        assert!(matches!(error.unwrap_err(), ClientError::NoBlock(_)));
    }
    let error = client(|socket| head(&socket, 0, &region(|head| head[0] = 0)));
    assert!(matches!(error.unwrap_err(), ClientError::Directory(_)));
    let error = client(|socket| head(&socket, 0, &region(|head| head[PAGE_SIZE] ^= 1)));
    assert!(matches!(error.unwrap_err(), ClientError::Sinfo(_)));
    // No region at all.
    let error = client(|socket| head(&socket, 0, &File::open("/dev/null").unwrap()));
    assert!(matches!(error.unwrap_err(), ClientError::Broken(_)));
}

#[test]
fn a_flood_of_descriptors_is_not_kept() {
    let before = open_descriptors();
    let error = client(|socket| {
        let memory = region(|_| ());
        head(&socket, 0, &memory);
        for _ in 0..1000 {
            // Of another peer; more at once than a message has.
            say(&socket, 1, &[&memory, &memory]);
        }
    });
    // More vectors than there are.
    assert!(matches!(error.unwrap_err(), ClientError::OutOfTurn(1)));
    let error = client(|socket| {
        let memory = region(|_| ());
        head(&socket, 0, &memory);
        say(&socket, 7, &[&memory]);
    });
    assert!(matches!(error.unwrap_err(), ClientError::OutOfTurn(7)));
    // Those of other tests may come and go meanwhile.
    assert!(open_descriptors() < before + 100);
}

#[test]
fn what_is_no_eventfd_rings_nobody_and_blocks_nobody() {
    let client = client(|socket| {
        let memory = region(|_| ());
        head(&socket, 0, &memory);
        let null = File::open("/dev/null").unwrap();
        (0..3).for_each(|_| say(&socket, 1, &[&null]));
        say(&socket, 0, &[&null]);
    })
    .unwrap();
    let name = "x\u{1b}[31m";
    let ringer = client.notifier(name).unwrap().unwrap();
    muennet_core::notify::Notifier::notify(&ringer);
    assert!(client.vector(name).unwrap().is_none());
    assert!(client.output(name).is_ok());
}

#[test]
fn a_region_that_is_cut_short_is_an_inactive_channel() {
    let memory = region(|_| ());
    let again = memory.try_clone().unwrap();
    let client = client(move |socket| {
        head(&socket, 0, &memory);
        say(&socket, 0, &[&memory]);
    })
    .unwrap();
    let output = client.output("x\u{1b}[31m").unwrap();
    let extent = output.extent();
    let one = std::num::NonZeroU64::MIN;
    let mut writer = muennet_core::channel::Writer::new(output, one, 100).unwrap();
    ftruncate(&again, 0).unwrap();
    writer.activate(one);
    assert!(extent.is_cut());
    assert!(client.output("x\u{1b}[31m").is_err());
}

#[test]
fn an_observer_shows_names_without_their_tricks() {
    let observer = against(
        |socket| {
            say(&socket, 0, &[]);
            say(&socket, -1, &[&region(|_| ())]);
        },
        Observer::connect,
    )
    .unwrap();
    let channel = &observer.channels()[0];
    assert_eq!(channel.name, "x\\x1b[31m");
    assert_eq!(channel.writer.as_deref(), Some("a\\x1b[2J"));
    assert_eq!(channel.reader.as_deref(), Some("b\\n"));
    assert!(observer.input(channel).is_ok());
}

#[test]
fn an_observer_believes_no_directory() {
    for lie in [
        |head: &mut [u8]| head[12..16].fill(0xff),
        |head: &mut [u8]| head[32..40].fill(0xff),
        |head: &mut [u8]| head[PAGE_SIZE + 78..][..2].fill(0xff),
    ] {
        let observed = against(
            move |socket| {
                say(&socket, 0, &[]);
                say(&socket, -1, &[&region(lie)]);
            },
            Observer::connect,
        );
        // A count of resources may be larger than there are; all else is refused.
        if let Ok(observer) = observed {
            assert_eq!(observer.channels().len(), 1);
        }
    }
}

/// Rounds of a random server; MUENNET_ROUNDS sets another number.
const ROUNDS: usize = 400;

/// Says random things: right ones up to some place, then numbers, descriptors of any kind or
/// none, short messages; then it is gone.
fn babble(mut socket: UnixStream, seed: u64, observed: bool) {
    let mut random = fastrand::Rng::with_seed(seed);
    let memory = region(|head| {
        for _ in 0..random.usize(0..6) {
            // Where something lies most often.
            let at = match random.u32(0..3) {
                0 => random.usize(0..64),
                1 => PAGE_SIZE + random.usize(0..512),
                _ => random.usize(0..head.len()),
            };
            head[at] = random.u8(..);
        }
    });
    let null = File::open("/dev/null").unwrap();
    let short = File::from(memfd_create("short", MemfdFlags::CLOEXEC).unwrap());
    let right = [(0, None), (0, None), (-1, Some(&memory))];
    let right = right.iter().skip(usize::from(observed));
    for (number, file) in right.take(random.usize(1..8)) {
        match random.u32(0..12) {
            0 => say(&socket, random.i64(..), file.as_slice()),
            1 => say(&socket, *number, &[]),
            2 => say(&socket, *number, &[&null, &short]),
            3 => say(&socket, *number, &[&short]),
            _ => say(&socket, *number, file.as_slice()),
        }
    }
    for _ in 0..random.usize(0..12) {
        let number = [-1, 0, 0, 0, 1, 1, 2, random.i64(..)][random.usize(0..8)];
        match random.u32(0..8) {
            0 => say(&socket, number, &[]),
            1 => say(&socket, number, &[&memory]),
            2 => say(&socket, number, &[&null; 5]),
            3 => {
                let mut bytes = vec![0; random.usize(1..40)];
                random.fill(&mut bytes);
                let _ = socket.write_all(&bytes);
            }
            _ => say(&socket, number, &[&null]),
        }
    }
}

#[test]
fn no_stream_of_messages_harms_a_client() {
    let rounds = std::env::var("MUENNET_ROUNDS");
    let rounds = rounds.map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let before = open_descriptors();
    let mut connected = 0;
    for seed in 0..rounds as u64 {
        if let Ok(client) = client(move |socket| babble(socket, seed, false)) {
            connected += 1;
            let name = "x\u{1b}[31m";
            let _ = (client.input(name), client.output(name), client.memory(name));
            let _ = client.vector(name);
            if let Ok(Some(ringer)) = client.notifier(name) {
                muennet_core::notify::Notifier::notify(&ringer);
            }
        }
        let observed = against(move |socket| babble(socket, seed, true), Observer::connect);
        if let Ok(observer) = observed {
            connected += 1;
            for channel in observer.channels() {
                let _ = observer.input(channel);
                assert!(!channel.name.contains(char::is_control));
            }
        }
    }
    println!("seeds 0 to {rounds}: {connected} connected");
    assert!(connected > 0 && connected < 2 * rounds);
    // Those of other tests may come and go meanwhile.
    assert!(open_descriptors() < before + 100);
}
