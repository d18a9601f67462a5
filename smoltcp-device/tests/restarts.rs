// SPDX-License-Identifier: MIT OR Apache-2.0
//! Restarts: of this end and of the peer, in each way, with a peer that is silent or
//! busy. Frames from before an end came up are never received, frames from after all
//! are, and none twice.
#![cfg(feature = "embassy")]

use embassy_net_driver::{Driver as _, LinkState};
use muennet_core::{
    framing::{Ethernet, Framing, Meta},
    link::{Link, Receiver, Sender},
    notify::Notifier,
};
use muennet_host::{
    epoch,
    mapping::{Input, Output},
};
use smoltcp::{phy::RxToken as _, time::Instant};
use smoltcp_device::{
    embassy::{Bell, Driver},
    raw, Device,
};
use std::{
    fs::File,
    num::NonZeroU64,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    task::{Context, Wake, Waker},
};

const PROTOCOL: NonZeroU64 = NonZeroU64::new(0x7ade_5c54_9b08_e814).unwrap();
/// Frames of a busy peer in each of its lives; more than a device takes at once.
const FRAMES: usize = 20;
/// Twice as many, so that none is lost.
const ELEMENTS: usize = 64;

/// The ways in which an end starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// For the first time.
    First,
    /// It stops, which the other sees, and starts.
    Restart,
    /// It starts anew before the other looks.
    Quick,
    /// The value that held the channel is made anew.
    Reload,
}

const WAYS: [How; 4] = [How::First, How::Restart, How::Quick, How::Reload];

#[derive(Default)]
struct Rings(AtomicUsize);

impl Rings {
    fn take(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }
}

impl Notifier for Rings {
    fn notify(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The memory of a channel each way.
struct Wire {
    there: File,
    back: File,
    rings: Rings,
}

type Peer = Sender<Output, Ethernet, ()>;

impl Wire {
    fn new() -> Self {
        let channel = || {
            let memory = tempfile::tempfile().unwrap();
            memory.set_len(Self::len() as u64).unwrap();
            memory
        };
        Self {
            there: channel(),
            back: channel(),
            rings: Rings::default(),
        }
    }

    fn framing() -> Ethernet {
        Ethernet::new(1500).unwrap()
    }

    fn len() -> usize {
        64 + ELEMENTS * Self::framing().element_size()
    }

    fn link<F: Framing + Copy>(&self, framing: F) -> Link<Input, Output, F, &Rings> {
        let input = Input::new(&self.there, 0, Self::len()).unwrap();
        let output = Self::output(&self.back);
        Link {
            rx: Receiver::new(input, PROTOCOL, framing).unwrap(),
            tx: Sender::new(output, PROTOCOL, framing, &self.rings).unwrap(),
        }
    }

    fn output(channel: &File) -> Output {
        Output::new(channel, 0, Self::len()).unwrap()
    }

    fn peer(&self) -> Peer {
        Sender::new(Self::output(&self.there), PROTOCOL, Self::framing(), ()).unwrap()
    }
}

/// Frames that say which they are.
fn write(peer: &mut Peer, frames: core::ops::Range<usize>) {
    for number in frames {
        let frame = [number as u8; 60];
        peer.write(&[&frame], Meta::default()).unwrap();
    }
}

/// An end that is tried: a device over `wire`.
trait End<'a> {
    fn new(wire: &'a Wire) -> Self;
    fn up(&mut self);
    fn down(&mut self);
    /// The next frame's number.
    fn take(&mut self) -> Option<usize>;
    /// The rest of a loop: looks at the link.
    fn look(&mut self);
    /// Frames received and lost, as counted.
    fn counted(&mut self) -> (u64, u64);
}

type Smoltcp<'a> = Device<Input, Output, Ethernet, &'a Rings>;

impl<'a> End<'a> for Smoltcp<'a> {
    fn new(wire: &'a Wire) -> Self {
        Device::new(wire.link(Wire::framing()))
    }
    fn up(&mut self) {
        self.activate(epoch::random());
    }
    fn down(&mut self) {
        self.deactivate();
    }
    fn take(&mut self) -> Option<usize> {
        let (rx, _) = smoltcp::phy::Device::receive(self, Instant::ZERO)?;
        Some(rx.consume(|frame| frame[0].into()))
    }
    fn look(&mut self) {
        self.link_change();
    }
    fn counted(&mut self) -> (u64, u64) {
        (self.counters().received, self.counters().lost)
    }
}

static BELL: Bell = Bell::new();

#[derive(Default)]
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

type Embassy<'a> = Driver<'static, Input, Output, Ethernet, &'a Rings>;

impl<'a> End<'a> for Embassy<'a> {
    fn new(wire: &'a Wire) -> Self {
        Driver::new(Device::new(wire.link(Wire::framing())), [2; 6], &BELL)
    }
    fn up(&mut self) {
        self.device().activate(epoch::random());
    }
    fn down(&mut self) {
        self.device().deactivate();
    }
    fn take(&mut self) -> Option<usize> {
        let waker = Waker::from(Arc::new(Task::default()));
        let mut context = Context::from_waker(&waker);
        let (rx, _) = embassy_net_driver::Driver::receive(self, &mut context)?;
        Some(embassy_net_driver::RxToken::consume(rx, |frame| {
            frame[0].into()
        }))
    }
    fn look(&mut self) {
        let waker = Waker::from(Arc::new(Task::default()));
        self.link_state(&mut Context::from_waker(&waker));
    }
    fn counted(&mut self) -> (u64, u64) {
        let counters = self.device().counters();
        (counters.received, counters.lost)
    }
}

