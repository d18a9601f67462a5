// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every error says what it found, and what was expected or what to do.

use muennet_core::{
    channel::{Fault, GeometryError},
    config::{number::NumberError, ConfigError, Parameter, Why},
    framing::{FrameError, MtuError, Reject, Remedy},
    link::{BatchError, SendError},
    notify::Notifier,
    segment::CutError,
    shm::{RegionError, TableError},
    sinfo::{Name, NameError, SinfoError},
};
use std::{cell::Cell, error::Error};

fn said(error: impl Error, text: &str) {
    assert_eq!(error.to_string(), text);
}

#[test]
fn remedies_say_what_to_give() {
    assert_eq!(
        Remedy::Vlan.to_string(),
        "for VLANs give both ends room for the tag (flags=eth_dev+vlan, bridge --vlan), or lower \
         the MTU of the VLAN's interface by 4"
    );
    assert_eq!(
        Remedy::Mtu { least: 9000 }.to_string(),
        "give both ends an mtu of 9000 or more, or lower the MTU of the interface that sends"
    );
}

#[test]
fn of_packets_to_be_cut() {
    let outside = CutError::Transport {
        transport: 34,
        len: 40,
    };
    said(
        SendError::Cut(outside),
        "no whole TCP or UDP header lies at offset 34 of the first 40 bytes",
    );
    said(
        CutError::Network {
            network: 14,
            transport: 34,
        },
        "no IP header lies between offset 14 and the transport's header at 34",
    );
    said(
        CutError::Headers { len: 200, max: 192 },
        "headers of 200 bytes are longer than 192",
    );
    said(
        CutError::Size { size: 0 },
        "a segment cannot have 0 bytes of payload",
    );
    said(CutError::Empty, "the packet has no payload to cut");
    said(
        CutError::Parts { parts: 9, max: 8 },
        "a packet in 9 parts, of which 8 can be cut",
    );
}

#[test]
fn of_regions_and_channels() {
    said(
        RegionError::TooSmall { len: 63 },
        "a region of 63 bytes cannot hold a channel's header of 64 bytes",
    );
    said(
        GeometryError::Region(RegionError::Misaligned),
        "the region's address is not a multiple of 8",
    );
    said(
        TableError::TooSmall { len: 3 },
        "memory of 3 bytes holds no number; it takes 4 bytes each",
    );
    said(
        TableError::Misaligned,
        "the address of the memory is not a multiple of 4",
    );
    said(
        GeometryError::NoElementSize,
        "an element must have at least one byte",
    );
    said(
        GeometryError::TooSmall {
            region: 4096,
            element_size: 9016,
        },
        "a region of 4096 bytes has no room for one element of 9016 bytes behind the header; \
         make the channel larger or the MTU smaller",
    );
    said(
        Fault::Transport { found: 1 },
        "transport is 0x0000000000000001, not 0x487312b6b79a9b6d (SHMStream 2)",
    );
    said(
        Fault::Protocol {
            found: 3,
            expected: 0x2a,
        },
        "protocol is 0x3, not 0x2a as configured",
    );
    said(
        Fault::ElementSize { found: 3, min: 16 },
        "element size is 3 bytes, below the least of 16",
    );
    said(Fault::NoElements, "element count is 0");
    said(
        Fault::BeyondRegion {
            size: 1516,
            elements: 3,
            region: 4096,
        },
        "3 elements of 1516 bytes do not fit into the region of 4096 bytes",
    );
    said(
        Fault::WrittenBackwards { found: 1, seen: 2 },
        "write count is 1, and was 2 before",
    );
    said(
        Fault::StartedBehindWritten {
            started: 1,
            written: 2,
        },
        "write start count is 1, below the write count 2",
    );
}

