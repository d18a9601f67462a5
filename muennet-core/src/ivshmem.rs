// SPDX-License-Identifier: MIT OR Apache-2.0
//! The region that stands in for Muen under QEMU.
//!
//! `muen-ivshmem` lays it out and the subjects read it: in BAR 2 of QEMU's
//! `ivshmem-doorbell` device, or as the file of an ivshmem client. Little endian:
//!
//! - offset 0: the [`Directory`], one page;
//! - from [`Directory::block`] on: a block per subject, found by its ivshmem peer
//!   number. First its subject information ([`SINFO_ROOM`] bytes), whose memory
//!   addresses are offsets in the region; then its event table: for each of the
//!   [`EVENTS`] event numbers a u32 [`Doorbell`];
//! - then the channels.

use core::fmt;

/// PCI vendor and device number of QEMU's ivshmem-doorbell.
pub const PCI_ID: (u16, u16) = (0x1af4, 0x1110);

/// First eight bytes of the region: "UENIVSHM" in memory.
pub const MAGIC: u64 = 0x4d48_5356_494e_4555;
/// Version of this layout.
pub const VERSION: u32 = 1;
/// Bytes of the directory, and of a page.
pub const PAGE_SIZE: usize = 0x1000;
/// Bytes of a block that subject information may take.
pub const SINFO_ROOM: usize = 0x8000;
/// Offset of the event table in a block.
pub const EVENT_TABLE: usize = SINFO_ROOM;
/// Entries of an event table.
pub const EVENTS: usize = 256;
/// Bytes of a block.
pub const BLOCK_SIZE: usize = SINFO_ROOM + PAGE_SIZE;

const _: () = assert!(crate::sinfo::SIZE <= SINFO_ROOM);
const _: () = assert!(EVENTS * size_of::<u32>() <= PAGE_SIZE);

/// Places of the parts of the region.
///
/// ```
/// use muennet_core::ivshmem::Directory;
///
/// let directory = Directory { subjects: 2, region_size: 8 << 20 };
/// let bytes = directory.to_bytes();
/// assert_eq!(Directory::parse(&bytes, 8 << 20), Ok(directory));
/// // A block for each of the two subjects.
/// assert!(directory.block(1).is_some() && directory.block(2).is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Directory {
    /// Number of subjects, and of blocks.
    pub subjects: u32,
    /// Bytes of the region.
    pub region_size: u64,
}

/// Why a region has no directory to go by.
///
/// ```
/// use muennet_core::ivshmem::{Directory, DirectoryError};
///
/// let error = Directory::parse(&[0; Directory::SIZE], 4096).unwrap_err();
/// assert_eq!(error, DirectoryError::Magic { found: 0 });
/// assert!(error.to_string().contains("muen-ivshmem"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DirectoryError {
    /// The region begins with something else.
    Magic {
        /// Its first eight bytes.
        found: u64,
    },
    /// The layout is of another version.
    Version {
        /// That version.
        found: u32,
    },
    /// Blocks lie elsewhere or have another size than this version says.
    Blocks {
        /// Offset of the first.
        offset: u64,
        /// Bytes of one.
        size: u64,
    },
    /// The region is smaller than its directory says, or than its blocks.
    TooSmall {
        /// Bytes that there are.
        len: u64,
        /// Bytes that it needs.
        needed: u64,
    },
}

impl fmt::Display for DirectoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic { found } => write!(
                f,
                "the region begins with {found:#018x}, not {MAGIC:#018x}; serve it with muen-ivshmem"
            ),
            Self::Version { found } => write!(
                f,
                "the region's layout has version {found}, not {VERSION}; use muen-ivshmem and \
                 drivers of the same release"
            ),
            Self::Blocks { offset, size } => {
                write!(f, "blocks of {size} bytes from {offset:#x} on are not of this layout")
            }
            Self::TooSmall { len, needed } => {
                write!(f, "the region has {len} bytes where it needs {needed}")
            }
        }
    }
}

impl core::error::Error for DirectoryError {}

impl Directory {
    /// Bytes that [`parse`](Self::parse) looks at.
    pub const SIZE: usize = 40;

    /// Checks a private copy of the first bytes of a region of `region` bytes.
    ///
    /// # Errors
    ///
    /// [`DirectoryError`] says what is wrong.
    pub fn parse(bytes: &[u8; Self::SIZE], region: u64) -> Result<Self, DirectoryError> {
        let mut words = bytes.chunks_exact(8).map(|word| {
            let mut field = [0; 8];
            field.copy_from_slice(word);
            u64::from_le_bytes(field)
        });
        let mut word = || words.next().unwrap_or(0);
        let (magic, version_subjects, offset, size, region_size) =
            (word(), word(), word(), word(), word());
        if magic != MAGIC {
            return Err(DirectoryError::Magic { found: magic });
        }
        // CAST: the two halves of a word.
        let (version, subjects) = (version_subjects as u32, (version_subjects >> 32) as u32);
        if version != VERSION {
            return Err(DirectoryError::Version { found: version });
        }
        if offset != PAGE_SIZE as u64 || size != BLOCK_SIZE as u64 {
            return Err(DirectoryError::Blocks { offset, size });
        }
        let blocks = offset + u64::from(subjects) * size;
        let needed = blocks.max(region_size);
        if region < needed {
            return Err(DirectoryError::TooSmall {
                len: region,
                needed,
            });
        }
        Ok(Self {
            subjects,
            region_size,
        })
    }

