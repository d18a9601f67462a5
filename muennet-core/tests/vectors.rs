// SPDX-License-Identifier: MIT OR Apache-2.0
//! Byte-exact images of a region for each mode and operation, derived by hand from
//! the protocol's page: a writer must make them, and a reader must understand them.
//!
//! They lie in `tests/vectors`, a line for each field: offset, bytes, meaning.

#![expect(unsafe_code, reason = "a channel in private memory")]

use core::{num::NonZeroU64, ptr::NonNull};
use muennet_core::{
    channel::{Fault, Peer},
    framing::{Checksum, Ethernet, Framing, Meta, NetHdr, Packet, Raw},
    link::{Received, Receiver, Sender},
    shm::{Memory, MemoryMut},
};
use std::{cell::UnsafeCell, rc::Rc};

const EPOCH: NonZeroU64 = NonZeroU64::new(0x1122_3344_5566_7788).unwrap();
const LINUX: NonZeroU64 = NonZeroU64::new(2).unwrap();
const SOLO5: NonZeroU64 = NonZeroU64::new(0x7ade_5c54_9b08_e814).unwrap();

const _: () = assert!(SOLO5.get() == muennet_core::framing::SOLO5_PROTOCOL.get());

/// A region of aligned bytes that both ends share.
#[derive(Clone)]
struct Bytes(Rc<[UnsafeCell<u64>]>, usize);

impl Bytes {
    fn new(image: &[u8]) -> Self {
        let words = image.chunks(8).map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            UnsafeCell::new(u64::from_ne_bytes(word))
        });
        Self(words.collect(), image.len())
    }

    fn image(&self) -> Vec<u8> {
        // SAFETY: one thread, and no reference into the cells exists.
        let words = self.0.iter().map(|cell| unsafe { cell.get().read() });
        let mut bytes: Vec<u8> = words.flat_map(u64::to_ne_bytes).collect();
        bytes.truncate(self.1);
        bytes
    }
}

// SAFETY: the cells live as long as any clone and are never moved.
unsafe impl Memory for Bytes {
    fn base(&self) -> NonNull<u8> {
        NonNull::from(&*self.0).cast()
    }

    fn len(&self) -> usize {
        self.1
    }
}

// SAFETY: cells; each test has one writer.
unsafe impl MemoryMut for Bytes {}

/// The bytes of an image, which must be without a gap.
fn parse(text: &str) -> Vec<u8> {
    let mut image = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (offset, rest) = line.split_once(": ").expect("an offset");
        assert_eq!(usize::from_str_radix(offset, 16), Ok(image.len()), "{line}");
        // Bytes and meaning are two blanks apart.
        let bytes = rest.split("  ").next().unwrap();
        for byte in bytes.split(' ') {
            image.push(u8::from_str_radix(byte, 16).expect("a byte"));
        }
    }
    image
}

macro_rules! image {
    ($name:literal) => {
        parse(include_str!(concat!("vectors/", $name, ".hex")))
    };
}

/// Demands that `write` makes `image` of an empty region.
fn written<F: Framing>(
    image: &[u8],
    protocol: NonZeroU64,
    framing: F,
    write: impl FnOnce(&mut Sender<Bytes, F, ()>, &Bytes),
) {
    let region = Bytes::new(&vec![0xff; image.len()]);
    let mut sender = Sender::new(region.clone(), protocol, framing, ()).unwrap();
    sender.activate(EPOCH);
    write(&mut sender, &region);
    assert_eq!(hex(&region.image()), hex(image));
    // A dropped sender stops; the image was looked at before.
}