#[test]
fn of_frames() {
    said(
        MtuError { mtu: 0, max: 9000 },
        "MTU 0 is not between 1 and 9000 bytes",
    );
    said(
        SendError::Frame(FrameError::TooLong { len: 9, max: 8 }),
        "a frame of 9 bytes is longer than the 8 that an element takes",
    );
    said(
        FrameError::TooShort { len: 9, min: 14 },
        "a frame of 9 bytes is shorter than its header of 14",
    );
    said(
        FrameError::NotIp { version: 5 },
        "a packet of IP version 5 is neither IPv4 nor IPv6",
    );
    said(
        FrameError::Checksum {
            start: 14,
            offset: 50,
            len: 60,
        },
        "a checksum from 14 on, stored 50 bytes behind, does not lie in a frame of 60 bytes",
    );
    said(
        BatchError {
            index: 3,
            error: SendError::Inactive,
        },
        "frame 3 of the batch: the sender is inactive; activate it first",
    );
    said(
        Reject::TooLong { found: 9, max: 8 },
        "length field 9 is above the 8 bytes that are accepted",
    );
    said(
        Reject::TooShort { found: 9, min: 14 },
        "length field 9 is below a header's 14 bytes",
    );
    said(
        Reject::UnknownProtocol { found: 6 },
        "protocol 6 is neither 4 (IPv4) nor 41 (IPv6)",
    );
    said(
        Reject::Version {
            found: 4,
            expected: 6,
        },
        "IP version 4 where the protocol says 6",
    );
    said(
        Reject::LengthMismatch { ip: 40, field: 39 },
        "the IP header says 40 bytes, more than the 39 of the length field",
    );
    said(
        Reject::NoRoom { len: 60 },
        "no room for a frame of 60 bytes",
    );
}

