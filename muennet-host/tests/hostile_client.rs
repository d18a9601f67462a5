// SPDX-License-Identifier: MIT OR Apache-2.0
//! Clients that send bytes and descriptors, read late or not at all, come in floods and go at
//! once: another subject connects meanwhile, and nothing of theirs is kept. The seed stands in
//! the code; the number of rounds is MUENNET_ROUNDS, or else a few.

use muennet_host::{
    ivshmem::{client::Client, observer::SOCKET, server::Server},
    policy::Policy,
};
use rustix::net::{sendmsg, SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use std::{
    fs::File,
    io::{IoSlice, Read, Write},
    mem::MaybeUninit,
    net::Shutdown,
    os::{fd::AsFd, unix::net::UnixStream},
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

/// Threads of the flood, and what each does.
const THREADS: usize = 3;
const ROUNDS: usize = 600;
/// Connections that a thread holds at most.
const HELD: usize = 40;
/// Connects of another subject: quiet ones, and in the flood at least.
const CONNECTS: usize = 100;

/// Subjects that are attacked, the other one, and many that lengthen the greeting.
fn policy() -> Policy {
    let mut text = String::new();
    for name in ["victim", "late", "other"] {
        text += &format!("[[subject]]\nname = \"{name}\"\n");
    }
    for number in 0..100 {
        text += &format!("[[subject]]\nname = \"s{number}\"\n");
    }
    for (name, reader) in [("wire", "other"), ("back", "victim")] {
        let writer = if reader == "other" { "victim" } else { "other" };
        text += &format!(
            "[[channel]]\nname = \"{name}\"\nsize = \"64K\"\nwriter = \"{writer}\"\n\
             reader = \"{reader}\"\nevent = true\n"
        );
    }
    Policy::parse(&text).unwrap()
}

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// One of the things that a hostile client does. What fails for it is no matter.
fn attack(folder: &Path, random: &mut fastrand::Rng, held: &mut Vec<UnixStream>) {
    let names = ["victim.sock", "late.sock", SOCKET];
    let connect = |random: &mut fastrand::Rng| {
        UnixStream::connect(folder.join(names[random.usize(0..names.len())])).ok()
    };
    let Some(mut socket) = connect(random) else {
        held.clear();
        return;
    };
    let mut bytes = vec![0; random.usize(1..5000)];
    random.fill(&mut bytes);
    match random.u32(0..8) {
        0 => {}
        1 => {
            let _ = socket.set_nonblocking(true);
            while socket.write_all(&bytes).is_ok() && random.u32(0..40) > 0 {}
        }
        2 => {
            let null = File::open("/dev/null").unwrap();
            let many = vec![null.as_fd(); random.usize(1..8)];
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            control.push(SendAncillaryMessage::ScmRights(&many));
            let short = [IoSlice::new(&bytes[..1])];
            let _ = sendmsg(&socket, &short, &mut control, SendFlags::NOSIGNAL);
            held.push(socket);
        }
        3 => {
            let _ = socket.set_read_timeout(Some(Duration::from_millis(1)));
            let _ = socket.read(&mut bytes);
        }
        4 => {
            let _ = socket.shutdown(Shutdown::Write);
            held.push(socket);
        }
        5 => {
            let _ = socket.shutdown(Shutdown::Read);
            held.push(socket);
        }
        6 => held.push(socket),
        _ => {
            for _ in 0..20 {
                drop(connect(random));
            }
        }
    }
    if held.len() > HELD {
        held.truncate(random.usize(0..HELD));
    }
}

/// Connects as "other", which is there once at a time; how long each took.
fn connects(folder: &Path, mut more: impl FnMut(usize) -> bool) -> Vec<Duration> {
    let mut took = Vec::new();
    while more(took.len()) {
        let start = Instant::now();
        let client = Client::connect(&folder.join("other.sock")).unwrap();
        took.push(start.elapsed());
        assert!(client.input("wire").is_ok());
        assert!(client.notifier("back").unwrap().is_some());
    }
    took.sort();
    took
}

#[test]
fn another_subject_connects_in_a_flood() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut server = Server::new(policy(), folder).unwrap();
    server.observe(folder).unwrap();
    let rounds = std::env::var("MUENNET_ROUNDS");
    let rounds = rounds.map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let (stop, stopper) = UnixStream::pair().unwrap();
    let lines = AtomicUsize::new(0);
    let (busy, done) = (THREADS, AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let serving = scope.spawn(|| {
            let count = |_: &str| {
                lines.fetch_add(1, Ordering::Relaxed);
            };
            server.run(&stop, count).unwrap();
        });
        let quiet = connects(folder, |count| count < CONNECTS);
        let before = open_descriptors();
        for seed in 1..=busy {
            let done = &done;
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(seed as u64);
                let mut held = Vec::new();
                (0..rounds).for_each(|_| attack(folder, &mut random, &mut held));
                done.fetch_add(1, Ordering::Relaxed);
            });
        }
        let flooded = connects(folder, |count| {
            count < CONNECTS || done.load(Ordering::Relaxed) < busy
        });
        // Each of these is a round of the server at least, in which it takes leave of those
        // that are gone and of one that waits at each socket.
        connects(folder, |count| count < 3 * CONNECTS);
        assert!(
            open_descriptors() < before + 50,
            "{} descriptors",
            open_descriptors()
        );
        for name in ["victim", "late"] {
            let client = Client::connect(&folder.join(format!("{name}.sock"))).unwrap();
            assert!(client.sinfo().is_ok());
        }
        let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
        println!(
            "seeds 1 to {busy}, {rounds} rounds each; another subject connects within {:.2} ms \
             quiet and {:.2} ms in the flood, at most {:.2} and {:.2}; {} lines",
            ms(quiet[quiet.len() / 2]),
            ms(flooded[flooded.len() / 2]),
            ms(*quiet.last().unwrap()),
            ms(*flooded.last().unwrap()),
            lines.load(Ordering::Relaxed),
        );
        drop(stopper);
        serving.join().unwrap();
    });
}
