// SPDX-License-Identifier: MIT OR Apache-2.0
//! Policies: subjects, and the channels that they share.

use muennet_core::{
    config::number,
    ivshmem::EVENTS,
    sinfo::{MemoryKind, Name, Version},
};
use serde::Deserialize;
use std::{collections::BTreeMap, ops::Range};
use thiserror::Error;
use toml::Spanned;

/// The least bytes of a channel: a header and one full Ethernet frame.
pub const MIN_CHANNEL: u64 = 64 + 1516;
/// The least bytes of plain memory.
pub const MIN_MEMORY: u64 = 4;
/// The most subjects: ivshmem peer numbers have 16 bits, and the region is finite.
pub const MAX_SUBJECTS: usize = 1024;
/// Vectors that QEMU's device can have.
pub const MAX_VECTORS: usize = 64;

/// A checked policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Version of the subject information that all subjects get.
    pub sinfo_version: Version,
    /// Names of the subjects; a subject's index is its peer number.
    pub subjects: Vec<String>,
    /// The channels, then plain memory.
    pub channels: Vec<Channel>,
}

/// A channel, or plain memory, between two subjects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its name.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Offset in the region, if the policy gives one.
    pub offset: Option<u64>,
    /// Index of the subject that writes.
    pub writer: usize,
    /// Index of the subject that reads.
    pub reader: usize,
    /// The kind in the subject information.
    pub kind: MemoryKind,
    /// The writer can ring the reader.
    pub event: bool,
    /// Line of the policy that declares it, from 1.
    pub line: usize,
}

