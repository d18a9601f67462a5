// SPDX-License-Identifier: MIT OR Apache-2.0
//! Byte-exact subject information of each version, derived by hand from Muen's
//! `musinfo.ads` and `musinfo.h`: the parser must read it, the builder must write it.
//!
//! The vectors lie in `tests/vectors`, a line for each field: offset, bytes, meaning.
//! Bytes that no line names are 0.

use muennet_core::sinfo::{
    Bar, Builder, Detail, Device, DeviceMemory, DevicePort, Identity, Kind, Memory, MemoryKind,
    Name, Resource, Sinfo, Version, NO_PATTERN, SIZE,
};
use std::path::{Path, PathBuf};

/// The bytes of a vector, filled up to a whole page set.
fn page(text: &str) -> Vec<u8> {
    let mut page = vec![0; SIZE];
    let mut end = 0;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (offset, rest) = line.split_once(": ").expect("an offset");
        let offset = usize::from_str_radix(offset, 16).expect("a hexadecimal offset");
        assert!(offset >= end, "{line}");
        // Bytes and meaning are two blanks apart.
        let bytes = rest.split("  ").next().unwrap();
        end = offset;
        for byte in bytes.split(' ') {
            page[end] = u8::from_str_radix(byte, 16).expect("a byte");
            end += 1;
        }
    }
    page
}

fn name(name: &str) -> Name {
    Name::new(name).unwrap()
}

fn memory(name_: &str, kind: MemoryKind, address: u64, size: u64) -> (Name, Memory) {
    let memory = Memory {
        kind,
        content: 0,
        writable: false,
        executable: false,
        pattern: NO_PATTERN,
        address,
        size,
        hash: [0; 32],
    };
    (name(name_), memory)
}

/// Contents of the vector of `version`.
fn resources(version: Version) -> Vec<Resource> {
    let resource = |text, detail| Resource {
        name: name(text),
        detail,
    };
    let of = |(name, memory)| Resource {
        name,
        detail: Detail::Memory(memory),
    };
    let mut output = memory("o", MemoryKind::Channel, 0x1_0040_0000, 4 << 20);
    output.1.writable = true;
    let mut kernel = memory("k", MemoryKind::KernelInterface, 0x1000, 0x2000);
    kernel.1.content = 1;
    kernel.1.executable = true;
    kernel.1.pattern = 0x2a;
    kernel.1.hash = core::array::from_fn(|index| index as u8 + 1);
    let new = version == Version::V5;
    let mut resources = vec![
        of(output),
        resource("o", Detail::Event(16)),
        resource("i", Detail::Vector(64)),
        of(kernel),
        resource(
            "d",
            Detail::Device(Device {
                sid: 0xc8,
                irte_start: 0x28,
                irq_start: 0x3b,
                ir_count: 2,
                flags: 1,
                identity: new.then_some(Identity {
                    vendor: 0x8086,
                    device: 0x10d3,
                    class: 0x0200,
                    reset_method: 1,
                }),
            }),
        ),
        resource(
            "m",
            Detail::DeviceMemory(DeviceMemory {
                writable: true,
                executable: false,
                address: 0xfea5_5000,
                size: 0x2_0000,
                bar: new.then_some(Bar {
                    sid: 0xc8,
                    flags: 3,
                    index: 2,
                    address: 0xfea5_5004,
                }),
            }),
        ),
        resource(
            "p",
            if new {
                Detail::DevicePort(DevicePort {
                    sid: 0xc8,
                    bar_index: 1,
                    address: 0x3f8,
                    size: 8,
                })
            } else {
                let mut bytes = [0; 56];
                bytes[..8].copy_from_slice(&[0xc8, 0, 1, 0, 0xf8, 3, 8, 0]);
                Detail::Other { kind: 6, bytes }
            },
        ),
    ];
    if version >= Version::V4 {
        let mut tree = memory("t", MemoryKind::DeviceTree, 0x3000, 0x1000);
        tree.1.content = 2;
        resources.push(of(tree));
    }
    resources
}

