// SPDX-License-Identifier: MIT OR Apache-2.0
//! Subject information of any bytes.

use muennet_core::sinfo::{Builder, Kind, Sinfo, MAX_RESOURCES, RESOURCE_SIZE, SIZE};

const KINDS: [Kind; 6] = [
    Kind::Memory,
    Kind::Event,
    Kind::Vector,
    Kind::Device,
    Kind::DeviceMemory,
    Kind::DevicePort,
];

/// Parses `bytes`; what is accepted is built anew and parsed to the same.
pub fn run(bytes: &[u8]) {
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
    let mut page = vec![0xff; SIZE];
    // An empty name is read, but not given to anybody.
    let Ok(mut builder) = Builder::new(&mut page, &subject, sinfo.tsc_khz()) else {
        return;
    };
    for resource in &resources {
        builder.resource(resource).expect("no more than there were");
    }
    let again = Sinfo::parse(&page).expect("a page that was just built");
    assert_eq!(again.subject(), sinfo.subject());
    assert_eq!(again.tsc_khz(), sinfo.tsc_khz());
    assert!(again.resources().eq(resources));
}
