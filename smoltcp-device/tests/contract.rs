// SPDX-License-Identifier: MIT OR Apache-2.0
//! The contract of tokens, hints and counters, as the device's users rely on it.

use muennet_core::{
    channel::Peer,
    event::Events,
    framing::{Dynamic, Ethernet, Framing, NetHdr, Raw},
    link::Received,
    notify::Notifier,
};
use muennet_host::{
    epoch,
    in_process::links,
    mapping::{Input, Output},
};
use smoltcp::{
    phy::{Checksum, ChecksumCapabilities, Device as _, Medium, RxToken as _, TxToken as _},
    time::{Duration, Instant},
};
use smoltcp_device::{raw, Device, Next, Options, Ring, Selected, StackFraming};
use std::{
    num::NonZeroU64,
    panic::{catch_unwind, AssertUnwindSafe},
    sync::atomic::{AtomicUsize, Ordering},
};

const PROTOCOL: NonZeroU64 = muennet_core::framing::SOLO5_PROTOCOL;
const ELEMENTS: usize = 8;
const NOW: Instant = Instant::ZERO;

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

type End<'a, F> = Device<Input, Output, F, &'a Rings>;

/// Two devices on one wire, both active; the rings are those of the first.
fn pair<F: StackFraming + Clone>(rings: &Rings, framing: F) -> (End<'_, F>, End<'_, F>) {
    let len = 64 + ELEMENTS * framing.element_size();
    let other = Box::leak(Box::default());
    let (a, b) = links(len, PROTOCOL, framing, (rings, &*other)).unwrap();
    let (mut a, mut b) = (Device::new(a), Device::new(b));
    a.activate(epoch::random());
    b.activate(epoch::random());
    (a, b)
}

fn ethernet(rings: &Rings) -> (End<'_, Ethernet>, End<'_, Ethernet>) {
    pair(rings, Ethernet::new(1500).unwrap())
}

fn send<F: StackFraming>(device: &mut End<'_, F>, frame: &[u8]) {
    let token = device.transmit(NOW).expect("always ready");
    token.consume(frame.len(), |room| room.copy_from_slice(frame));
    device.publish();
}

fn receive<F: StackFraming>(device: &mut End<'_, F>) -> Option<Vec<u8>> {
    let (rx, _) = device.receive(NOW)?;
    Some(rx.consume(<[u8]>::to_vec))
}

#[test]
fn a_receive_token_dropped_unused_loses_nothing() {
    let rings = Rings::default();
    let (mut a, mut b) = ethernet(&rings);
    send(&mut a, &[1; 60]);
    send(&mut a, &[2; 61]);
    for _ in 0..3 {
        assert!(b.receive(NOW).is_some());
        assert!(b.has_pending());
    }
    assert_eq!(receive(&mut b), Some(vec![1; 60]));
    assert_eq!(receive(&mut b), Some(vec![2; 61]));
    assert_eq!(receive(&mut b), None);
    assert_eq!(b.counters().received, 2);
    assert_eq!(b.counters().received_bytes, 121);
}

#[test]
fn a_transmit_token_dropped_unused_sends_and_reserves_nothing() {
    let rings = Rings::default();
    let (mut a, mut b) = ethernet(&rings);
    for _ in 0..10 * ELEMENTS {
        assert!(a.transmit(NOW).is_some());
    }
    send(&mut a, &[1; 60]);
    assert_eq!(receive(&mut b), Some(vec![1; 60]));
    assert_eq!(receive(&mut b), None);
    assert_eq!(a.counters().sent, 1);
}

#[test]
fn a_frame_is_answered_while_it_is_held() {
    let rings = Rings::default();
    let (mut a, mut b) = ethernet(&rings);
    send(&mut a, &[7; 60]);
    let (rx, tx) = b.receive(NOW).unwrap();
    rx.consume(|frame| tx.consume(frame.len(), |room| room.copy_from_slice(frame)));
    b.publish();
    assert_eq!(receive(&mut a), Some(vec![7; 60]));
}

#[test]
fn frames_are_published_some_at_a_time_and_at_the_latest_by_the_next_poll() {
    let rings = Rings::default();
    let (mut a, mut b) = ethernet(&rings);
    assert_eq!(receive(&mut b), None);
    let send = |a: &mut End<'_, Ethernet>| {
        let token = a.transmit(NOW).unwrap();
        token.consume(60, |room| room.fill(3));
    };
    send(&mut a);
    assert!(!b.has_pending());
    assert_eq!(receive(&mut a), None);
    assert_eq!(receive(&mut b), Some(vec![3; 60]));
    while !b.has_pending() {
        send(&mut a);
    }
    let mut together = 0;
    while receive(&mut b).is_some() {
        together += 1;
    }
    assert!(together > 1 && together <= ELEMENTS);
}

