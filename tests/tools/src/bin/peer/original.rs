// SPDX-License-Identifier: MIT OR Apache-2.0
//! A peer as the original is: its reader spends an event on noticing a new epoch, and
//! leaves what is there until the next event. It answers pings in `net_hdr` mode.

use crate::region::Region;
use anyhow::{Context, Result};
use muennet_core::channel::{Read, Reader};
use muennet_host::{ivshmem::client::Client, wait};
use std::{num::NonZeroU64, os::fd::AsFd, time::Duration};

/// Offsets in an element: the header's mark, then the IPv4 packet's fields.
const PACKET: usize = 8;
const PROTOCOL: usize = PACKET + 9;
const SOURCE: usize = PACKET + 12;
const DESTINATION: usize = PACKET + 16;
const ICMP: usize = PACKET + 20;
/// Nothing but an event wakes it.
const EVER: Duration = Duration::from_secs(24 * 3600);

/// Answers on `region` what it reads of the channel `input`, for ever.
pub fn run(client: &Client, input: &str, protocol: u64, region: &mut Region) -> Result<()> {
    let vector = client.vector(input)?.context("the channel has no event")?;
    let protocol = NonZeroU64::new(protocol).context("protocol 0")?;
    // A reader that was not told to come up reads a running epoch from its start.
    let mut reader = Reader::new(client.input(input)?, protocol, ICMP)?;
    region.start();
    region.ring();
    println!("told");
    loop {
        wait::until(&[vector.as_fd()], EVER)?;
        vector.clear();
        loop {
            let read = reader.read(|element| {
                let mut copy = vec![0; element.size()];
                element.copy_out(0, &mut copy).then_some(copy)
            });
            match read {
                Read::Taken(Some(element)) => {
                    if let Some(answer) = answer(element) {
                        region.send(&answer);
                        region.ring();
                    }
                }
                Read::NewEpoch { .. } => {
                    println!("noticed");
                    break;
                }
                Read::Taken(None) | Read::Overrun { .. } => {}
                Read::Empty | Read::Inactive | Read::Faulty(_) => break,
            }
        }
    }
}

/// The answer to a ping.
fn answer(mut element: Vec<u8>) -> Option<Vec<u8>> {
    let is_request = element.get(PACKET) == Some(&0x45)
        && element.get(PROTOCOL) == Some(&1)
        && element.get(ICMP) == Some(&8);
    if !is_request {
        return None;
    }
    let (source, destination) = element.split_at_mut_checked(DESTINATION)?;
    source
        .get_mut(SOURCE..)?
        .swap_with_slice(destination.get_mut(..4)?);
    // An echo reply is of type 0: its checksum is larger by what the type was.
    element[ICMP] = 0;
    let sum = element.get_mut(ICMP + 2..ICMP + 4)?;
    let (old, carry) = u16::from_be_bytes([sum[0], sum[1]]).overflowing_add(0x0800);
    sum.copy_from_slice(&(old + u16::from(carry)).to_be_bytes());
    Some(element)
}