/// Frames that there are.
fn all<'a>(end: &mut impl End<'a>) -> Vec<usize> {
    end.look();
    std::iter::from_fn(|| end.take()).collect()
}

/// Frames that an end that starts in `way` receives of a peer that has sent, and sends.
fn we_start<'a, E: End<'a>>(wire: &'a Wire, how: How, busy: bool) {
    let what = format!("we: {how:?}, busy: {busy}");
    let mut peer = wire.peer();
    peer.activate(epoch::random());
    let mut end = E::new(wire);
    if how != How::First {
        end.up();
        write(&mut peer, 0..5);
        assert_eq!(all(&mut end), (0..5).collect::<Vec<_>>(), "{what}");
        // One is taken out of the channel and held.
        write(&mut peer, 5..7);
        assert_eq!(end.take(), Some(5), "{what}");
    }
    // From before, in each case.
    write(&mut peer, 10..15);
    match how {
        How::First | How::Quick => {}
        How::Restart => {
            end.down();
            write(&mut peer, 15..17);
        }
        How::Reload => {
            drop(end);
            write(&mut peer, 15..17);
            end = E::new(wire);
            write(&mut peer, 17..19);
        }
    }
    let before = end.counted();
    end.up();
    // What our start rings for is sent behind it.
    let expected: Vec<usize> = match busy {
        true => (100..100 + FRAMES).collect(),
        false => vec![],
    };
    write(&mut peer, 100..100 + expected.len());
    assert_eq!(all(&mut end), expected, "{what}");
    assert_eq!(all(&mut end), [], "{what}");
    let (received, lost) = end.counted();
    let count = expected.len() as u64;
    assert_eq!((received - before.0, lost), (count, 0), "{what}");
}

/// Frames that an end that is up receives of a peer that starts.
fn peer_starts<'a, E: End<'a>>(wire: &'a Wire, how: How, busy: bool) {
    let what = format!("peer: {how:?}, busy: {busy}");
    let mut end = E::new(wire);
    end.up();
    let mut peer = wire.peer();
    if how != How::First {
        peer.activate(epoch::random());
        write(&mut peer, 0..5);
        assert_eq!(all(&mut end), (0..5).collect::<Vec<_>>(), "{what}");
    }
    match how {
        How::First | How::Quick => {}
        How::Restart => {
            peer.deactivate();
            assert_eq!(all(&mut end), [], "{what}");
        }
        How::Reload => {
            drop(peer);
            peer = wire.peer();
        }
    }
    wire.rings.take();
    // Its first frames follow its start at once.
    peer.activate(epoch::random());
    let count = if busy { FRAMES } else { 0 };
    write(&mut peer, 100..100 + count);
    assert_eq!(
        all(&mut end),
        (100..100 + count).collect::<Vec<_>>(),
        "{what}"
    );
    assert_eq!(all(&mut end), [], "{what}");
    assert_eq!(end.counted().1, 0, "{what}");
    assert_eq!(wire.rings.take(), 1, "{what}: rung once for coming up");
}

