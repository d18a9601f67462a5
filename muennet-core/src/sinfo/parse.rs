// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading a subject-information page set.

use super::layout::{self, MAX_RESOURCES, RESOURCE_SIZE};
use super::{Kind, Name, Resource, Version};
use core::fmt;

// CAST: 63.
const MAX_NAME: u8 = Name::MAX_LEN as u8;

/// Checked view of a private copy of a subject-information page set.
///
/// ```
/// use muennet_core::sinfo::{self, Builder, Kind, Sinfo, Version};
///
/// let mut page = vec![0; sinfo::SIZE];
/// let mut builder = Builder::new(&mut page, Version::V4, "echo", 3_000_000)?;
/// builder.channel("net_in", 0x1_0000_0000, 4 << 20, false)?;
///
/// let sinfo = Sinfo::parse(&page)?;
/// assert_eq!((sinfo.version(), sinfo.tsc_khz()), (Version::V4, 3_000_000));
/// let channel = sinfo.find("net_in", Kind::Memory).and_then(|found| found.memory());
/// assert!(channel.is_some_and(|memory| !memory.writable));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Sinfo<'a> {
    version: Version,
    subject: Name,
    tsc_khz: u32,
    resources: &'a [u8],
}

/// Why bytes are no subject information.
///
/// ```
/// use muennet_core::sinfo::{self, Sinfo, SinfoError};
///
/// let error = Sinfo::parse(&[0; sinfo::SIZE]).unwrap_err();
/// assert_eq!(error, SinfoError::Magic { found: 0 });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SinfoError {
    /// Fewer bytes than it needs.
    TooShort {
        /// Bytes there are.
        len: usize,
        /// Bytes it needs.
        needed: usize,
    },
    /// Another magic.
    Magic {
        /// The first eight bytes.
        found: u64,
    },
    /// The right magic with a version that is not supported.
    Version {
        /// The version found.
        found: u8,
        /// The oldest supported version.
        oldest: u8,
        /// The newest supported version.
        newest: u8,
    },
    /// The subject's name says it has more bytes than its field.
    SubjectName {
        /// The length found.
        found: u8,
        /// The most there can be.
        max: u8,
    },
    /// More resources than there can be.
    TooManyResources {
        /// The number found.
        found: u16,
        /// The most there can be.
        max: u16,
    },
    /// A resource's name says it has more bytes than its field.
    ResourceName {
        /// The resource's place, counted from 0.
        index: usize,
        /// The length found.
        found: u8,
        /// The most there can be.
        max: u8,
    },
}

impl fmt::Display for SinfoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { len, needed } => {
                write!(
                    f,
                    "subject information has {len} bytes where it needs {needed}"
                )
            }
            Self::Magic { found } => {
                let expected = Version::NEWEST.magic();
                write!(
                    f,
                    "subject information has magic {found:#018x}, not {expected:#018x}"
                )
            }
            Self::Version {
                found,
                oldest,
                newest,
            } => {
                write!(
                    f,
                    "subject information has version {found}; \
                     versions {oldest} to {newest} are supported"
                )
            }
            Self::SubjectName { found, max } => {
                write!(f, "the subject's name has {found} bytes, more than {max}")
            }
            Self::TooManyResources { found, max } => {
                write!(f, "{found} resources are more than {max}")
            }
            Self::ResourceName { index, found, max } => {
                write!(
                    f,
                    "the name of resource {index} has {found} bytes, more than {max}"
                )
            }
        }
    }
}

impl core::error::Error for SinfoError {}