#[test]
fn of_subject_information() {
    said(
        SinfoError::TooShort {
            len: 79,
            needed: 80,
        },
        "subject information has 79 bytes where it needs 80",
    );
    said(
        SinfoError::Magic { found: 1 },
        "subject information has magic 0x0000000000000001, not 0x05006f666e69756d",
    );
    said(
        SinfoError::Version {
            found: 2,
            oldest: 3,
            newest: 5,
        },
        "subject information has version 2; versions 3 to 5 are supported",
    );
    said(
        SinfoError::SubjectName { found: 64, max: 63 },
        "the subject's name has 64 bytes, more than 63",
    );
    said(
        SinfoError::TooManyResources {
            found: 256,
            max: 255,
        },
        "256 resources are more than 255",
    );
    said(
        SinfoError::ResourceName {
            index: 7,
            found: 200,
            max: 63,
        },
        "the name of resource 7 has 200 bytes, more than 63",
    );
    said(
        NameError { len: 64 },
        "a name of 64 bytes is not between 1 and 63 bytes long",
    );
    let name = Name::new("a|\n").unwrap();
    assert_eq!(format!("{name} {name:?}"), r#"a|\n "a|\n""#);
    assert!(name == "a|\n" && name.as_str() == Some("a|\n"));
    assert_eq!(Name::new(""), Err(NameError { len: 0 }));
}

#[cfg(feature = "builder")]
#[test]
fn of_building_it() {
    use muennet_core::sinfo::{BuildError, Builder, MemoryKind, Version, SIZE};
    let mut page = [0; SIZE];
    said(
        Builder::new(&mut page[1..], Version::V5, "a", 0).unwrap_err(),
        "a buffer of 32719 bytes is shorter than the 32720 of subject information",
    );
    let long = "a".repeat(64);
    said(
        Builder::new(&mut page, Version::V5, &long, 0).unwrap_err(),
        "a name of 64 bytes is not between 1 and 63 bytes long",
    );
    let mut builder = Builder::new(&mut page, Version::V3, "a", 0).unwrap();
    said(
        builder
            .memory("dtb", MemoryKind::DeviceTree, 0, 4096, false)
            .unwrap_err(),
        "subject information of version 3 cannot hold the resource \"dtb\"",
    );
    for _ in 0..255 {
        builder.event("e", 1).unwrap();
    }
    let error = builder.event("e", 1).unwrap_err();
    assert_eq!(error, BuildError::TooManyResources);
    said(error, "a subject can have no more than 255 resources");
}

#[test]
fn of_parameters() {
    let whys = [
        (Why::NameTooLong, "an interface name has at most 15 bytes"),
        (Why::NotDecimal, "not a decimal number"),
        (
            Why::NotHexadecimal,
            "not a hexadecimal number of at most 64 bits",
        ),
        (
            Why::VlanWithoutEthernet,
            "vlan goes with Ethernet frames; give eth_dev+vlan",
        ),
        (Why::BothModes, "net_hdr and eth_dev exclude each other"),
        (
            Why::UnknownResource,
            "the subject has no memory of this name",
        ),
        (Why::NotAChannel, "this memory is not a channel"),
        (
            Why::InputWritable,
            "this channel is writable; an input must be read-only for this subject",
        ),
        (
            Why::OutputReadOnly,
            "this channel is read-only; an output must be writable for this subject",
        ),
        (
            Why::InterruptTaken { irq: 25 },
            "interrupt 25 of this channel is taken by another interface or driver; \
             give each interface an input channel of its own",
        ),
        (
            Why::NameInvalid,
            "not an interface name; use letters, digits, -, _ and at most one %d",
        ),
        (
            Why::NoInterface,
            "ignored, as there is no interface name for this entry",
        ),
        (
            Why::TooMany { max: 32 },
            "there can be no more than 32 interfaces",
        ),
        (
            Why::NoChannel,
            "an interface needs a channel; give in, out or both",
        ),
        (
            Why::ProtocolMissing,
            "the channel needs a protocol; give a hexadecimal number",
        ),
        (Why::ProtocolZero, "a protocol must not be 0"),
        (Why::OutOfRange { min: 1, max: 2 }, "not between 1 and 2"),
        (
            Why::UnknownFlag,
            "unknown flag; there are net_hdr, eth_dev and vlan",
        ),
        (
            Why::TooSmall { size: 3, min: 4 },
            "this memory has 3 bytes, fewer than the 4 it must have",
        ),
        (
            Why::Misaligned { word: 8 },
            "the address of this memory is not a multiple of 8",
        ),
        (
            Why::WrittenTwice,
            "another interface writes this channel; give each its own",
        ),
        (
            Why::PathMtuOfEthernet,
            "path MTUs are for IP packets, and eth_dev carries frames; leave one of them out",
        ),
    ];
    let parameters = [
        (Parameter::Name, "name"),
        (Parameter::In, "in"),
        (Parameter::Out, "out"),
        (Parameter::ReaderProtocol, "reader_protocol"),
        (Parameter::WriterProtocol, "writer_protocol"),
        (Parameter::Mtu, "mtu"),
        (Parameter::Pmtu, "pmtu"),
        (Parameter::Flags, "flags"),
        (Parameter::Poll, "poll"),
    ];
    for (why, reason) in whys {
        for (parameter, name) in parameters {
            said(
                ConfigError {
                    parameter,
                    position: 2,
                    value: "a\"b",
                    why,
                },
                &format!("parameter {name}, entry 2, value \"a\\\"b\": {reason}"),
            );
        }
    }
}

#[test]
fn of_numbers() {
    said(NumberError::NotANumber, "not a number");
    said(NumberError::TooLarge, "a number of more than 64 bits");
}

#[cfg(target_arch = "x86_64")]
#[test]
fn of_a_vector_without_interrupt() {
    let error = muennet_core::config::interrupt(1, "c", 33, |_| false).unwrap_err();
    said(
        error,
        "parameter in, entry 1, value \"c\": vector 33 of this channel has no interrupt; \
         choose a vector from 48 on in the policy",
    );
}

#[test]
fn a_bell_rings_through_what_holds_it() {
    struct Bell(Cell<u32>);
    impl Notifier for Bell {
        fn notify(&self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let bell = Bell(Cell::new(0));
    bell.notify();
    Notifier::notify(&&bell);
    Some(&bell).notify();
    None::<&Bell>.notify();
    ().notify();
    assert_eq!(bell.0.get(), 3);
}
