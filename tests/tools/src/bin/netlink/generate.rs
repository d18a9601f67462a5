// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random requests of a family: right ones, and such with every kind of fault that a
//! specification leaves room for. The same seed gives the same requests.

use crate::specification::{Attribute, Kind, Operation, Specification};
use fastrand::Rng;

/// Bytes of `struct nlmsghdr`.
const HEADER: usize = 16;
/// Nests in nests, at most.
const DEPTH: usize = 12;
/// Bytes of one message, at most.
const LIMIT: usize = 16 << 10;

const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_ACK: u16 = 0x4;
const NLM_F_EXCL: u16 = 0x200;
const NLM_F_CREATE: u16 = 0x400;
const NLM_F_DUMP: u16 = 0x300;
const NLA_F_NESTED: u16 = 0x8000;

/// Names and numbers that the requests are about.
#[derive(Debug)]
pub struct Subjects {
    /// Number of the family, for a generic one.
    pub family: u16,
    /// The parent, and its number.
    pub parent: (String, u32),
    /// Children, existing or not.
    pub children: Vec<String>,
}

/// A request.
#[derive(Debug)]
pub struct Request {
    pub bytes: Vec<u8>,
    /// Its sequence number, and the operation's place in the specification, unless header or
    /// bytes are damaged.
    pub expected: Option<(u32, usize)>,
    pub is_dump: bool,
}

/// Makes requests.
#[derive(Debug)]
pub struct Generator<'a> {
    specification: &'a Specification,
    subjects: &'a Subjects,
    random: Rng,
    /// One attribute in so many is wrong.
    care: u32,
}

impl<'a> Generator<'a> {
    pub fn new(specification: &'a Specification, subjects: &'a Subjects, seed: u64) -> Self {
        Self {
            specification,
            subjects,
            random: Rng::with_seed(seed),
            care: 0,
        }
    }

    fn one_in(&mut self, many: u32) -> bool {
        many != 0 && self.random.u32(0..many) == 0
    }

    /// The next request.
    pub fn request(&mut self, sequence: u32) -> Request {
        let specification = self.specification;
        let place = self.random.usize(0..specification.operations.len());
        let operation = &specification.operations[place];
        // A third of the requests is right, the others have few or many faults.
        self.care = [0, 0, 12, 6, 3, 2][self.random.usize(0..6)];
        let mut bytes = vec![0; HEADER];
        self.fixed(operation, &mut bytes);
        self.body(operation, &mut bytes);
        let is_damaged = self.header(operation, sequence, &mut bytes) | self.damage(&mut bytes);
        Request {
            bytes,
            expected: (!is_damaged).then_some((sequence, place)),
            is_dump: operation.is_dump,
        }
    }

    /// The fixed header before the attributes: `struct genlmsghdr` or `struct ifinfomsg`.
    fn fixed(&mut self, operation: &Operation, bytes: &mut Vec<u8>) {
        if self.specification.is_generic {
            let [command, _] = operation.number.to_le_bytes();
            let version = if self.one_in(self.care * 4) {
                self.random.u8(..)
            } else {
                1
            };
            let reserved = if self.one_in(self.care * 8) {
                self.random.u16(..)
            } else {
                0
            };
            bytes.extend([command, version]);
            bytes.extend(reserved.to_ne_bytes());
            return;
        }
        let family = if self.one_in(self.care * 4) {
            self.random.u8(..)
        } else {
            0
        };
        bytes.extend([family, 0]);
        bytes.extend(0_u16.to_ne_bytes());
        // Small numbers belong to interfaces that are not to be changed.
        let index = if self.one_in(self.care) {
            self.random.u32(1 << 16..)
        } else {
            0
        };
        bytes.extend(index.to_ne_bytes());
        let flags = if self.random.bool() { 1 } else { 0 };
        let flags: u32 = if self.one_in(self.care * 2) {
            self.random.u32(..)
        } else {
            flags
        };
        bytes.extend(flags.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
    }

    /// The attributes: those of the operation, without some, with others, some twice.
    fn body(&mut self, operation: &Operation, bytes: &mut Vec<u8>) {
        let all = self.specification.set(&operation.set);
        let mut chosen: Vec<_> = all
            .iter()
            .filter(|attribute| operation.attributes.contains(&attribute.name))
            .collect();
        self.disturb(&mut chosen, all);
        for attribute in chosen {
            self.attribute(attribute, bytes, 0);
        }
    }

    fn disturb<'b>(&mut self, chosen: &mut Vec<&'b Attribute>, all: &'b [Attribute]) {
        if self.care == 0 {
            return;
        }
        let care = self.care;
        chosen.retain(|_| !self.one_in(care * 3));
        while !all.is_empty() && self.one_in(care) && chosen.len() < 64 {
            chosen.push(&all[self.random.usize(0..all.len())]);
        }
        while !chosen.is_empty() && self.one_in(care * 2) && chosen.len() < 64 {
            chosen.push(chosen[self.random.usize(0..chosen.len())]);
        }
        if self.one_in(care) {
            self.random.shuffle(chosen);
        }
    }