#[test]
fn each_version_is_read_and_written() {
    for (version, text) in [
        (Version::V3, include_str!("vectors/sinfo-v3.hex")),
        (Version::V4, include_str!("vectors/sinfo-v4.hex")),
        (Version::V5, include_str!("vectors/sinfo-v5.hex")),
    ] {
        let page = page(text);
        let sinfo = Sinfo::parse(&page).unwrap();
        assert_eq!(sinfo.version(), version);
        assert_eq!(sinfo.subject(), "sub");
        assert_eq!(sinfo.tsc_khz(), 2_000_000);
        let expected = resources(version);
        assert_eq!(sinfo.resources().collect::<Vec<_>>(), expected);

        let mut built = vec![0xff; SIZE];
        let mut builder = Builder::new(&mut built, version, "sub", 2_000_000).unwrap();
        for resource in &expected {
            builder.resource(resource).unwrap();
        }
        let differs = (0..SIZE).find(|at| built[*at] != page[*at]);
        assert_eq!(differs, None, "{version:?}");
    }
}

/// The builder's own memory has no pattern, as Muen writes it.
#[test]
fn a_built_channel_has_no_pattern() {
    let mut page = vec![0; SIZE];
    let mut builder = Builder::new(&mut page, Version::V3, "sub", 2_000_000).unwrap();
    builder.channel("o", 0x1_0040_0000, 4 << 20, true).unwrap();
    let sinfo = Sinfo::parse(&page).unwrap();
    assert_eq!(sinfo.resources().next(), Some(resources(Version::V3)[0]));
}

/// A folder with pages that Muen's own tools wrote, if there is one: the environment
/// variable `MUEN_SINFO_PAGES`, else `shared/sinfo` beside the checkout.
fn pages_of_muen() -> Option<PathBuf> {
    let folder = std::env::var_os("MUEN_SINFO_PAGES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/sinfo"),
        PathBuf::from,
    );
    folder.is_dir().then_some(folder)
}

fn numbers(sinfo: &Sinfo<'_>) -> Vec<(String, Detail)> {
    sinfo
        .resources()
        .filter(|resource| matches!(resource.detail, Detail::Event(_) | Detail::Vector(_)))
        .map(|resource| (resource.name.to_string(), resource.detail))
        .collect()
}

fn named(sinfo: &Sinfo<'_>, kind: Kind) -> Vec<String> {
    let names = sinfo
        .of_kind(kind)
        .map(|resource| resource.name.to_string());
    names.collect()
}

