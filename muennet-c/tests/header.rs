// SPDX-License-Identifier: MIT OR Apache-2.0
//! The header is the one that cbindgen makes of the sources, and has each case of the library.

use std::{collections::BTreeSet, fs, path::Path};

const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn the_header_is_up_to_date() {
    let config = cbindgen::Config::from_file(Path::new(FOLDER).join("cbindgen.toml")).unwrap();
    let mut builder = cbindgen::Builder::new().with_config(config);
    for file in [
        "api", "config", "endpoint", "frame", "handle", "notify", "result", "sinfo",
    ] {
        builder = builder.with_src(format!("{FOLDER}/src/{file}.rs"));
    }
    let mut made = Vec::new();
    builder.generate().unwrap().write(&mut made);
    let made = String::from_utf8(made).unwrap();
    let path = Path::new(FOLDER).join("include/muennet.h");
    if std::env::var_os("MUENNET_WRITE_HEADER").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap();
    assert!(
        kept == made,
        "include/muennet.h is not what cbindgen makes of the sources; write it anew with \
         MUENNET_WRITE_HEADER=1 cargo test -p muennet-c --test header"
    );
}

/// The variants of an enum in a source.
fn variants(source: &str, name: &str) -> BTreeSet<String> {
    let file = syn::parse_file(source).unwrap();
    let found = file.items.iter().find_map(|item| match item {
        syn::Item::Enum(item) if item.ident == name => Some(item),
        _ => None,
    });
    let found = found.unwrap_or_else(|| panic!("no enum {name}"));
    let names = found.variants.iter();
    names.map(|variant| variant.ident.to_string()).collect()
}

/// A case that the core gains has to get its code: the enums are not exhaustive for this crate.
#[test]
fn each_case_of_the_core_has_its_code() {
    let codes = variants(include_str!("../src/result.rs"), "Code");
    let framing = include_str!("../../muennet-core/src/framing/mod.rs");
    for (source, name, prefix, elsewhere) in [
        (
            include_str!("../../muennet-core/src/link/receiver.rs"),
            "Received",
            "",
            &["Frame", "Rejected", "Faulty"][..],
        ),
        (framing, "Reject", "Reject", &[]),
        (framing, "FrameError", "Frame", &[]),
        (
            include_str!("../../muennet-core/src/channel/fault.rs"),
            "Fault",
            "Fault",
            &[],
        ),
        (
            include_str!("../../muennet-core/src/link/sender.rs"),
            "SendError",
            "Send",
            // No function of the interface sends packets that are to be cut.
            &["Frame", "Cut"],
        ),
        (
            include_str!("../../muennet-core/src/channel/geometry.rs"),
            "GeometryError",
            "Geometry",
            &["Region"],
        ),
        (
            include_str!("../../muennet-core/src/shm/region.rs"),
            "RegionError",
            "Region",
            &[],
        ),
        (
            include_str!("../../muennet-core/src/sinfo/parse.rs"),
            "SinfoError",
            "Sinfo",
            &[],
        ),
    ] {
        for variant in variants(source, name) {
            let code = format!("{prefix}{variant}");
            assert!(
                elsewhere.contains(&variant.as_str()) || codes.contains(&code),
                "{name}::{variant} has no code {code}"
            );
        }
    }
    let uses = variants(include_str!("../src/sinfo.rs"), "MemoryUse");
    let kinds = variants(
        include_str!("../../muennet-core/src/sinfo/resource.rs"),
        "MemoryKind",
    );
    assert_eq!(uses, kinds);
}