#[test]
fn a_panic_in_a_closure_leaves_no_torn_frame() {
    let rings = Rings::default();
    let (mut a, mut b) = ethernet(&rings);
    assert_eq!(receive(&mut b), None);
    let sending = catch_unwind(AssertUnwindSafe(|| {
        let token = a.transmit(NOW).unwrap();
        token.consume(100, |room| {
            room.fill(9);
            panic!("half a frame");
        })
    }));
    assert!(sending.is_err());
    assert!(!b.has_pending());
    send(&mut a, &[1; 60]);
    let taking = catch_unwind(AssertUnwindSafe(|| {
        let (rx, _) = b.receive(NOW).unwrap();
        rx.consume(|_| panic!("cannot stand it"))
    }));
    assert!(taking.is_err());
    // The frame that was taken is gone; the next one is whole.
    send(&mut a, &[2; 60]);
    assert_eq!(receive(&mut b), Some(vec![2; 60]));
    assert_eq!(receive(&mut b), None);
    assert_eq!(a.counters().sent, 2);
}

#[test]
fn one_ring_for_a_batch() {
    let rings = Rings::default();
    let (mut a, _b) = ethernet(&rings);
    assert_eq!(rings.take(), 1, "activation rings");
    for _ in 0..5 {
        send(&mut a, &[1; 60]);
    }
    assert_eq!(rings.take(), 0);
    a.flush();
    a.flush();
    assert_eq!(rings.take(), 1);
    a.deactivate();
    a.deactivate();
    assert_eq!(rings.take(), 1, "deactivation rings");
}

#[test]
fn a_ring_for_each_frame_if_so_chosen() {
    let (rings, others) = (Rings::default(), Rings::default());
    let framing = Ethernet::new(1500).unwrap();
    let len = 64 + ELEMENTS * framing.element_size();
    let (a, _b) = links(len, PROTOCOL, framing, (&rings, &others)).unwrap();
    let options = Options {
        ring: Ring::EachFrame,
        ..Options::default()
    };
    let mut a: End<'_, _> = Device::with_options(a, options);
    a.activate(epoch::random());
    rings.take();
    for _ in 0..5 {
        send(&mut a, &[1; 60]);
    }
    assert_eq!(rings.take(), 5);
    a.flush();
    assert_eq!(rings.take(), 0);
}

#[test]
fn a_slow_reader_counts_what_it_lost() {
    let rings = Rings::default();
    let (mut a, mut b) = ethernet(&rings);
    assert_eq!(receive(&mut b), None);
    let sent = 3 * ELEMENTS;
    for number in 0..sent {
        send(&mut a, &[number as u8; 60]);
    }
    let mut received = vec![];
    while let Some(frame) = receive(&mut b) {
        received.push(frame[0]);
    }
    assert!(received.is_sorted());
    let counters = b.counters();
    assert_eq!(counters.lost + counters.received, sent as u64);
    assert!(counters.lost > 0);
    send(&mut a, &[99; 60]);
    assert_eq!(receive(&mut b), Some(vec![99; 60]));
}

#[test]
fn what_cannot_be_sent_is_counted() {
    let rings = Rings::default();
    let (mut a, mut b) = ethernet(&rings);
    send(&mut a, &[1; 13]);
    a.deactivate();
    send(&mut a, &[1; 60]);
    assert_eq!(a.counters().not_sent, 2);
    assert_eq!(receive(&mut b), None);
}

#[test]
fn frames_beside_one_that_cannot_be_sent_are_counted_and_sent() {
    let rings = Rings::default();
    let (mut a, mut b) = ethernet(&rings);
    send(&mut a, &[1; 60]);
    let counters = a.counters();
    assert_eq!((counters.sent, counters.sent_bytes), (1, 60));
    // Held together, and published by one call.
    for len in [61, 13, 62] {
        let token = a.transmit(NOW).unwrap();
        token.consume(len, |room| room.fill(2));
    }
    a.flush();
    let counters = a.counters();
    assert_eq!((counters.sent, counters.sent_bytes), (3, 183));
    assert_eq!(counters.not_sent, 1);
    assert!(rings.take() > 0);
    let lengths = std::iter::from_fn(|| receive(&mut b)).map(|frame| frame.len());
    assert!(lengths.eq([60, 61, 62]));
}