#[test]
fn pages_of_muens_tools_are_read() {
    let Some(folder) = pages_of_muen() else {
        eprintln!("no pages of Muen's tools here; set MUEN_SINFO_PAGES to their folder");
        return;
    };
    let memory = |sinfo: &Sinfo<'_>, name| {
        let memory = sinfo.find(name, Kind::Memory).unwrap().memory().unwrap();
        (memory.kind, memory.writable, memory.address, memory.size)
    };

    let bytes = std::fs::read(folder.join("v3-native")).unwrap();
    let sinfo = Sinfo::parse(&bytes).unwrap();
    assert_eq!(sinfo.version(), Version::V3);
    assert_eq!(sinfo.subject(), "uni_a");
    assert_eq!(sinfo.tsc_khz(), 50_000);
    assert_eq!(sinfo.resources().count(), 15);
    assert_eq!(
        named(&sinfo, Kind::Memory),
        [
            "text",
            "rodata",
            "data",
            "bss",
            "stack",
            "net_in",
            "net_out",
            "debuglog",
            "sinfo",
            "scheduling_info",
            "timed_event"
        ]
    );
    for (name, found) in [
        (
            "net_in",
            (MemoryKind::Channel, false, 0x1_0000_0000, 4 << 20),
        ),
        (
            "net_out",
            (MemoryKind::Channel, true, 0x1_0040_0000, 4 << 20),
        ),
        (
            "debuglog",
            (MemoryKind::Channel, true, 0x1_0080_0000, 128 << 10),
        ),
        ("sinfo", (MemoryKind::Info, false, 0xe_0000_0000, 0x8000)),
        (
            "scheduling_info",
            (MemoryKind::SchedulingInfo, false, 0xe_0000_8000, 4096),
        ),
        (
            "timed_event",
            (MemoryKind::TimedEvent, true, 0xe_0001_0000, 4096),
        ),
    ] {
        assert_eq!(memory(&sinfo, name), found, "{name}");
    }
    assert_eq!(
        numbers(&sinfo),
        [
            ("timer".to_owned(), Detail::Event(1)),
            ("net_out".to_owned(), Detail::Event(16)),
            ("timer".to_owned(), Detail::Vector(33)),
            ("net_in".to_owned(), Detail::Vector(64)),
        ]
    );
    built_anew(&sinfo, &bytes);

    let bytes = std::fs::read(folder.join("v4-linux")).unwrap();
    let sinfo = Sinfo::parse(&bytes).unwrap();
    assert_eq!(sinfo.version(), Version::V4);
    assert_eq!(sinfo.subject(), "lnx");
    assert_eq!(sinfo.tsc_khz(), 2_900_123);
    assert_eq!(sinfo.resources().count(), 13);
    assert_eq!(
        named(&sinfo, Kind::Memory),
        [
            "text",
            "zp",
            "initramfs",
            "sinfo",
            "acpi_rsdp",
            "keyboard",
            "console"
        ]
    );
    for (name, kind, writable) in [
        ("zp", MemoryKind::ZeroPage, true),
        ("initramfs", MemoryKind::Initrd, true),
        ("sinfo", MemoryKind::Info, false),
        ("acpi_rsdp", MemoryKind::AcpiRsdp, false),
        ("keyboard", MemoryKind::Channel, false),
        ("console", MemoryKind::Channel, true),
    ] {
        let found = memory(&sinfo, name);
        assert_eq!((found.0, found.1), (kind, writable), "{name}");
    }
    assert_eq!(named(&sinfo, Kind::Device), ["eth0", "wlan0"]);
    assert_eq!(
        named(&sinfo, Kind::DeviceMemory),
        ["eth0_mem1", "eth0_mem2"]
    );
    let found = sinfo.find("eth0_mem1", Kind::DeviceMemory).unwrap().detail;
    assert_eq!(
        found,
        Detail::DeviceMemory(DeviceMemory {
            writable: true,
            executable: false,
            address: 0xfea5_5000,
            size: 0x2_0000,
            bar: None,
        })
    );
    assert_eq!(
        numbers(&sinfo),
        [
            ("channel_event_lnx_console".to_owned(), Detail::Event(61)),
            ("channel_event_lnx_keyboard".to_owned(), Detail::Vector(34)),
        ]
    );
    built_anew(&sinfo, &bytes);
}

/// Builds the page anew, which must give the bytes of Muen's tools.
fn built_anew(sinfo: &Sinfo<'_>, bytes: &[u8]) {
    let subject = sinfo.subject();
    let mut page = vec![0xff; SIZE];
    let mut builder = Builder::new(
        &mut page,
        sinfo.version(),
        subject.as_str().unwrap(),
        sinfo.tsc_khz(),
    )
    .unwrap();
    for resource in sinfo.resources() {
        builder.resource(&resource).unwrap();
    }
    assert!(page == bytes, "not the bytes of Muen's tools");
}

#[test]
fn numbers_and_names_are_told() {
    let of = |detail| Resource {
        name: name("net_out"),
        detail,
    };
    assert_eq!(of(Detail::Event(16)).number(), Some(16));
    assert_eq!(of(Detail::Vector(53)).number(), Some(53));
    let (_, memory) = memory("net_out", MemoryKind::Channel, 4096, 4096);
    assert_eq!(of(Detail::Memory(memory)).number(), None);
    let echo = name("echo");
    assert!(echo == "echo" && echo != "other");
    // 63 bytes are a name.
    let longest = "x".repeat(63);
    let mut page = vec![0; SIZE];
    Builder::new(&mut page, Version::V5, &longest, 1).unwrap();
    let subject = Sinfo::parse(&page).unwrap().subject();
    assert_eq!(subject.as_str(), Some(&*longest));
}