impl<'a> Sinfo<'a> {
    /// Checks `bytes`, a private copy of the page set. Bytes beyond the
    /// resources are not looked at.
    ///
    /// # Errors
    ///
    /// [`SinfoError`] says what is wrong.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, SinfoError> {
        let short = |needed| SinfoError::TooShort {
            len: bytes.len(),
            needed,
        };
        let header = bytes
            .first_chunk::<{ layout::RESOURCES }>()
            .ok_or(short(layout::RESOURCES))?;
        let magic = u64::from_le_bytes(*header.first_chunk().ok_or(short(8))?);
        let version = Version::from_magic(magic)?;
        let part = |at: usize| header.get(at..).unwrap_or(&[]);
        let tsc_khz = part(layout::TSC_KHZ)
            .first_chunk()
            .map_or(0, |field| u32::from_le_bytes(*field));
        let subject = part(layout::SUBJECT)
            .first_chunk()
            .ok_or(short(layout::RESOURCES))
            .map(Name::parse)?
            .map_err(|found| SinfoError::SubjectName {
                found,
                max: MAX_NAME,
            })?;
        let count = part(version.count_offset())
            .first_chunk()
            .map_or(0, |field| u16::from_le_bytes(*field));
        if usize::from(count) > MAX_RESOURCES {
            return Err(SinfoError::TooManyResources {
                found: count,
                // CAST: 255.
                max: MAX_RESOURCES as u16,
            });
        }
        let end = layout::RESOURCES + usize::from(count) * RESOURCE_SIZE;
        let resources = bytes.get(layout::RESOURCES..end).ok_or(short(end))?;
        let sinfo = Self {
            version,
            subject,
            tsc_khz,
            resources,
        };
        let malformed = (0..MAX_RESOURCES)
            .zip(sinfo.fields())
            .find(|(_, bytes)| Resource::parse(bytes, version).is_none());
        match malformed {
            Some((index, bytes)) => Err(SinfoError::ResourceName {
                index,
                found: Resource::name_len(bytes),
                max: MAX_NAME,
            }),
            None => Ok(sinfo),
        }
    }

    /// The resources' bytes, up to their number or the first of kind "none".
    fn fields(&self) -> impl Iterator<Item = &'a [u8; RESOURCE_SIZE]> {
        let resources = self.resources;
        resources.chunks_exact(RESOURCE_SIZE).map_while(|bytes| {
            bytes
                .first_chunk()
                .filter(|bytes| !Resource::is_none(bytes))
        })
    }

    /// The version of the page set.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The subject's name.
    pub fn subject(&self) -> Name {
        self.subject
    }

    /// Frequency of the time stamp counter in kHz.
    pub fn tsc_khz(&self) -> u32 {
        self.tsc_khz
    }

    /// The resources in order, up to their number or the first of kind "none".
    pub fn resources(&self) -> impl Iterator<Item = Resource> + 'a {
        let version = self.version;
        self.fields()
            .map_while(move |bytes| Resource::parse(bytes, version))
    }

    /// The resources of that kind, in order.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = Resource> + 'a {
        self.resources().filter(move |resource| resource.is(kind))
    }

    /// The first resource of that name and kind.
    pub fn find(&self, name: &str, kind: Kind) -> Option<Resource> {
        self.of_kind(kind).find(|resource| resource.name == *name)
    }
}

#[cfg(all(test, feature = "builder"))]
mod tests {
    use super::super::{Builder, Detail, SIZE};
    use super::*;

