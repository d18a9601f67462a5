// SPDX-License-Identifier: MIT OR Apache-2.0
//! The state of a channel at one time, for people and programs.

use super::{decode, Last, Seen, Watch};
use muennet_core::{
    channel::{layout::TRANSPORT, Header, Peer},
    config::Mode,
};
use serde::Serialize;
use std::{
    collections::VecDeque,
    time::{Duration, Instant, SystemTime},
};

/// Rates that are remembered for drawing.
const HISTORY: usize = 60;

/// A channel's name and ends, as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Title {
    /// Name of the channel, or of its file.
    pub name: String,
    /// The subject that writes it.
    pub writer: Option<String>,
    /// The subject that reads it.
    pub reader: Option<String>,
}

/// One look. Numbers of 64 bits that are no counts are hexadecimal strings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Milliseconds since 1970.
    pub unix_ms: u128,
    /// The channel.
    #[serde(flatten)]
    pub title: Title,
    /// "up", "down" or "faulty".
    pub state: &'static str,
    /// Why it is faulty.
    pub fault: Option<String>,
    /// "eth_dev", "net_hdr" or "raw": the mode that was asked for.
    pub mode: &'static str,
    /// Bytes of the channel's memory.
    pub region: usize,
    /// A copy of the header.
    pub header: HeaderReport,
    /// Since the look before.
    pub rates: Rates,
    /// Counters of this observer.
    pub seen: SeenReport,
    /// The newest frame.
    pub last: Option<LastReport>,
}

/// The header in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeaderReport {
    /// The transport marker.
    pub transport: String,
    /// It is that of SHMStream version 2.
    pub transport_known: bool,
    /// The writer's epoch.
    pub epoch: String,
    /// Number of the protocol that the elements follow.
    pub protocol: String,
    /// Bytes per element.
    pub element_size: u64,
    /// Elements in the data area.
    pub elements: u64,
    /// Elements whose writing has begun.
    pub write_start: u64,
    /// Elements whose writing has ended.
    pub written: u64,
    /// The element that is written next.
    pub slot: Option<u64>,
    /// Elements that hold something of this epoch.
    pub filled: u64,
}

/// Rates in this interval.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize)]
pub struct Rates {
    /// Elements written per second.
    pub elements_per_second: f64,
    /// Bits of the frames seen per second.
    pub bits_per_second: f64,
}

/// Counters of the observer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // As in `Seen`.
pub struct SeenReport {
    pub frames: u64,
    pub bytes: u64,
    pub lost: u64,
    pub rejected: u64,
    pub epochs: u64,
}

/// The newest frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastReport {
    /// Its bytes.
    pub len: usize,
    /// Its mark.
    pub mark: u32,
    /// Milliseconds since it was looked at.
    pub age_ms: u128,
    /// Its headers, a line each.
    pub decoded: Vec<String>,
}

/// Makes reports of a channel, one after the other.
#[derive(Debug)]
pub struct Reporter {
    title: Title,
    before: Option<(Instant, Header, Seen)>,
    rates: VecDeque<u64>,
}

impl Reporter {
    /// Reports on the channel of that title.
    pub fn new(title: Title) -> Self {
        Self {
            title,
            before: None,
            rates: VecDeque::new(),
        }
    }

    /// The channel.
    pub fn title(&self) -> &Title {
        &self.title
    }

    /// The rates of the last reports, in elements per second.
    pub fn history(&self) -> impl Iterator<Item = u64> + '_ {
        self.rates.iter().copied()
    }

    /// Reports what `watch` knows now.
    pub fn report(&mut self, watch: &Watch) -> Report {
        let (now, header, seen) = (Instant::now(), watch.header(), watch.seen());
        let rates = self
            .before
            .map_or_else(Rates::default, |(then, old, before)| {
                rates(now - then, &old, &header, seen.bytes - before.bytes)
            });
        self.before = Some((now, header, seen));
        if self.rates.len() >= HISTORY {
            self.rates.pop_front();
        }
        // CAST: saturates.
        self.rates.push_back(rates.elements_per_second as u64);
        let (state, fault) = match watch.peer() {
            Peer::Down => ("down", None),
            Peer::Up { .. } => ("up", None),
            Peer::Faulty(fault) => ("faulty", Some(fault.to_string())),
        };
        let today = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Report {
            unix_ms: today.unwrap_or_default().as_millis(),
            title: self.title.clone(),
            state,
            fault,
            mode: watch.mode().name(),
            region: watch.region(),
            header: in_words(&header),
            rates,
            seen: SeenReport {
                frames: seen.frames,
                bytes: seen.bytes,
                lost: seen.lost,
                rejected: seen.rejected,
                epochs: seen.epochs,
            },
            last: watch.last().map(|last| newest(watch.mode(), last)),
        }
    }
}

fn in_words(header: &Header) -> HeaderReport {
    HeaderReport {
        transport: format!("{:#018x}", header.transport),
        transport_known: header.transport == TRANSPORT,
        epoch: format!("{:#018x}", header.epoch),
        protocol: format!("{:#018x}", header.protocol),
        element_size: header.element_size,
        elements: header.elements,
        write_start: header.write_start,
        written: header.written,
        slot: header.written.checked_rem(header.elements),
        filled: header.written.min(header.elements),
    }
}

/// `bytes` is what was seen meanwhile.
fn rates(time: Duration, before: &Header, now: &Header, bytes: u64) -> Rates {
    let seconds = time.as_secs_f64().max(f64::MIN_POSITIVE);
    // A new epoch counts from 0; counters that run backwards count for nothing.
    let start = if now.epoch == before.epoch {
        before.written
    } else {
        0
    };
    Rates {
        elements_per_second: now.written.saturating_sub(start) as f64 / seconds,
        bits_per_second: bytes as f64 * 8.0 / seconds,
    }
}

fn newest(mode: Mode, last: &Last) -> LastReport {
    LastReport {
        len: last.frame.len(),
        mark: last.mark,
        age_ms: SystemTime::now()
            .duration_since(last.when)
            .unwrap_or_default()
            .as_millis(),
        decoded: decode(mode, &last.frame),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(epoch: u64, written: u64) -> Header {
        Header {
            transport: TRANSPORT,
            epoch,
            protocol: 0x12,
            element_size: 1516,
            elements: 100,
            write_start: written,
            written,
        }
    }

    #[test]
    fn rates_are_of_this_interval() {
        let half = Duration::from_millis(500);
        let of = |before: (u64, u64), now: (u64, u64)| {
            let (before, now) = (header(before.0, before.1), header(now.0, now.1));
            rates(half, &before, &now, 1000).elements_per_second
        };
        assert_eq!(of((1, 10), (1, 60)), 100.0);
        assert_eq!(of((1, 1000), (2, 60)), 120.0);
        assert_eq!(of((1, 1000), (1, 60)), 0.0);
        let none = rates(Duration::ZERO, &header(1, 0), &header(1, 0), 0);
        assert_eq!(none.elements_per_second, 0.0);
    }

    #[test]
    fn a_header_in_words() {
        let words = in_words(&header(5, 250));
        assert_eq!((words.slot, words.filled), (Some(50), 100));
        assert_eq!(words.epoch, "0x0000000000000005");
        assert!(words.transport_known);
        let mut nothing = header(0, 3);
        nothing.elements = 0;
        assert_eq!(in_words(&nothing).slot, None);
    }
}
