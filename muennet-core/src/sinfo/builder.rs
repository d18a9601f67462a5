// SPDX-License-Identifier: MIT OR Apache-2.0
//! Laying out a subject-information page set, as a separation kernel does.

use super::layout::{self, MAX_RESOURCES, RESOURCE_SIZE};
use super::{Detail, Memory, MemoryKind, Name, NameError, Resource, Version, NO_PATTERN};
use core::fmt;

/// Writes a page set into bytes.
///
/// ```
/// use muennet_core::sinfo::{self, Builder, Kind, Sinfo, Version};
///
/// let mut page = vec![0; sinfo::SIZE];
/// let mut builder = Builder::new(&mut page, Version::V5, "echo", 3_000_000)?;
/// builder.channel("net_out", 0x1_0000_0000, 4 << 20, true)?;
/// builder.event("net_out", 16)?;
///
/// let sinfo = Sinfo::parse(&page)?;
/// assert_eq!(sinfo.subject().as_str(), Some("echo"));
/// let memory = sinfo.find("net_out", Kind::Memory).and_then(|found| found.memory());
/// assert_eq!(memory.map(|memory| memory.size), Some(4 << 20));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Builder<'a> {
    bytes: &'a mut [u8],
    version: Version,
    count: u16,
}

/// Why a page set cannot be laid out.
///
/// ```
/// use muennet_core::sinfo::{BuildError, Builder, Version};
///
/// let error = Builder::new(&mut [0; 100], Version::V5, "echo", 3_000_000).unwrap_err();
/// assert_eq!(error, BuildError::TooShort { len: 100 });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum BuildError {
    /// The buffer is shorter than [`SIZE`](super::SIZE).
    TooShort {
        /// Bytes of the buffer.
        len: usize,
    },
    /// A name does not fit.
    Name(NameError),
    /// More than 255 resources.
    TooManyResources,
    /// The version has no place for a resource of this kind, or for one of its
    /// fields, or gives its number another meaning.
    NotInVersion {
        /// The resource.
        name: Name,
        /// The version.
        version: Version,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { len } => write!(
                f,
                "a buffer of {len} bytes is shorter than the {} of subject information",
                layout::SIZE
            ),
            Self::Name(error) => error.fmt(f),
            Self::TooManyResources => {
                write!(
                    f,
                    "a subject can have no more than {MAX_RESOURCES} resources"
                )
            }
            Self::NotInVersion { name, version } => {
                let version = version.number();
                write!(
                    f,
                    "subject information of version {version} cannot hold the resource \"{name}\""
                )
            }
        }
    }
}

impl core::error::Error for BuildError {}

impl From<NameError> for BuildError {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}

impl<'a> Builder<'a> {
    /// Starts the page set of `subject` in `bytes`, of that version, without resources.
    ///
    /// # Errors
    ///
    /// [`BuildError`] when the buffer or the name does not do.
    pub fn new(
        bytes: &'a mut [u8],
        version: Version,
        subject: &str,
        tsc_khz: u32,
    ) -> Result<Self, BuildError> {
        let name = Name::new(subject)?;
        let len = bytes.len();
        let bytes = bytes
            .get_mut(..layout::SIZE)
            .ok_or(BuildError::TooShort { len })?;
        bytes.fill(0);
        let mut builder = Self {
            bytes,
            version,
            count: 0,
        };
        builder.put(0, &version.magic().to_le_bytes());
        builder.put(layout::TSC_KHZ, &tsc_khz.to_le_bytes());
        builder.put(layout::SUBJECT, &name.field());
        Ok(builder)
    }

    /// Adds a resource.
    ///
    /// # Errors
    ///
    /// [`BuildError::TooManyResources`] when there are 255,
    /// [`BuildError::NotInVersion`] when the version cannot hold it.
    pub fn resource(&mut self, resource: &Resource) -> Result<(), BuildError> {
        let index = usize::from(self.count);
        if index >= MAX_RESOURCES {
            return Err(BuildError::TooManyResources);
        }
        let bytes = resource.to_bytes(self.version)?;
        self.put(layout::RESOURCES + index * RESOURCE_SIZE, &bytes);
        self.count += 1;
        let count = self.count.to_le_bytes();
        self.put(self.version.count_offset(), &count);
        Ok(())
    }

    /// Adds the memory of a channel: `size` bytes at guest address `address`.
    ///
    /// # Errors
    ///
    /// [`BuildError`] when the name does not fit or there are 255 resources.
    pub fn channel(
        &mut self,
        name: &str,
        address: u64,
        size: u64,
        writable: bool,
    ) -> Result<(), BuildError> {
        self.memory(name, MemoryKind::Channel, address, size, writable)
    }

    /// Adds memory of that kind, as [`channel`](Self::channel) does for channels.
    ///
    /// # Errors
    ///
    /// As [`channel`](Self::channel).
    pub fn memory(
        &mut self,
        name: &str,
        kind: MemoryKind,
        address: u64,
        size: u64,
        writable: bool,
    ) -> Result<(), BuildError> {
        self.add(
            name,
            Detail::Memory(Memory {
                kind,
                content: 0,
                writable,
                executable: false,
                pattern: NO_PATTERN,
                address,
                size,
                hash: [0; 32],
            }),
        )
    }

    /// Adds an event.
    ///
    /// # Errors
    ///
    /// As [`channel`](Self::channel).
    pub fn event(&mut self, name: &str, number: u8) -> Result<(), BuildError> {
        self.add(name, Detail::Event(number))
    }

    /// Adds a vector.
    ///
    /// # Errors
    ///
    /// As [`channel`](Self::channel).
    pub fn vector(&mut self, name: &str, number: u8) -> Result<(), BuildError> {
        self.add(name, Detail::Vector(number))
    }

    fn add(&mut self, name: &str, detail: Detail) -> Result<(), BuildError> {
        let name = Name::new(name)?;
        self.resource(&Resource { name, detail })
    }

    fn put(&mut self, at: usize, field: &[u8]) {
        self.bytes[at..at + field.len()].copy_from_slice(field);
    }
}