    fn page(version: Version, fill: impl FnOnce(&mut Builder<'_>)) -> std::vec::Vec<u8> {
        let mut bytes = std::vec![0; SIZE];
        let mut builder = Builder::new(&mut bytes, version, "linux", 2_000_000).unwrap();
        fill(&mut builder);
        bytes
    }

    #[test]
    fn a_channel_is_found_with_its_event_and_vector() {
        for version in Version::ALL {
            a_channel_is_found_in(version);
        }
    }

    fn a_channel_is_found_in(version: Version) {
        let bytes = page(version, |builder| {
            builder.channel("c|in", 0x4000_0000, 0x1000, false).unwrap();
            builder.vector("c|in", 7).unwrap();
            builder.channel("c|out", 0x4000_1000, 0x2000, true).unwrap();
            builder.event("c|out", 3).unwrap();
        });
        let sinfo = Sinfo::parse(&bytes).unwrap();
        assert_eq!(sinfo.version(), version);
        assert_eq!(sinfo.subject(), "linux");
        assert_eq!(sinfo.tsc_khz(), 2_000_000);
        assert_eq!(sinfo.resources().count(), 4);
        let output = sinfo.find("c|out", Kind::Memory).unwrap().memory().unwrap();
        assert_eq!((output.address, output.size), (0x4000_1000, 0x2000));
        assert!(output.writable && !output.executable);
        let input = sinfo.find("c|in", Kind::Memory).unwrap().memory().unwrap();
        assert!(!input.writable);
        assert_eq!(
            sinfo.find("c|in", Kind::Vector).unwrap().detail,
            Detail::Vector(7)
        );
        assert_eq!(
            sinfo.find("c|out", Kind::Event).unwrap().detail,
            Detail::Event(3)
        );
        assert!(sinfo.find("c|in", Kind::Event).is_none());
    }

    #[test]
    fn another_magic_or_version_is_refused() {
        let mut bytes = page(Version::V5, |_| {});
        for found in [1, 2, 6] {
            bytes[7] = found;
            assert_eq!(
                Sinfo::parse(&bytes).unwrap_err(),
                SinfoError::Version {
                    found,
                    oldest: 3,
                    newest: 5
                }
            );
        }
        bytes[0] = 0;
        assert_eq!(
            Sinfo::parse(&bytes).unwrap_err(),
            SinfoError::Magic {
                found: 0x0600_6f66_6e69_7500,
            }
        );
        assert_eq!(
            Sinfo::parse(&bytes[..79]).unwrap_err(),
            SinfoError::TooShort {
                len: 79,
                needed: 80
            }
        );
    }

    #[test]
    fn the_count_and_the_length_must_fit() {
        for (version, at) in [(Version::V3, 77), (Version::V4, 77), (Version::V5, 78)] {
            let mut bytes = page(version, |_| {});
            bytes[at..at + 2].copy_from_slice(&256u16.to_le_bytes());
            assert_eq!(
                Sinfo::parse(&bytes).unwrap_err(),
                SinfoError::TooManyResources {
                    found: 256,
                    max: 255
                }
            );
            bytes[at..at + 2].copy_from_slice(&255u16.to_le_bytes());
            assert!(Sinfo::parse(&bytes).is_ok());
            assert_eq!(
                Sinfo::parse(&bytes[..SIZE - 1]).unwrap_err(),
                SinfoError::TooShort {
                    len: SIZE - 1,
                    needed: SIZE
                }
            );
        }
    }

    #[test]
    fn a_name_too_long_is_refused() {
        for version in Version::ALL {
            let mut bytes = page(version, |builder| {
                builder.event("a", 1).unwrap();
                builder.event("b", 2).unwrap();
            });
            bytes[80 + 128 + 4] = 200;
            assert_eq!(
                Sinfo::parse(&bytes).unwrap_err(),
                SinfoError::ResourceName {
                    index: 1,
                    found: 200,
                    max: 63
                }
            );
            // Behind the end of the list it does not matter.
            bytes[80] = 0;
            assert_eq!(Sinfo::parse(&bytes).unwrap().resources().count(), 0);
            bytes[12] = 64;
            assert_eq!(
                Sinfo::parse(&bytes).unwrap_err(),
                SinfoError::SubjectName { found: 64, max: 63 }
            );
        }
    }

    #[test]
    fn every_kind_of_resource_is_found_as_it_was_built() {
        for version in Version::ALL {
            every_kind_is_found_in(version);
        }
    }

    fn every_kind_is_found_in(version: Version) {
        let detail = [7; RESOURCE_SIZE - 72];
        let mut resources = std::vec![];
        for kind in 1..=7u32 {
            let mut bytes = [0; RESOURCE_SIZE];
            bytes[..4].copy_from_slice(&kind.to_le_bytes());
            bytes[4..6].copy_from_slice(&[1, b'a' + kind as u8]);
            bytes[72..].copy_from_slice(&detail);
            resources.push(Resource::parse(&bytes, version).unwrap());
        }
        let bytes = page(version, |builder| {
            for resource in &resources {
                builder.resource(resource).unwrap();
            }
        });
        let sinfo = Sinfo::parse(&bytes).unwrap();
        assert!(sinfo.resources().eq(resources.iter().copied()));
        for (kind, name) in [
            (Kind::Memory, "b"),
            (Kind::Event, "c"),
            (Kind::Vector, "d"),
            (Kind::Device, "e"),
            (Kind::DeviceMemory, "f"),
            (Kind::DevicePort, "g"),
        ] {
            let there = kind != Kind::DevicePort || version == Version::V5;
            assert_eq!(sinfo.of_kind(kind).count(), usize::from(there));
            assert_eq!(sinfo.find(name, kind).is_some(), there);
            assert!(sinfo.find("h", kind).is_none());
        }
        assert_eq!(
            resources[6].detail,
            Detail::Other {
                kind: 7,
                bytes: detail
            }
        );
    }

    #[test]
    fn kind_none_ends_the_iteration() {
        let mut bytes = page(Version::V5, |builder| {
            for number in 0..3 {
                builder.event("e", number).unwrap();
            }
        });
        bytes[80 + 128] = 0;
        assert_eq!(Sinfo::parse(&bytes).unwrap().resources().count(), 1);
    }
}