fn matrix<E>()
where
    E: for<'a> Tried<'a>,
{
    for how in WAYS {
        for busy in [false, true] {
            E::we_start(&Wire::new(), how, busy);
            E::peer_starts(&Wire::new(), how, busy);
        }
    }
}

/// A kind of end, over any wire.
trait Tried<'a> {
    fn we_start(wire: &'a Wire, how: How, busy: bool);
    fn peer_starts(wire: &'a Wire, how: How, busy: bool);
}

macro_rules! tried {
    ($kind:ident, $end:ident) => {
        struct $kind;
        impl<'a> Tried<'a> for $kind {
            fn we_start(wire: &'a Wire, how: How, busy: bool) {
                we_start::<$end<'a>>(wire, how, busy);
            }
            fn peer_starts(wire: &'a Wire, how: How, busy: bool) {
                peer_starts::<$end<'a>>(wire, how, busy);
            }
        }
    };
}
tried!(SmoltcpEnd, Smoltcp);
tried!(EmbassyEnd, Embassy);

#[test]
fn smoltcps_device() {
    matrix::<SmoltcpEnd>();
}

#[test]
fn embassys_driver() {
    matrix::<EmbassyEnd>();
}

#[test]
fn embassy_is_told_of_one_down_between_two_epochs() {
    let wire = Wire::new();
    let mut end = <Embassy as End>::new(&wire);
    let task = Arc::new(Task::default());
    let waker = Waker::from(task.clone());
    let mut context = Context::from_waker(&waker);
    let woken = || task.0.swap(0, Ordering::Relaxed) > 0;
    end.up();
    let mut peer = wire.peer();
    for how in WAYS {
        match how {
            How::First => {}
            How::Restart => {
                peer.deactivate();
                assert!(end.link_state(&mut context) == LinkState::Down);
            }
            How::Quick => {}
            How::Reload => peer = wire.peer(),
        }
        peer.activate(epoch::random());
        write(&mut peer, 0..2);
        // Frames may be taken before the link is looked at.
        assert_eq!((end.take(), end.take()), (Some(0), Some(1)));
        if matches!(how, How::Quick | How::Reload) {
            // However many epochs passed unseen.
            peer.activate(epoch::random());
            woken();
            assert!(end.link_state(&mut context) == LinkState::Down, "{how:?}");
            assert!(woken(), "{how:?}: it looks again without an event");
        }
        for _ in 0..3 {
            assert!(end.link_state(&mut context) == LinkState::Up, "{how:?}");
        }
    }
}

#[test]
fn messages_in_raw_mode() {
    let wire = Wire::new();
    let framing = muennet_core::framing::Raw::new(8).unwrap();
    let mut peer = Sender::new(Wire::output(&wire.there), PROTOCOL, framing, ()).unwrap();
    peer.activate(epoch::random());
    let mut say = |text: &[u8]| peer.write(&[text], Meta::default()).unwrap();
    say(b"before");
    let mut port: raw::Port<_, _, _, 8> = raw::Port::new(wire.link(framing));
    port.activate(epoch::random());
    say(b"one");
    assert_eq!(
        port.receive(|text| text[..3].to_vec()),
        Some(b"one".to_vec())
    );
    say(b"before");
    port.activate(epoch::random());
    assert_eq!(port.receive(<[u8]>::to_vec), None);
    assert_eq!(port.counters().skipped, 2);
    wire.rings.take();
    peer.activate(epoch::random());
    port.peer();
    assert_eq!(port.receive(<[u8]>::to_vec), None);
    assert_eq!(wire.rings.take(), 1);
}