#[test]
fn a_device_that_is_detached_sends_no_more_and_leaves_its_frames() {
    let rings = Rings::default();
    let (mut a, mut b) = ethernet(&rings);
    let token = a.transmit(NOW).unwrap();
    token.consume(60, |room| room.fill(4));
    a.detach();
    assert!(matches!(b.peer(), Peer::Up { .. }));
    assert_eq!(receive(&mut b), Some(vec![4; 60]));
    send(&mut a, &[5; 60]);
    assert_eq!(receive(&mut b), None);
    assert_eq!((a.counters().sent, a.counters().not_sent), (1, 1));
}

#[test]
fn counters_are_a_line() {
    let rings = Rings::default();
    let (mut a, mut b) = ethernet(&rings);
    send(&mut a, &[1; 60]);
    receive(&mut b).unwrap();
    assert_eq!(
        b.counters().to_string(),
        "1 frames received, 0 sent, 0 lost, 0 rejected, 1 starts of the peer, 0 skipped"
    );
}

#[test]
fn hints_say_when_to_poll() {
    let rings = Rings::default();
    let (mut a, mut b) = ethernet(&rings);
    // The peer's start is news.
    assert_eq!(b.next_poll(None), Next::Now);
    assert_eq!(receive(&mut b), None);
    assert_eq!(b.next_poll(None), Next::OnEvent);
    let delay = Duration::from_millis(5);
    assert_eq!(b.next_poll(Some(delay)), Next::Within(delay.into()));
    assert_eq!(b.next_poll(Some(Duration::ZERO)), Next::Now);
    send(&mut a, &[1; 60]);
    assert_eq!(b.next_poll(Some(delay)), Next::Now);
    assert!(receive(&mut b).is_some());
    assert_eq!(b.next_poll(None), Next::OnEvent);
    a.deactivate();
    assert_eq!(b.next_poll(None), Next::Now);

    let watch = core::time::Duration::from_millis(1);
    let slept = |next: Next, watch| {
        let mut sleep = Sleeps(vec![]);
        next.wait(&mut sleep, watch).unwrap();
        sleep.0
    };
    assert_eq!(slept(Next::Now, Some(watch)), []);
    assert_eq!(slept(Next::OnEvent, None), [None]);
    assert_eq!(slept(Next::OnEvent, Some(watch)), [Some(watch)]);
    assert_eq!(
        slept(Next::Within(delay.into()), Some(watch)),
        [Some(watch)]
    );
    assert_eq!(
        slept(Next::Within(watch / 2), Some(watch)),
        [Some(watch / 2)]
    );
    assert_eq!(slept(Next::Within(watch), None), [Some(watch)]);
}

/// Takes note of how long it was to sleep.
struct Sleeps(Vec<Option<core::time::Duration>>);

impl Events for Sleeps {
    type Error = std::convert::Infallible;

    fn wait(&mut self, limit: Option<core::time::Duration>) -> Result<(), Self::Error> {
        self.0.push(limit);
        Ok(())
    }
}

#[test]
fn the_link_follows_the_peer() {
    let rings = Rings::default();
    let (mut a, mut b) = ethernet(&rings);
    let Some(Peer::Up { epoch: first }) = b.link_change() else {
        panic!("the peer is active");
    };
    assert_eq!(b.link_change(), None);
    a.activate(epoch::random());
    let Some(Peer::Up { epoch: second }) = b.link_change() else {
        panic!("the peer started anew");
    };
    assert_ne!(first, second);
    a.deactivate();
    assert_eq!(b.link_change(), Some(Peer::Down));
    assert_eq!(b.link_change(), None);
    assert_eq!(receive(&mut b), None);
    a.activate(epoch::random());
    assert_eq!(receive(&mut b), None);
    // An epoch that came and went unseen is not counted.
    assert_eq!(b.counters().epochs, 1);
}

