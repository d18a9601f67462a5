// SPDX-License-Identifier: MIT OR Apache-2.0
//! Subject information of any bytes.

use muennet_core::sinfo::{
    BuildError, Builder, Kind, Name, Resource, Sinfo, Version, MAX_RESOURCES, RESOURCE_SIZE, SIZE,
};

const KINDS: [Kind; 6] = [
    Kind::Memory,
    Kind::Event,
    Kind::Vector,
    Kind::Device,
    Kind::DeviceMemory,
    Kind::DevicePort,
];

/// Parses `bytes`, as they are and as if they were of each version.
///
/// An accepted page is built anew in its version and parsed to the same; in another
/// version each resource is refused or parsed to the same.
pub fn run(bytes: &[u8]) {
    page(bytes);
    let mut bytes = bytes.to_owned();
    for version in Version::ALL {
        if let Some(magic) = bytes.first_chunk_mut() {
            *magic = version.magic().to_le_bytes();
        }
        page(&bytes);
    }
}

fn page(bytes: &[u8]) {
    let sinfo = match Sinfo::parse(bytes) {
        Ok(sinfo) => sinfo,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let resources: Vec<_> = sinfo.resources().collect();
    assert!(resources.len() <= MAX_RESOURCES);
    assert!(80 + resources.len() * RESOURCE_SIZE <= bytes.len());
    for kind in KINDS {
        let found = sinfo.of_kind(kind).count();
        assert_eq!(
            found,
            resources.iter().filter(|found| found.is(kind)).count()
        );
    }
    for resource in &resources {
        if let (Some(name), Some(kind)) = (
            resource.name.as_str(),
            KINDS.into_iter().find(|kind| resource.is(*kind)),
        ) {
            let first = sinfo.find(name, kind).expect("it was listed");
            assert!(first.is(kind) && first.name == *name);
        }
    }
    let Some(subject) = sinfo.subject().as_str().map(str::to_owned) else {
        return;
    };
    for version in Version::ALL {
        // An empty name is read, but not given to anybody.
        if Name::new(&subject).is_ok() {
            rebuild(&sinfo, &subject, &resources, version);
        }
    }
}

fn rebuild(sinfo: &Sinfo<'_>, subject: &str, resources: &[Resource], version: Version) {
    let mut page = vec![0xff; SIZE];
    let mut builder =
        Builder::new(&mut page, version, subject, sinfo.tsc_khz()).expect("a good name");
    let mut built = Vec::new();
    for resource in resources {
        match builder.resource(resource) {
            Ok(()) => built.push(*resource),
            Err(error) => {
                assert!(matches!(error, BuildError::NotInVersion { .. }));
                assert_ne!(version, sinfo.version(), "the page held it: {resource:?}");
            }
        }
    }
    let again = Sinfo::parse(&page).expect("a page that was just built");
    assert_eq!(again.version(), version);
    assert_eq!(again.subject(), sinfo.subject());
    assert_eq!(again.tsc_khz(), sinfo.tsc_khz());
    assert!(again.resources().eq(built));
}
