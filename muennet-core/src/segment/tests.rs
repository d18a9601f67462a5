// SPDX-License-Identifier: MIT OR Apache-2.0
//! Refusals, and fields at their limits. What segments look like as a whole is compared with an
//! independent reference in `reference`.

use super::*;
use crate::shm::Part;
use std::{vec, vec::Vec};

fn cut(size: usize) -> Cut {
    Cut {
        network: 0,
        transport: 20,
        protocol: Transport::Tcp,
        size,
        fixed_id: false,
    }
}

/// IPv4 and TCP without options.
fn packet(payload: usize) -> Vec<u8> {
    let mut packet = vec![0; 40 + payload];
    (packet[0], packet[32]) = (0x45, 0x50);
    packet
}

fn refused(packet: &[u8], cut: &Cut) -> CutError {
    Segments::new(packet, packet.len(), cut)
        .map(drop)
        .unwrap_err()
}

#[test]
fn headers_that_are_not_there_are_refused() {
    let good = packet(10);
    assert!(Segments::new(&good, good.len(), &cut(5)).is_ok());
    let network = |network, transport| CutError::Network { network, transport };
    for first in [0x44, 0x46, 0x55, 0x65] {
        let mut bad = good.clone();
        bad[0] = first;
        assert_eq!(refused(&bad, &cut(5)), network(0, 20), "{first:x}");
    }
    let mut six = good.clone();
    six[0] = 0x60;
    assert_eq!(refused(&six, &cut(5)), network(0, 20));
    let behind = Cut {
        network: 21,
        ..cut(5)
    };
    assert_eq!(refused(&good, &behind), network(21, 20));

    for transport in [31, 50, 51, usize::MAX] {
        let outside = Cut {
            transport,
            ..cut(5)
        };
        let len = good.len();
        assert_eq!(
            refused(&good, &outside),
            CutError::Transport { transport, len }
        );
    }
    let mut short = good.clone();
    short[32] = 0x40;
    let len = short.len();
    assert_eq!(
        refused(&short, &cut(5)),
        CutError::Transport { transport: 20, len }
    );
    // A header that goes on behind the first part.
    assert_eq!(
        Segments::new(&good[..39], good.len(), &cut(5)).map(drop),
        Err(CutError::Transport {
            transport: 20,
            len: 39
        })
    );
}

#[test]
fn a_template_holds_so_many_bytes() {
    // A header of 20 bytes behind an extension header that ends just there, or one byte later.
    for (transport, fits) in [(172, true), (173, false)] {
        let mut packet = vec![0; 300];
        (packet[0], packet[transport + 12]) = (0x60, 0x50);
        let long = Cut {
            transport,
            ..cut(5)
        };
        let result = Segments::new(&packet, packet.len(), &long).map(drop);
        let max = MAX_HEADERS;
        let refusal = CutError::Headers {
            len: transport + 20,
            max,
        };
        assert_eq!(result, if fits { Ok(()) } else { Err(refusal) });
    }
}

#[test]
fn sizes_are_those_that_ip_can_say() {
    let packet = packet(10);
    for size in [0, 65496, usize::MAX] {
        assert_eq!(refused(&packet, &cut(size)), CutError::Size { size });
    }
    assert!(Segments::new(&packet, packet.len(), &cut(65495)).is_ok());
    assert_eq!(refused(&packet[..40], &cut(5)), CutError::Empty);
    // A length that lies.
    assert_eq!(
        Segments::new(&packet, 39, &cut(5)).map(drop),
        Err(CutError::Empty)
    );
}

#[test]
fn numbers_wrap() {
    let mut packet = packet(10);
    packet[4..6].copy_from_slice(&[0xff, 0xff]);
    packet[24..28].copy_from_slice(&[0xff, 0xff, 0xff, 0xfe]);
    let mut segments = Segments::new(&packet, packet.len(), &cut(5)).unwrap();
    let header = segments.next().unwrap().header();
    assert_eq!(
        (&header[4..6], &header[24..28]),
        (&[0xff; 2][..], &[0xff, 0xff, 0xff, 0xfe][..])
    );
    let segment = segments.next().unwrap();
    assert!(segment.is_last());
    let header = segment.header();
    assert_eq!(
        (&header[4..6], &header[24..28]),
        (&[0; 2][..], &[0, 0, 0, 3][..])
    );
    assert!(segments.next().is_none());
}

#[test]
fn the_last_segment_is_the_same_for_those_who_skip_to_it() {
    for payload in [1, 5, 6, 23] {
        let packet = packet(payload);
        let mut all = Segments::new(&packet, packet.len(), &cut(5)).unwrap();
        let mut skipping = all.clone();
        for _ in 1..all.count() {
            assert!(!all.next().unwrap().is_last());
        }
        assert_eq!(skipping.skip_to_last(), (all.count() - 1) * 5);
        let (a, b) = (all.next().unwrap(), skipping.next().unwrap());
        assert_eq!((a.header(), a.payload()), (b.header(), b.payload()));
        assert!(a.is_last() && b.is_last());
    }
}

#[test]
fn pieces_go_over_the_borders_of_parts() {
    let slices: [&[u8]; 4] = [b"abc", b"", b"defgh", b"i"];
    let parts = Part::of_slices(&slices);
    let mut pieces = Pieces::new(parts);
    let mut taken = |len| {
        let mut text = Vec::new();
        let missing = pieces.take(len, |part| {
            text.push(
                (0..part.len())
                    .map(|at| part.byte(at).unwrap())
                    .collect::<Vec<u8>>(),
            );
        });
        (text.join(&b'|'), missing)
    };
    assert_eq!(taken(2), (b"ab".to_vec(), 0));
    assert_eq!(taken(3), (b"c|de".to_vec(), 0));
    assert_eq!(taken(0), (vec![], 0));
    assert_eq!(taken(5), (b"fgh|i".to_vec(), 1));
    assert_eq!(taken(1), (vec![], 1));
}
