// SPDX-License-Identifier: MIT OR Apache-2.0
//! Places of channels and tables in the shared region (see `muennet_core::ivshmem`).

use crate::policy::{Policy, PolicyError};
use anyhow::{Context, Result};
use muennet_core::{
    ivshmem::{Directory, Doorbell, BLOCK_SIZE, EVENTS, EVENT_TABLE, PAGE_SIZE, SINFO_ROOM},
    sinfo::Builder,
};
use std::ops::Range;

/// The places of a policy's channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Bytes of the region: a power of two, as a PCI device's memory must be.
    pub size: u64,
    /// Offsets of the channels, in the policy's order.
    pub offsets: Vec<u64>,
}

fn up(value: u64) -> Option<u64> {
    value.checked_next_multiple_of(PAGE_SIZE as u64)
}

impl Layout {
    /// Lays out the channels: those with an offset there, the others behind all.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] when channels overlap or do not fit.
    pub fn new(policy: &Policy) -> Result<Self, PolicyError> {
        let blocks = PAGE_SIZE as u64 + policy.subjects.len() as u64 * BLOCK_SIZE as u64;
        let mut taken: Vec<(Range<u64>, &str)> = vec![(0..blocks, "the subjects' information")];
        let mut offsets = vec![0; policy.channels.len()];
        let (fixed, free): (Vec<_>, Vec<_>) =
            (0..offsets.len()).partition(|index| policy.channels[*index].offset.is_some());
        for index in fixed.into_iter().chain(free) {
            let channel = &policy.channels[index];
            let fail = |what| PolicyError {
                line: channel.line,
                what: format!("channel \"{}\" {what}", channel.name),
            };
            let end = taken.iter().map(|(range, _)| range.end).max().unwrap_or(0);
            let start = channel.offset.unwrap_or(end);
            if !start.is_multiple_of(PAGE_SIZE as u64) {
                return Err(fail(format!(
                    "lies at {start:#x}; use a multiple of {PAGE_SIZE:#x}"
                )));
            }
            let range = start
                .checked_add(channel.size)
                .and_then(up)
                .filter(|end| *end <= 1 << 40)
                .map(|end| start..end)
                .ok_or_else(|| fail("does not fit into a region".to_owned()))?;
            let overlaps = |other: &Range<u64>| range.start < other.end && other.start < range.end;
            if let Some((_, other)) = taken.iter().find(|(other, _)| overlaps(other)) {
                return Err(fail(format!(
                    "overlaps {other}; choose another offset, or none"
                )));
            }
            offsets[index] = start;
            taken.push((range, &channel.name));
        }
        let end = taken.iter().map(|(range, _)| range.end).max().unwrap_or(0);
        Ok(Self {
            size: end.next_power_of_two(),
            offsets,
        })
    }

    /// The bytes before the first channel: directory, subject information, events.
    ///
    /// # Errors
    ///
    /// When a subject has more resources than fit.
    pub fn head(&self, policy: &Policy) -> Result<Vec<u8>> {
        let mut head = vec![0; PAGE_SIZE + policy.subjects.len() * BLOCK_SIZE];
        let directory = Directory {
            subjects: policy.subjects.len() as u32,
            region_size: self.size,
        };
        head[..Directory::SIZE].copy_from_slice(&directory.to_bytes());
        for (number, name) in policy.subjects.iter().enumerate() {
            let block = &mut head[PAGE_SIZE + number * BLOCK_SIZE..][..BLOCK_SIZE];
            let (sinfo, events) = block.split_at_mut(EVENT_TABLE);
            self.subject(policy, number, &mut sinfo[..SINFO_ROOM], events)
                .with_context(|| format!("subject \"{name}\""))?;
        }
        Ok(head)
    }

    fn subject(
        &self,
        policy: &Policy,
        number: usize,
        sinfo: &mut [u8],
        events: &mut [u8],
    ) -> Result<()> {
        let mut builder = Builder::new(
            sinfo,
            policy.sinfo_version,
            &policy.subjects[number],
            TSC_KHZ,
        )?;
        let mut event_table = [None; EVENTS];
        let mut next_event = 0u8;
        for (channel, offset) in policy.channels.iter().zip(&self.offsets) {
            let writes = channel.writer == number;
            if !writes && channel.reader != number {
                continue;
            }
            builder.memory(&channel.name, channel.kind, *offset, channel.size, writes)?;
            if !channel.event {
                continue;
            }
            let vector = vector_of(policy, &channel.name).context("a vector without channel")?;
            if writes {
                builder.event(&channel.name, next_event)?;
                event_table[usize::from(next_event)] = Some(Doorbell {
                    peer: channel.reader as u16,
                    vector: vector.into(),
                });
                next_event = next_event.wrapping_add(1);
            } else {
                builder.vector(&channel.name, vector)?;
            }
        }
        for (entry, doorbell) in events.chunks_exact_mut(4).zip(event_table) {
            entry.copy_from_slice(&Doorbell::entry(doorbell));
        }
        Ok(())
    }
}