    /// The bytes of the directory.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        let words = [
            MAGIC,
            u64::from(VERSION) | u64::from(self.subjects) << 32,
            PAGE_SIZE as u64,
            BLOCK_SIZE as u64,
            self.region_size,
        ];
        for (field, word) in bytes.chunks_exact_mut(8).zip(words) {
            field.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// Offset of the block of the subject with peer number `subject`; `None` if
    /// there is no such subject.
    pub fn block(&self, subject: u32) -> Option<u64> {
        (subject < self.subjects).then(|| PAGE_SIZE as u64 + u64::from(subject) * BLOCK_SIZE as u64)
    }
}

/// The target of an event: a peer and one of its vectors.
///
/// ```
/// use muennet_core::ivshmem::Doorbell;
///
/// let doorbell = Doorbell { peer: 3, vector: 1 };
/// assert_eq!(doorbell.register(), 3 << 16 | 1);
/// assert_eq!(Doorbell::parse(Doorbell::entry(Some(doorbell))), Some(doorbell));
/// assert_eq!(Doorbell::parse(Doorbell::entry(None)), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Doorbell {
    /// The peer's ivshmem number.
    pub peer: u16,
    /// Its vector.
    pub vector: u16,
}

impl Doorbell {
    const NONE: u32 = u32::MAX;

    /// Reads an entry of an event table; `None` if there is no such event.
    pub fn parse(entry: [u8; 4]) -> Option<Self> {
        let value = u32::from_le_bytes(entry);
        (value != Self::NONE).then_some(Self {
            // CAST: the two halves of a word.
            peer: (value >> 16) as u16,
            vector: value as u16,
        })
    }

    /// The value to write to the doorbell register.
    pub fn register(self) -> u32 {
        u32::from(self.peer) << 16 | u32::from(self.vector)
    }

    /// The entry of an event table.
    pub fn entry(doorbell: Option<Self>) -> [u8; 4] {
        doorbell.map_or(Self::NONE, Self::register).to_le_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{format, string::ToString};

    #[test]
    fn a_directory_is_read_as_written() {
        let directory = Directory {
            subjects: 2,
            region_size: 1 << 24,
        };
        let bytes = directory.to_bytes();
        assert_eq!(&bytes[..8], b"UENIVSHM");
        assert_eq!(Directory::parse(&bytes, 1 << 24), Ok(directory));
        assert_eq!(directory.block(1), Some(0xa000));
        assert_eq!(directory.block(2), None);
    }

    #[test]
    fn every_field_is_checked() {
        let good = Directory {
            subjects: 1,
            region_size: 1 << 20,
        }
        .to_bytes();
        let with = |at: usize| {
            let mut bytes = good;
            bytes[at] ^= 0x80;
            Directory::parse(&bytes, 1 << 20)
        };
        assert!(matches!(with(0), Err(DirectoryError::Magic { .. })));
        assert!(matches!(with(8), Err(DirectoryError::Version { .. })));
        assert!(matches!(with(15), Err(DirectoryError::TooSmall { .. })));
        assert!(matches!(with(16), Err(DirectoryError::Blocks { .. })));
        assert!(matches!(with(24), Err(DirectoryError::Blocks { .. })));
        assert!(matches!(with(39), Err(DirectoryError::TooSmall { .. })));
    }

    #[test]
    fn each_subject_needs_its_block() {
        let directory = Directory {
            subjects: 2,
            region_size: 0,
        };
        let needed = (PAGE_SIZE + 2 * BLOCK_SIZE) as u64;
        let bytes = directory.to_bytes();
        assert_eq!(Directory::parse(&bytes, needed), Ok(directory));
        let len = needed - 1;
        let error = Directory::parse(&bytes, len).unwrap_err();
        assert_eq!(error, DirectoryError::TooSmall { len, needed });
        assert!(error.to_string().contains(&format!("needs {needed}")));
    }

    #[test]
    fn doorbells_keep_their_halves() {
        let doorbell = Doorbell { peer: 3, vector: 1 };
        assert_eq!(doorbell.register(), 0x3_0001);
        assert_eq!(
            Doorbell::parse(Doorbell::entry(Some(doorbell))),
            Some(doorbell)
        );
        assert_eq!(Doorbell::parse(Doorbell::entry(None)), None);
    }
}