    fn attribute(&mut self, attribute: &Attribute, bytes: &mut Vec<u8>, depth: usize) {
        if bytes.len() > LIMIT {
            return;
        }
        let start = bytes.len();
        bytes.extend([0; 4]);
        let mut kind = attribute.number;
        if self.one_in(self.care) {
            self.wrong_value(attribute, bytes, depth);
        } else {
            self.right_value(attribute, bytes, depth);
        }
        if matches!(attribute.kind, Kind::Nest { .. }) != self.one_in(self.care * 3) {
            kind |= NLA_F_NESTED;
        }
        if self.one_in(self.care * 6) {
            kind = self.random.u16(0..64) | (kind & NLA_F_NESTED);
        }
        let mut length = bytes.len() - start;
        if self.one_in(self.care * 4) {
            length = [
                0,
                3,
                4,
                5,
                length + 1,
                length + 64,
                0xffff,
                length.saturating_sub(1),
            ][self.random.usize(0..8)];
        }
        // CAST: cut off as a length in a header is.
        bytes[start..][..2].copy_from_slice(&(length as u16).to_ne_bytes());
        bytes[start + 2..][..2].copy_from_slice(&kind.to_ne_bytes());
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }

    fn right_value(&mut self, attribute: &Attribute, bytes: &mut Vec<u8>, depth: usize) {
        match &attribute.kind {
            Kind::Text { .. } => {
                let text = self.name(&attribute.name);
                bytes.extend(text.as_bytes());
                bytes.push(0);
            }
            Kind::Number { bytes: width } => {
                let number = self.number(&attribute.name);
                bytes.extend(&number.to_le_bytes()[..*width]);
            }
            Kind::Binary => bytes.extend([0x02, 0, 0, 0, 0, 1]),
            Kind::Nest { set } => {
                let all = self.specification.set(set);
                let mut chosen: Vec<_> = all.iter().collect();
                // The kind shows this one, and does not take it.
                chosen.retain(|inner| inner.name != "marks");
                self.disturb(&mut chosen, all);
                for inner in chosen {
                    if depth < DEPTH {
                        self.attribute(inner, bytes, depth + 1);
                    }
                }
            }
        }
    }

    fn wrong_value(&mut self, attribute: &Attribute, bytes: &mut Vec<u8>, depth: usize) {
        match self.random.u32(0..8) {
            0 => {}
            1 => self.noise(1..64, bytes),
            2 => self.noise(64..4096, bytes),
            3 => {
                // A text without its end, one that is too long, one with an end within.
                let max = match attribute.kind {
                    Kind::Text { max } => max,
                    _ => 15,
                };
                let length = [1, max, max + 1, max + 2, 255][self.random.usize(0..5)];
                let start = bytes.len();
                bytes.resize(start + length, b'z');
                if self.random.bool() {
                    bytes[start + self.random.usize(0..length)] = 0;
                }
            }
            4 => bytes.extend(self.odd().to_ne_bytes()),
            5 => {
                let width = [1, 2, 3, 5, 7, 12][self.random.usize(0..6)];
                let number = [self.odd().to_ne_bytes(); 2].concat();
                bytes.extend(&number[..width]);
            }
            6 => {
                let name = self.name(&attribute.name).into_bytes();
                bytes.extend(name.iter().map(|byte| byte ^ 0x80));
            }
            // An attribute in an attribute, again and again.
            _ if depth < DEPTH => self.attribute(attribute, bytes, depth + 1),
            _ => {}
        }
    }

    fn noise(&mut self, length: std::ops::Range<usize>, bytes: &mut Vec<u8>) {
        let length = self.random.usize(length);
        bytes.extend((0..length).map(|_| self.random.u8(..)));
    }

    fn name(&mut self, attribute: &str) -> String {
        match attribute {
            "kind" => "muennet".to_owned(),
            "dev" => self.subjects.parent.0.clone(),
            _ => {
                let children = &self.subjects.children;
                children[self.random.usize(0..children.len())].clone()
            }
        }
    }

    fn number(&mut self, attribute: &str) -> u64 {
        match attribute {
            "link" => self.subjects.parent.1.into(),
            "mark" if self.random.u32(0..8) > 0 => self.random.u64(0..4),
            "mtu" => self.random.u64(60..1600),
            _ => self.odd(),
        }
    }