/// Results of a reader that takes from `image`, up to the first that is no frame.
fn read<F: Framing>(
    image: &[u8],
    protocol: NonZeroU64,
    framing: F,
) -> (Vec<(Vec<u8>, u32)>, Received) {
    let mut receiver = Receiver::replaying(Bytes::new(image), protocol, framing).unwrap();
    let mut frames = Vec::new();
    loop {
        let mut buffer = [0; 64];
        match receiver.receive(&mut &mut buffer[..]) {
            Received::NewEpoch { epoch } => {
                assert!((EPOCH.get()..=EPOCH.get() + 1).contains(&epoch));
            }
            Received::Frame(frame) => {
                frames.push((buffer[..frame.len].to_vec(), frame.meta.mark));
            }
            other => return (frames, other),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let lines = bytes.chunks(8).enumerate();
    let line = |(index, line): (usize, &[u8])| format!("{:03x}: {line:02x?}\n", index * 8);
    lines.map(line).collect()
}

fn raw() -> Raw {
    Raw::new(8).unwrap()
}

fn unmarked(frames: &[&[u8]]) -> Vec<(Vec<u8>, u32)> {
    frames.iter().map(|frame| (frame.to_vec(), 0)).collect()
}

#[test]
fn activate() {
    let image = image!("activate");
    written(&image, LINUX, raw(), |_, _| {});
    assert_eq!(read(&image, LINUX, raw()), (vec![], Received::Empty));
}

#[test]
fn raw_mode() {
    let image = image!("raw");
    written(&image, LINUX, raw(), |sender, _| {
        sender.write(&[b"hel", b"lo"], Meta::default()).unwrap();
    });
    let frames = unmarked(&[b"hello\0\0\0"]);
    assert_eq!(
        read(&image, LINUX, raw()),
        (frames.clone(), Received::Empty)
    );
    // An element that is only begun is not there yet.
    let begun = image!("raw-begun");
    assert_eq!(read(&begun, LINUX, raw()), (frames, Received::Empty));
}

#[test]
fn a_wrap() {
    let image = image!("raw-wrap");
    written(&image, LINUX, raw(), |sender, _| {
        for text in ["one", "two", "three"] {
            sender.write(&[text.as_bytes()], Meta::default()).unwrap();
        }
    });
    let mut receiver = Receiver::replaying(Bytes::new(&image), LINUX, raw()).unwrap();
    let mut buffer = [0; 8];
    let results: [Received; 5] = core::array::from_fn(|_| receiver.receive(&mut &mut buffer[..]));
    assert!(matches!(
        results,
        [
            Received::NewEpoch { .. },
            Received::Overrun { lost: 1 },
            Received::Frame(_),
            Received::Frame(_),
            Received::Empty
        ]
    ));
    assert_eq!(&buffer, b"three\0\0\0");
}

#[test]
fn a_batch() {
    let image = image!("raw-batch");
    let begun = image!("raw-batch-begun");
    written(&image, LINUX, raw(), |sender, _| {
        let (one, two): ([&[u8]; 1], [&[u8]; 1]) = ([b"one"], [b"two"]);
        sender
            .write_batch(&[Packet::new(&one), Packet::new(&two)])
            .unwrap();
    });
    let frames = unmarked(&[b"one\0\0\0\0\0", b"two\0\0\0\0\0"]);
    assert_eq!(read(&image, LINUX, raw()), (frames, Received::Empty));
    assert_eq!(read(&begun, LINUX, raw()), (vec![], Received::Empty));
    // The writer really was at that point in between.
    let region = Bytes::new(&vec![0; begun.len()]);
    let mut writer = muennet_core::channel::Writer::new(region.clone(), LINUX, 8).unwrap();
    writer.activate(EPOCH);
    let mut texts = [b"one\0\0\0\0\0", b"two\0\0\0\0\0"].into_iter();
    writer.write_batch(2, |slot| {
        if texts.len() == 1 {
            assert_eq!(hex(&region.image()), hex(&begun));
        }
        slot.put(0, texts.next().unwrap());
    });
    assert_eq!(hex(&region.image()), hex(&image));
}

#[test]
fn deactivate_and_restart() {
    let image = image!("deactivate");
    written(&image, LINUX, raw(), |sender, _| {
        sender.write(&[b"hello"], Meta::default()).unwrap();
        sender.deactivate();
    });
    assert_eq!(read(&image, LINUX, raw()), (vec![], Received::Inactive));
    let image = image!("restart");
    written(&image, LINUX, raw(), |sender, _| {
        sender.write(&[b"hello"], Meta::default()).unwrap();
        sender.activate(EPOCH);
    });
    assert_eq!(read(&image, LINUX, raw()), (vec![], Received::Empty));
}

#[test]
fn ethernet_mode() {
    let framing = Ethernet::new(4).unwrap();
    let head = b"\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x08\x00";
    let first = [&head[..], b"\xde\xad\xbe\xef"].concat();
    let second = [&head[..], b"\xca\xfe\xf0\x0d"].concat();
    let image = image!("ethernet");
    written(&image, SOLO5, framing, |sender, _| {
        sender
            .write(&[head, b"\xde\xad", b"\xbe\xef"], Meta::default())
            .unwrap();
    });
    let (frames, end) = read(&image, SOLO5, framing);
    assert_eq!((frames, end), (unmarked(&[&first]), Received::Empty));

    let image = image!("ethernet-shorter");
    written(&image, SOLO5, framing, |sender, region| {
        // A reader that keeps up sees all three.
        let mut receiver = Receiver::replaying(region.clone(), SOLO5, framing).unwrap();
        let mut buffer = [0; 18];
        receiver.receive(&mut &mut buffer[..]);
        for frame in [&first[..], &second, head] {
            sender.write(&[frame], Meta::default()).unwrap();
            let received = receiver.receive(&mut &mut buffer[..]);
            assert!(matches!(received, Received::Frame(found) if found.len == frame.len()));
            assert_eq!(&buffer[..frame.len()], frame);
        }
    });
}

#[test]
fn ip_mode() {
    let framing = NetHdr::new(48).unwrap();
    let ipv4 = b"\x45\xb8\x00\x18\0\0\0\0\x40\x11\0\0\x0a\0\0\x01\x0a\0\0\x02ping";
    let image = image!("net-hdr-ipv4");
    let mark = 0x0102_0304;
    written(&image, LINUX, framing, |sender, _| {
        sender
            .write(&[&ipv4[..1], &ipv4[1..]], Meta { mark })
            .unwrap();
    });
    let frames = vec![(ipv4.to_vec(), mark)];
    assert_eq!(read(&image, LINUX, framing), (frames, Received::Empty));

    let image = image!("net-hdr-ipv6");
    let mut ipv6 = b"\x6b\x80\0\0\0\x04\x3b\x40".to_vec();
    ipv6.extend([[0; 15], [0; 15]].map(|zeros| zeros.to_vec()).concat());
    ipv6.insert(8 + 15, 1);
    ipv6.push(2);
    ipv6.extend(b"ping");
    written(&image, LINUX, framing, |sender, _| {
        sender.write(&[&ipv6], Meta::default()).unwrap();
    });
    assert_eq!(
        read(&image, LINUX, framing),
        (unmarked(&[&ipv6]), Received::Empty)
    );

    let image = image!("net-hdr-checksum");
    let plain = b"\x45\0\x00\x14\0\0\0\0\x40\x11\0\0\x0a\0\0\x01\x0a\0\0\x02";
    written(&image, LINUX, framing, |sender, _| {
        let parts: [&[u8]; 1] = [plain];
        let checksum = Checksum {
            start: 0,
            offset: 10,
        };
        sender
            .write_packet(&Packet::new(&parts).with_checksum(checksum))
            .unwrap();
    });
    let mut summed = plain.to_vec();
    summed[10..12].copy_from_slice(&[0x66, 0xd7]);
    assert_eq!(
        read(&image, LINUX, framing),
        (unmarked(&[&summed]), Received::Empty)
    );
}

#[test]
fn another_protocol_and_another_transport() {
    let mut image = image!("raw");
    assert_eq!(
        read(&image, SOLO5, raw()).1,
        Received::Faulty(Fault::Protocol {
            found: 2,
            expected: SOLO5.get()
        })
    );
    image[0] ^= 1;
    let mut receiver = Receiver::replaying(Bytes::new(&image), LINUX, raw()).unwrap();
    assert!(matches!(
        receiver.peer(),
        Peer::Faulty(Fault::Transport { .. })
    ));
}