/// QEMU's time stamp counter under emulation; nobody here measures time by it.
const TSC_KHZ: u32 = 1_000_000;

/// The vector that the channel rings at its reader.
pub fn vector_of(policy: &Policy, channel: &str) -> Option<u8> {
    let reader = policy.channels.iter().find(|c| c.name == channel)?.reader;
    let mut ringing = policy
        .channels
        .iter()
        .filter(|c| c.event && c.reader == reader);
    let index = ringing.position(|c| c.name == channel)?;
    u8::try_from(index).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use muennet_core::sinfo::{Detail, Kind, Sinfo, Version};

    fn policy(channels: &str) -> Policy {
        let text = format!("[[subject]]\nname = \"a\"\n[[subject]]\nname = \"b\"\n{channels}");
        Policy::parse(&text).unwrap()
    }

    fn channel(name: &str, writer: &str, reader: &str, more: &str) -> String {
        format!(
            "[[channel]]\nname = \"{name}\"\nsize = 8192\nwriter = \"{writer}\"\nreader = \"{reader}\"\n{more}\n"
        )
    }

    #[test]
    fn both_ends_find_their_side() {
        let mut policy = policy(
            &(channel("x", "a", "b", "event = true") + &channel("y", "b", "a", "event = true")),
        );
        for version in Version::ALL {
            policy.sinfo_version = version;
            both_ends_find_their_side_in(&policy);
        }
    }

    fn both_ends_find_their_side_in(policy: &Policy) {
        let layout = Layout::new(policy).unwrap();
        assert_eq!(layout.offsets, [0x13000, 0x15000]);
        assert_eq!(layout.size, 0x20000);
        let head = layout.head(policy).unwrap();
        let bytes: &[u8; Directory::SIZE] = head.first_chunk().unwrap();
        let directory = Directory::parse(bytes, layout.size).unwrap();
        for (number, writes) in [(0, "x"), (1, "y")] {
            let block = &head[directory.block(number).unwrap() as usize..];
            let sinfo = Sinfo::parse(block).unwrap();
            assert_eq!(sinfo.version(), policy.sinfo_version);
            assert_eq!(sinfo.subject(), ["a", "b"][number as usize]);
            for (name, offset) in [("x", 0x13000), ("y", 0x15000)] {
                let memory = sinfo.find(name, Kind::Memory).unwrap().memory().unwrap();
                assert_eq!(memory.address, offset);
                assert_eq!(memory.writable, name == writes);
                let kind = if name == writes {
                    Kind::Event
                } else {
                    Kind::Vector
                };
                let detail = sinfo.find(name, kind).unwrap().detail;
                assert!(matches!(detail, Detail::Event(0) | Detail::Vector(0)));
            }
            let entry = block[EVENT_TABLE..].first_chunk().unwrap();
            let doorbell = Doorbell::parse(*entry).unwrap();
            assert_eq!((doorbell.peer, doorbell.vector), (1 - number as u16, 0));
            assert_eq!(
                Doorbell::parse(*block[EVENT_TABLE + 4..].first_chunk().unwrap()),
                None
            );
        }
    }

    #[test]
    fn overlaps_are_refused() {
        let error = |channels: &str| Layout::new(&policy(channels)).unwrap_err().to_string();
        let at = |name, offset| channel(name, "a", "b", &format!("offset = \"{offset}\""));
        assert_eq!(
            error(&(at("x", "1M") + &at("y", "0x101000"))),
            "line 12: channel \"y\" overlaps x; choose another offset, or none"
        );
        assert_eq!(
            error(&at("x", "0x1000")),
            "line 6: channel \"x\" overlaps the subjects' information; choose another offset, or none"
        );
        assert_eq!(
            error(&at("x", "0x100001")),
            "line 6: channel \"x\" lies at 0x100001; use a multiple of 0x1000"
        );
        assert!(error(&at("x", "0xfffffffffffff000")).contains("does not fit"));
    }
}