/// An error in a policy, with its line.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("line {line}: {what}")]
pub struct PolicyError {
    /// The line, from 1.
    pub line: usize,
    /// The error, and the way to mend it.
    pub what: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    sinfo_version: Option<Spanned<i64>>,
    #[serde(default)]
    subject: Vec<SubjectEntry>,
    #[serde(default)]
    channel: Vec<ChannelEntry>,
    /// Plain memory, such as a region of path MTUs: a channel without events.
    #[serde(default)]
    memory: Vec<ChannelEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectEntry {
    name: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelEntry {
    name: Spanned<String>,
    size: Spanned<Size>,
    offset: Option<Spanned<Size>>,
    writer: Spanned<String>,
    reader: Spanned<String>,
    #[serde(default)]
    event: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Size {
    Bytes(u64),
    Text(String),
}

impl Size {
    fn bytes(&self) -> Option<u64> {
        let text = match self {
            Self::Bytes(bytes) => return Some(*bytes),
            Self::Text(text) => text.trim(),
        };
        let (digits, unit) = match text.strip_suffix(['K', 'M', 'G']) {
            Some(digits) if text.ends_with('K') => (digits, 1 << 10),
            Some(digits) if text.ends_with('M') => (digits, 1 << 20),
            Some(digits) => (digits, 1 << 30),
            None => (text, 1),
        };
        number::either(digits).ok()?.checked_mul(unit)
    }
}

impl Policy {
    /// Reads and checks a policy.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] with the line of the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let line =
            |span: Range<usize>| 1 + text[..span.start.min(text.len())].matches('\n').count();
        let fail = |span, what: String| PolicyError {
            line: line(span),
            what,
        };
        let file: File = toml::from_str(text)
            .map_err(|error| fail(error.span().unwrap_or(0..0), error.message().to_owned()))?;

        let sinfo_version = match &file.sinfo_version {
            None => Version::default(),
            Some(entry) => {
                let number = u8::try_from(*entry.get_ref()).ok();
                number.and_then(Version::from_number).ok_or_else(|| {
                    let what = format!(
                        "sinfo_version {} is not supported; use 3, 4 or 5",
                        entry.get_ref()
                    );
                    fail(entry.span(), what)
                })?
            }
        };

        let mut numbers = BTreeMap::new();
        for entry in &file.subject {
            let (span, name) = (entry.name.span(), entry.name.get_ref());
            check_name("subject", name).map_err(|what| fail(span.clone(), what))?;
            if name.contains('/') {
                let what =
                    format!("subject \"{name}\" is to be a file's name; leave out the slash");
                return Err(fail(span, what));
            }
            if numbers.insert(name.as_str(), numbers.len()).is_some() {
                return Err(fail(span, format!("subject \"{name}\" is declared twice")));
            }
            if numbers.len() > MAX_SUBJECTS {
                return Err(fail(span, format!("more than {MAX_SUBJECTS} subjects")));
            }
        }

        let mut channels: Vec<Channel> = Vec::new();
        let mut events = BTreeMap::<usize, usize>::new();
        let mut vectors = BTreeMap::<usize, usize>::new();
        let entries = (file
            .channel
            .iter()
            .map(|entry| (entry, MemoryKind::Channel)))
        .chain((file.memory.iter()).map(|entry| (entry, MemoryKind::Plain)));
        for (entry, kind) in entries {
            let (what, min) = match kind {
                MemoryKind::Channel => ("channel", MIN_CHANNEL),
                _ => ("memory", MIN_MEMORY),
            };
            let (span, name) = (entry.name.span(), entry.name.get_ref());
            check_name(what, name).map_err(|what| fail(span.clone(), what))?;
            let subject = |of: &Spanned<String>| {
                numbers.get(of.get_ref().as_str()).copied().ok_or_else(|| {
                    let what = format!(
                        "{what} \"{name}\" names the subject \"{}\", which is not declared; \
                         add it as [[subject]]",
                        of.get_ref()
                    );
                    fail(of.span(), what)
                })
            };
            let (writer, reader) = (subject(&entry.writer)?, subject(&entry.reader)?);
            if writer == reader {
                let what = format!(
                    "{what} \"{name}\" has \"{}\" as writer and reader; name two subjects",
                    entry.reader.get_ref()
                );
                return Err(fail(entry.reader.span(), what));
            }
            if let Some(other) = channels.iter().find(|other| other.name == *name) {
                let what = if other.writer == writer {
                    format!("{what} \"{name}\" is declared twice")
                } else {
                    format!(
                        "{what} \"{name}\" has two writers, \"{}\" and \"{}\"; \
                         it can have one: declare one for each",
                        file.subject[other.writer].name.get_ref(),
                        entry.writer.get_ref()
                    )
                };
                return Err(fail(span, what));
            }
            let number = |of: &Spanned<Size>| {
                of.get_ref().bytes().ok_or_else(|| {
                    let what = format!(
                        "{what} \"{name}\": not a number of bytes; write 4194304 or \"4M\""
                    );
                    fail(of.span(), what)
                })
            };
            let size = number(&entry.size)?;
            if size < min {
                let needed = match kind {
                    MemoryKind::Channel => "a header and one Ethernet frame",
                    _ => "one number",
                };
                let what = format!(
                    "{what} \"{name}\" has {size} bytes, too few for {needed}; give it at least {min}"
                );
                return Err(fail(entry.size.span(), what));
            }
            let offset = entry.offset.as_ref().map(number).transpose()?;
            if entry.event && kind != MemoryKind::Channel {
                let what = format!("memory \"{name}\" has no event; only channels have");
                return Err(fail(span, what));
            }
            if entry.event {
                let (events, vectors) = (
                    events.entry(writer).or_default(),
                    vectors.entry(reader).or_default(),
                );
                *events += 1;
                *vectors += 1;
                if *events > EVENTS || *vectors > MAX_VECTORS {
                    let what = format!(
                        "channel \"{name}\" needs an event too many; a subject has at most \
                         {EVENTS} events and {MAX_VECTORS} vectors"
                    );
                    return Err(fail(span, what));
                }
            }
            channels.push(Channel {
                name: name.clone(),
                size,
                offset,
                writer,
                reader,
                kind,
                event: entry.event,
                line: line(span),
            });
        }
        Ok(Self {
            sinfo_version,
            subjects: file
                .subject
                .into_iter()
                .map(|entry| entry.name.into_inner())
                .collect(),
            channels,
        })
    }

    /// The most vectors of any subject. A device needs room for as many, since QEMU
    /// counts the vectors of others against those of its own.
    pub fn most_vectors(&self) -> usize {
        (0..self.subjects.len())
            .map(|subject| self.vectors(subject))
            .max()
            .unwrap_or(0)
    }

    /// Vectors that a subject has, one for each channel that rings it.
    pub fn vectors(&self, subject: usize) -> usize {
        let rings = |channel: &&Channel| channel.event && channel.reader == subject;
        self.channels.iter().filter(rings).count()
    }
}

fn check_name(what: &str, name: &str) -> Result<(), String> {
    Name::new(name)
        .map(drop)
        .map_err(|error| format!("{what} \"{name}\": {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECTS: &str = "[[subject]]\nname = \"a\"\n[[subject]]\nname = \"b\"\n";

    fn error(channels: &str) -> String {
        Policy::parse(&format!("{SUBJECTS}{channels}"))
            .unwrap_err()
            .to_string()
    }

    fn channel(name: &str, size: &str, writer: &str, reader: &str) -> String {
        format!(
            "[[channel]]\nname = \"{name}\"\nsize = {size}\nwriter = \"{writer}\"\nreader = \"{reader}\"\n"
        )
    }

    #[test]
    fn a_good_policy() {
        let text = format!(
            "{SUBJECTS}{}event = true\n{}",
            channel("x", "\"4M\"", "a", "b"),
            channel("y|z", "8192", "b", "a"),
        );
        let policy = Policy::parse(&text).unwrap();
        assert_eq!(policy.subjects, ["a", "b"]);
        assert_eq!(policy.channels[0].size, 4 << 20);
        assert!(policy.channels[0].event && !policy.channels[1].event);
        assert_eq!((policy.vectors(0), policy.vectors(1)), (0, 1));
        assert_eq!(policy.channels[1].line, 12);
    }

    #[test]
    fn a_version_of_subject_information() {
        let version = |number: &str| {
            Policy::parse(&format!("sinfo_version = {number}\n{SUBJECTS}"))
                .map(|policy| policy.sinfo_version)
                .map_err(|error| error.to_string())
        };
        assert_eq!(version("3"), Ok(Version::V3));
        assert_eq!(version("4"), Ok(Version::V4));
        assert_eq!(version("5"), Ok(Version::V5));
        assert_eq!(Policy::parse(SUBJECTS).unwrap().sinfo_version, Version::V5);
        for refused in ["2", "6", "-1", "259"] {
            assert_eq!(
                version(refused),
                Err(format!(
                    "line 1: sinfo_version {refused} is not supported; use 3, 4 or 5"
                ))
            );
        }
    }

    #[test]
    fn an_unknown_subject() {
        assert_eq!(
            error(&channel("x", "\"4M\"", "a", "c")),
            "line 9: channel \"x\" names the subject \"c\", which is not declared; \
             add it as [[subject]]"
        );
    }

    #[test]
    fn two_writers() {
        let channels = channel("x", "\"4M\"", "a", "b") + &channel("x", "\"4M\"", "b", "a");
        assert_eq!(
            error(&channels),
            "line 11: channel \"x\" has two writers, \"a\" and \"b\"; \
             it can have one: declare one for each"
        );
        let channels = channel("x", "\"4M\"", "a", "b") + &channel("x", "\"4M\"", "a", "b");
        assert_eq!(error(&channels), "line 11: channel \"x\" is declared twice");
        assert_eq!(
            error(&channel("x", "\"4M\"", "a", "a")),
            "line 9: channel \"x\" has \"a\" as writer and reader; name two subjects"
        );
    }

    #[test]
    fn sizes() {
        assert_eq!(
            error(&channel("x", "1579", "a", "b")),
            "line 7: channel \"x\" has 1579 bytes, too few for a header and one Ethernet frame; \
             give it at least 1580"
        );
        assert_eq!(
            error(&channel("x", "\"4Q\"", "a", "b")),
            "line 7: channel \"x\": not a number of bytes; write 4194304 or \"4M\""
        );
        let bytes = |text: &str| Size::Text(text.to_owned()).bytes();
        assert_eq!(bytes("0X10K"), Some(16 << 10));
        for text in ["", "K", "+4M", "0x+4", "0x", "18446744073709551616"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }

    #[test]
    fn plain_memory() {
        let memory = |more: &str| {
            let text = "[[memory]]\nname = \"mtus\"\nsize = 400\nwriter = \"a\"\nreader = \"b\"\n";
            Policy::parse(&format!("{SUBJECTS}{text}{more}"))
        };
        let policy = memory("").unwrap();
        assert_eq!(policy.channels[0].kind, MemoryKind::Plain);
        assert_eq!(
            memory("event = true\n").unwrap_err().to_string(),
            "line 6: memory \"mtus\" has no event; only channels have"
        );
    }

    #[test]
    fn names_and_grammar() {
        let long = "n".repeat(64);
        assert_eq!(
            error(&channel(&long, "8192", "a", "b")),
            format!(
                "line 6: channel \"{long}\": a name of 64 bytes is not between 1 and 63 bytes long"
            )
        );
        assert_eq!(
            error("[[subject]]\nname = \"a\"\n"),
            "line 6: subject \"a\" is declared twice"
        );
        assert!(error("[[channel]]\nnam = 1\n").starts_with("line 6: unknown field"));
        assert!(error("[[channel\n").starts_with("line 5: "));
    }
}
