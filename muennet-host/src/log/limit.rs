// SPDX-License-Identifier: MIT OR Apache-2.0
//! No more than a few lines of one cause in a while.

use std::{
    collections::HashMap,
    hash::Hash,
    time::{Duration, Instant},
};

/// Lines of one cause that are said in a while.
const FEW: u32 = 8;
/// The while.
const WHILE: Duration = Duration::from_secs(10);

/// Lets the first lines of each cause pass, counts the others, and says at the end of the
/// while how many there were.
///
/// ```
/// use muennet_host::log::RateLimit;
/// use std::time::Instant;
///
/// let mut limit = RateLimit::default();
/// let now = Instant::now();
/// let mut said = 0;
/// (0..1000).for_each(|_| limit.say(now, "refusal", "refused", |_| said += 1));
/// assert!(said < 10);
/// ```
#[derive(Debug)]
pub struct RateLimit<C> {
    causes: HashMap<C, Said>,
}

#[derive(Debug)]
struct Said {
    since: Instant,
    lines: u32,
    held: u64,
    last: String,
}

impl<C> Default for RateLimit<C> {
    fn default() -> Self {
        let causes = HashMap::new();
        Self { causes }
    }
}

impl<C: Eq + Hash> RateLimit<C> {
    /// Says `line` by `tell`, or counts it.
    pub fn say(&mut self, now: Instant, cause: C, line: &str, mut tell: impl FnMut(&str)) {
        let said = self.causes.entry(cause).or_insert_with(|| Said::new(now));
        if said.is_over(now) {
            said.settle(&mut tell);
            *said = Said::new(now);
        }
        if said.lines < FEW {
            said.lines += 1;
            tell(line);
        } else {
            said.held += 1;
            line.clone_into(&mut said.last);
        }
    }

    /// Tells of the lines that were held back in whiles that are over; gives the time until
    /// the next is, if one holds any.
    pub fn settle(&mut self, now: Instant, mut tell: impl FnMut(&str)) -> Option<Duration> {
        self.causes.retain(|_, said| {
            let over = said.is_over(now);
            if over {
                said.settle(&mut tell);
            }
            !over
        });
        let holding = self.causes.values().filter(|said| said.held > 0);
        let ends = holding.map(|said| (said.since + WHILE).saturating_duration_since(now));
        ends.min()
    }
}

impl Said {
    fn new(now: Instant) -> Self {
        Self {
            since: now,
            lines: 0,
            held: 0,
            last: String::new(),
        }
    }

    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= WHILE
    }

    fn settle(&self, tell: &mut impl FnMut(&str)) {
        if self.held > 0 {
            tell(&format!("{} ({} lines like this)", self.last, self.held));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_a_few_lines_and_a_count() {
        let start = Instant::now();
        let mut limit = RateLimit::default();
        let mut lines = Vec::new();
        for number in 0..1000 {
            limit.say(start, 1, &format!("a{number}"), |line| {
                lines.push(line.to_owned())
            });
        }
        limit.say(start, 2, "b", |line| lines.push(line.to_owned()));
        assert_eq!(lines.len(), 9);
        assert_eq!((&*lines[7], &*lines[8]), ("a7", "b"));

        let middle = start + WHILE / 2;
        let left = limit.settle(middle, |_| panic!("too early"));
        assert_eq!(left, Some(WHILE / 2));
        lines.clear();
        let end = start + WHILE;
        assert_eq!(limit.settle(end, |line| lines.push(line.to_owned())), None);
        assert_eq!(lines, ["a999 (992 lines like this)"]);
        assert!(limit.causes.is_empty());
    }

    #[test]
    fn the_next_while_begins_with_what_was_held() {
        let start = Instant::now();
        let mut limit = RateLimit::default();
        (0..10).for_each(|_| limit.say(start, 1, "a", |_| ()));
        let mut lines = Vec::new();
        limit.say(start + WHILE, 1, "b", |line| lines.push(line.to_owned()));
        assert_eq!(lines, ["a (2 lines like this)", "b"]);
        assert_eq!(limit.settle(start + WHILE, |_| ()), None);
    }
}
