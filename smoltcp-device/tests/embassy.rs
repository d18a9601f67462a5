// SPDX-License-Identifier: MIT OR Apache-2.0
//! The driver for embassy-net: who wakes its task, and when.
#![cfg(feature = "embassy")]

use embassy_net_driver::{
    Checksum, Driver as _, HardwareAddress, LinkState, RxToken as _, TxToken as _,
};
use muennet_core::framing::{Ethernet, Framing, NetHdr};
use muennet_host::{epoch, in_process::links};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp_device::{
    embassy::{Bell, Driver},
    Device, Options, Ring,
};
use std::{
    num::NonZeroU64,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    task::{Context, Wake, Waker},
};

const PROTOCOL: NonZeroU64 = muennet_core::framing::SOLO5_PROTOCOL;
const ELEMENTS: usize = 8;

#[derive(Default)]
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_frame_and_the_links_state_wake_the_task() {
    let (bell_a, bell_b) = (Bell::new(), Bell::new());
    let framing = Ethernet::new(1500).unwrap();
    let len = 64 + ELEMENTS * framing.element_size();
    // Each rings the other's bell.
    let device = |link| {
        let options = Options {
            ring: Ring::EachFrame,
            ..Options::default()
        };
        Device::with_options(link, options)
    };
    let (a, b) = links(len, PROTOCOL, framing, (&bell_b, &bell_a)).unwrap();
    let mut a: Driver<'_, _, _, _, _> = Driver::new(device(a), [2; 6], &bell_a);
    let mut b: Driver<'_, _, _, _, _> = Driver::new(device(b), [4; 6], &bell_b);
    let task = Arc::new(Task::default());
    let waker = Waker::from(task.clone());
    let mut context = Context::from_waker(&waker);
    let woken = || task.0.swap(0, Ordering::Relaxed) > 0;

    assert!(b.link_state(&mut context) == LinkState::Down);
    a.device().activate(epoch::random());
    assert!(woken());
    assert!(b.link_state(&mut context) == LinkState::Up);

    assert!(b.receive(&mut context).is_none());
    let token = a.transmit(&mut context).unwrap();
    token.consume(60, |room| room.fill(3));
    assert!(woken());
    let (rx, _) = b.receive(&mut context).unwrap();
    assert_eq!(rx.consume(|frame| frame.to_vec()), [3; 60]);

    a.device().deactivate();
    assert!(woken());
    assert!(b.link_state(&mut context) == LinkState::Down);
    assert_eq!(b.capabilities().max_transmission_unit, 1514);
    assert_eq!(b.hardware_address(), HardwareAddress::Ethernet([4; 6]));
}

#[test]
fn ip_mode_has_no_hardware_address() {
    let framing = NetHdr::new(1500).unwrap();
    let len = 64 + ELEMENTS * framing.element_size();
    let (a, _b) = links(len, PROTOCOL, framing, ((), ())).unwrap();
    let bell = Bell::new();
    let driver: Driver<'_, _, _, _, _> = Driver::new(Device::new(a), [2; 6], &bell);
    assert_eq!(driver.hardware_address(), HardwareAddress::Ip);
}

#[test]
fn checksums_are_those_of_the_device() {
    let framing = Ethernet::new(1500).unwrap();
    let len = 64 + ELEMENTS * framing.element_size();
    let (a, _b) = links(len, PROTOCOL, framing, ((), ())).unwrap();
    let mut checksum = ChecksumCapabilities::ignored();
    checksum.udp = smoltcp::phy::Checksum::Tx;
    checksum.icmpv4 = smoltcp::phy::Checksum::Rx;
    checksum.ipv4 = smoltcp::phy::Checksum::Both;
    let options = Options {
        checksum,
        ..Options::default()
    };
    let bell = Bell::new();
    let driver: Driver<'_, _, _, _, _> =
        Driver::new(Device::with_options(a, options), [2; 6], &bell);
    let found = driver.capabilities().checksum;
    assert!(matches!(found.tcp, Checksum::None));
    assert!(matches!(found.udp, Checksum::Tx));
    assert!(matches!(found.icmpv4, Checksum::Rx));
    assert!(matches!(found.ipv4, Checksum::Both));
}