    /// A number as bugs like them.
    fn odd(&mut self) -> u64 {
        match self.random.u32(0..6) {
            0 => 0,
            1 => 1,
            2 => u64::MAX,
            3 => 1 << self.random.u32(0..64),
            4 => (1 << self.random.u32(0..64)) - 1,
            _ => self.random.u64(..),
        }
    }

    /// Fills in the header; true if it is not a right one.
    fn header(&mut self, operation: &Operation, sequence: u32, bytes: &mut [u8]) -> bool {
        let mut flags = NLM_F_REQUEST;
        if operation.is_dump {
            flags |= NLM_F_DUMP;
        } else {
            flags |= NLM_F_ACK;
        }
        if operation.name == "newlink" {
            flags |= NLM_F_CREATE;
            if self.random.u32(0..4) > 0 {
                flags |= NLM_F_EXCL;
            }
        }
        if self.one_in(self.care * 4) {
            flags ^= 1 << self.random.u32(0..16);
        }
        let right = match self.specification.is_generic {
            true => self.subjects.family,
            false => operation.number,
        };
        let mut kind = right;
        if self.one_in(self.care * 12) {
            // Small ones are netlink's own: no operation, an error, the end of a list.
            kind = [0, 1, 2, 3, 4, 15, 0xffff][self.random.usize(0..7)];
        }
        if self.specification.is_generic && self.one_in(self.care * 6) {
            bytes[HEADER] = self.random.u8(..);
        }
        // CAST: far below the limit.
        let right_length = bytes.len() as u32;
        let mut length = right_length;
        if self.one_in(self.care * 6) {
            length = [
                0,
                15,
                16,
                17,
                20,
                length - 1,
                length + 1,
                length + 4,
                u32::MAX,
                1 << 31,
            ][self.random.usize(0..10)];
        }
        bytes[..4].copy_from_slice(&length.to_ne_bytes());
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&flags.to_ne_bytes());
        bytes[8..12].copy_from_slice(&sequence.to_ne_bytes());
        let [command, _] = operation.number.to_le_bytes();
        // The kernel acknowledges what is no request, and does nothing.
        kind != right
            || flags & NLM_F_REQUEST == 0
            || length != right_length
            || self.specification.is_generic && bytes[HEADER] != command
    }

    /// Cuts the request or changes some of its bytes; true if it did.
    fn damage(&mut self, bytes: &mut Vec<u8>) -> bool {
        let mut is_damaged = false;
        if self.one_in(self.care * 5) {
            bytes.truncate(self.random.usize(0..bytes.len()));
            is_damaged = true;
        }
        // The header stays, that the rest is looked at; so does the number of the interface.
        let keep = HEADER + if self.specification.is_generic { 0 } else { 16 };
        if bytes.len() > keep && self.one_in(self.care * 2) {
            for _ in 0..self.random.usize(1..5) {
                let at = self.random.usize(keep..bytes.len());
                bytes[at] = match self.random.bool() {
                    true => self.random.u8(..),
                    false => bytes[at] ^ (1 << self.random.u32(0..8)),
                };
            }
            is_damaged = true;
        }
        is_damaged
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specification::{GENERIC, LINKS};

    fn subjects() -> Subjects {
        Subjects {
            family: 0x1c,
            parent: ("net0".to_owned(), 7),
            children: vec!["f0".to_owned(), "f1".to_owned()],
        }
    }

    #[test]
    fn a_seed_gives_the_same_requests_again() {
        let subjects = subjects();
        for text in [GENERIC, LINKS] {
            let specification = Specification::parse(text).unwrap();
            let make = |seed| {
                let mut generator = Generator::new(&specification, &subjects, seed);
                (0..500)
                    .map(|number| generator.request(number).bytes)
                    .collect::<Vec<_>>()
            };
            assert_eq!(make(5), make(5));
            assert_ne!(make(5), make(6));
            assert!(make(5).iter().all(|bytes| bytes.len() < 4 * LIMIT));
        }
    }

    #[test]
    fn a_right_request_has_the_bytes_of_its_operation() {
        let (specification, subjects) = (Specification::parse(GENERIC).unwrap(), subjects());
        let mut generator = Generator::new(&specification, &subjects, 1);
        let operation = &specification.operations[0];
        let mut bytes = vec![0; HEADER];
        generator.fixed(operation, &mut bytes);
        generator.body(operation, &mut bytes);
        assert!(!generator.header(operation, 9, &mut bytes));
        assert_eq!(bytes[16..20], [1, 1, 0, 0]);
        assert_eq!(
            bytes[20..32],
            [9, 0, 1, 0, b'n', b'e', b't', b'0', 0, 0, 0, 0]
        );
        assert_eq!(bytes[32..38], [7, 0, 2, 0, b'f', bytes[37]]);
    }
}