#[test]
fn capabilities_are_honest() {
    let framing = Ethernet::new(9000).unwrap();
    let len = 64 + ELEMENTS * framing.element_size();
    let (a, b) = links(len, PROTOCOL, framing, ((), ())).unwrap();
    let device: Device<_, _, _, _> = Device::new(a);
    let capabilities = device.capabilities();
    assert_eq!(capabilities.medium, Medium::Ethernet);
    // No more than the buffers hold.
    assert_eq!(capabilities.max_transmission_unit, 1514);
    assert_eq!(capabilities.max_burst_size, Some(ELEMENTS));
    assert!(capabilities.checksum.tcp.rx() && capabilities.checksum.tcp.tx());
    let mut checksum = ChecksumCapabilities::ignored();
    checksum.udp = Checksum::Tx;
    let options = Options {
        checksum,
        max_burst: Some(3),
        ..Options::default()
    };
    let device: Device<_, _, _, _, 9014> = Device::with_options(b, options);
    let capabilities = device.capabilities();
    assert_eq!(capabilities.max_transmission_unit, 9014);
    assert_eq!(capabilities.max_burst_size, Some(3));
    assert!(!capabilities.checksum.tcp.rx() && capabilities.checksum.udp.tx());
}

#[test]
fn room_for_a_tag_is_no_part_of_the_mtu() {
    let framing = Ethernet::with_vlan(1500).unwrap();
    assert_eq!(framing.element_size(), 1520);
    let len = 64 + ELEMENTS * framing.element_size();
    let (a, mut b) = links(len, PROTOCOL, framing, ((), ())).unwrap();
    let mut tagged: Device<_, _, _, _, 1518> = Device::new(a);
    assert_eq!(tagged.capabilities().max_transmission_unit, 1514);
    let selected = Selected::from(framing);
    assert_eq!(selected.max_untagged(), 1514);
    // A frame with a tag has its room nevertheless.
    let mut buffer = [0; 1518];
    b.rx.receive(&mut &mut buffer[..]);
    tagged.activate(epoch::random());
    b.rx.receive(&mut &mut buffer[..]);
    tagged
        .transmit(NOW)
        .unwrap()
        .consume(1518, |room| room.fill(5));
    tagged.flush();
    let received = b.rx.receive(&mut &mut buffer[..]);
    assert!(matches!(received, Received::Frame(frame) if frame.len == 1518));
    assert_eq!(buffer, [5; 1518]);
}

#[test]
fn a_frame_longer_than_the_buffers_is_passed_over() {
    let framing = Ethernet::new(9000).unwrap();
    let len = 64 + ELEMENTS * framing.element_size();
    let (a, b) = links(len, PROTOCOL, framing, ((), ())).unwrap();
    let mut large: Device<_, _, _, _, 9014> = Device::new(a);
    let mut small: Device<_, _, _, _> = Device::new(b);
    large.activate(epoch::random());
    for len in [9014, 1515, 1514] {
        let token = large.transmit(NOW).unwrap();
        token.consume(len, |room| room.fill(5));
    }
    large.publish();
    let (rx, _) = small.receive(NOW).unwrap();
    assert_eq!(rx.consume(<[u8]>::len), 1514);
    assert_eq!(small.counters().rejected, 2);
}

#[test]
fn the_framing_can_be_chosen_at_run_time() {
    let rings = Rings::default();
    let ip = Selected::try_from(Dynamic::NetHdr(NetHdr::new(1500).unwrap())).unwrap();
    let (mut a, mut b) = pair(&rings, ip);
    let capabilities = a.capabilities();
    assert_eq!(capabilities.medium, Medium::Ip);
    assert_eq!(capabilities.max_transmission_unit, 1500);
    let mut packet = [0; 20];
    (packet[0], packet[3]) = (0x45, 20);
    send(&mut a, &packet);
    assert_eq!(receive(&mut b), Some(packet.to_vec()));
    let ethernet = Selected::try_from(Dynamic::Ethernet(Ethernet::new(1500).unwrap())).unwrap();
    assert_eq!(
        pair(&rings, ethernet).0.capabilities().medium,
        Medium::Ethernet
    );
    let raw = Selected::try_from(Dynamic::Raw(Raw::new(8).unwrap())).unwrap_err();
    assert!(raw.to_string().starts_with("raw mode carries no medium"));
}

#[test]
fn a_chosen_framing_has_the_bounds_of_its_own() {
    let ip = NetHdr::new(1500).unwrap();
    assert_eq!((ip.medium(), ip.max_untagged()), (Medium::Ip, 1500));
    let ethernet = Ethernet::new(1500).unwrap();
    assert_eq!(ethernet.medium(), Medium::Ethernet);
    for (chosen, element, frame) in [
        (Selected::from(ip), ip.min_element(), 1500),
        (Selected::from(ethernet), ethernet.min_element(), 1514),
    ] {
        assert_eq!(chosen.min_element(), element);
        assert_eq!(chosen.max_untagged(), frame);
    }
}

