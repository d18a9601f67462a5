// SPDX-License-Identifier: MIT OR Apache-2.0
//! Properties that hold whatever a peer, a page or a user says. The fuzzers look
//! at the same ones for longer.

#[path = "../../tests/fuzz/src/hostile.rs"]
#[expect(unsafe_code, reason = "a peer writes to the memory of a channel")]
mod hostile;
#[path = "../../tests/fuzz/src/parameters.rs"]
mod parameters;
#[path = "../../tests/fuzz/src/sinfo.rs"]
mod sinfo;

use muennet_core::sinfo::{Builder, Version, SIZE};
use proptest::prelude::*;

/// A byte that is an order more often than not.
fn order() -> impl Strategy<Value = u8> {
    prop_oneof![0..12u8, any::<u8>()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_peer_harms(
        start in (any::<u8>(), 0..4u8, 0..3u8, 1..100u8, 0..2u8),
        orders in prop::collection::vec(order(), 0..800),
    ) {
        let mut script = vec![start.0, start.1, start.2, start.3, start.4];
        script.extend(orders);
        hostile::run(&script);
    }

    #[test]
    fn no_page_harms(
        version in prop::sample::select(&Version::ALL[..]),
        kinds in prop::collection::vec(0..7u32, 3),
        count in 0..4u8,
        changes in prop::collection::vec((0..80 + 3 * 128usize, any::<u8>()), 0..20),
        cut in prop::option::of(0..SIZE),
    ) {
        let mut page = vec![0; SIZE];
        let mut builder = Builder::new(&mut page, version, "subject", 1).unwrap();
        for number in 0..count {
            builder.event("event", number).unwrap();
        }
        for (number, kind) in kinds.into_iter().enumerate().take(count.into()) {
            page[80 + number * 128..][..4].copy_from_slice(&kind.to_le_bytes());
        }
        for (at, byte) in changes {
            page[at] = byte;
        }
        page.truncate(cut.unwrap_or(SIZE));
        sinfo::run(&page);
    }

    #[test]
    fn no_text_harms(lists in prop::collection::vec(
        prop_oneof![
            "[a-z]{0,17}(,[a-z%d/]{0,4}){0,3}",
            "(0x)?[0-9a-f]{0,17}(,[0-9]{0,6}){0,3}",
            "(net_hdr|eth_dev|\\+|,){0,4}",
            "\\PC{0,20}",
        ],
        0..10,
    )) {
        parameters::run(lists.join("\n").as_bytes());
    }
}