#[test]
fn marks_come_with_packets() {
    let rings = Rings::default();
    let (mut a, mut b) = pair(&rings, NetHdr::new(1500).unwrap());
    let mut packet = [0; 20];
    (packet[0], packet[3]) = (0x45, 20);
    let mut crossed = |a: &mut End<'_, NetHdr>, mark: Option<u32>| {
        let mut token = a.transmit(NOW).unwrap();
        if let Some(mark) = mark {
            token.set_mark(mark);
        }
        token.consume(20, |room| room.copy_from_slice(&packet));
        a.publish();
        let (rx, _) = b.receive(NOW).unwrap();
        #[cfg(feature = "packetmeta-id")]
        assert_eq!(rx.meta().id, rx.mark());
        let mark = rx.mark();
        rx.consume(|_| ());
        mark
    };
    assert_eq!(crossed(&mut a, None), 0);
    assert_eq!(crossed(&mut a, Some(7)), 7);
    a.set_mark(9);
    assert_eq!(crossed(&mut a, None), 9);
    assert_eq!(crossed(&mut a, Some(u32::MAX)), u32::MAX);
}

#[test]
fn an_answer_on_the_spot_has_the_mark_of_its_question() {
    let rings = Rings::default();
    let (mut a, mut b) = pair(&rings, NetHdr::new(1500).unwrap());
    b.set_mark(9);
    let mut packet = [0; 20];
    (packet[0], packet[3]) = (0x45, 20);
    for (question, answer) in [(0, 9), (5, 5)] {
        let mut token = a.transmit(NOW).unwrap();
        token.set_mark(question);
        token.consume(20, |room| room.copy_from_slice(&packet));
        a.flush();
        let (rx, tx) = b.receive(NOW).unwrap();
        rx.consume(|frame| tx.consume(frame.len(), |room| room.copy_from_slice(frame)));
        b.flush();
        let (rx, _) = a.receive(NOW).unwrap();
        assert_eq!(rx.mark(), answer);
        rx.consume(|_| ());
    }
}

#[cfg(feature = "packetmeta-id")]
#[test]
fn packet_metadata_sets_the_mark() {
    let rings = Rings::default();
    let (mut a, mut b) = pair(&rings, NetHdr::new(1500).unwrap());
    a.set_mark(9);
    for (id, mark) in [(0, 9), (5, 5)] {
        let mut token = a.transmit(NOW).unwrap();
        let mut meta = smoltcp::phy::PacketMeta::default();
        meta.id = id;
        token.set_meta(meta);
        token.consume(20, |room| {
            room.fill(0);
            (room[0], room[3]) = (0x45, 20);
        });
        a.publish();
        let (rx, _) = b.receive(NOW).unwrap();
        assert_eq!(rx.meta().id, mark);
        rx.consume(|_| ());
    }
}

#[test]
fn raw_messages_cross() {
    let framing = Raw::new(32).unwrap();
    let (a, b) = links(64 + 4 * 32, PROTOCOL, framing, ((), ())).unwrap();
    let (mut a, mut b) = (
        raw::Port::<_, _, _, 32>::new(a),
        raw::Port::<_, _, _, 32>::new(b),
    );
    assert!(a.send(b"too early").is_err());
    a.activate(epoch::random());
    assert!(a.send(&[1; 33]).is_err());
    assert_eq!(b.receive(<[u8]>::to_vec), None);
    a.send(b"hello").unwrap();
    assert!(b.has_pending());
    let message = b.receive(<[u8]>::to_vec).unwrap();
    assert_eq!(message.len(), 32);
    assert_eq!(message.trim_ascii_end(), [&b"hello"[..], &[0; 27]].concat());
    assert_eq!(b.receive(|_| ()), None);
    assert!(!b.has_pending());
    assert_eq!((a.counters().sent, a.counters().not_sent), (1, 2));
    assert_eq!(a.counters().sent_bytes, 5);
    assert_eq!(b.counters().received_bytes, 32);
    assert!(matches!(b.peer(), Peer::Up { .. }));
    a.deactivate();
    assert_eq!(b.peer(), Peer::Down);
    a.activate(epoch::random());
    a.detach();
    assert!(matches!(b.peer(), Peer::Up { .. }));
    assert!(a.send(b"too late").is_err());
}
