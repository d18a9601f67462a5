// SPDX-License-Identifier: MIT OR Apache-2.0
//! A table of 32-bit numbers in shared memory.

use super::{word, Memory};
use core::{fmt, ptr::NonNull};

/// Bytes of an entry.
const ENTRY: usize = size_of::<u32>();

/// Memory that holds little-endian u32, one after the other, from its first byte on.
///
/// ```
/// # use core::{cell::UnsafeCell, ptr::NonNull};
/// # use muennet_core::shm::{Memory, MemoryMut};
/// # #[derive(Clone, Copy)]
/// # struct Words(&'static [UnsafeCell<u64>]);
/// # impl Words {
/// #     fn new(count: usize) -> Self {
/// #         let words: Box<[_]> = (0..count).map(|_| UnsafeCell::new(0)).collect();
/// #         Self(Box::leak(words))
/// #     }
/// # }
/// # // SAFETY: the words are there for ever, and nothing but the channel touches them.
/// # unsafe impl Memory for Words {
/// #     fn base(&self) -> NonNull<u8> { NonNull::from(self.0).cast() }
/// #     fn len(&self) -> usize { size_of_val(self.0) }
/// # }
/// # // SAFETY: cells may be written, and there is one writer.
/// # unsafe impl MemoryMut for Words {}
/// use muennet_core::shm::{Table, TableError};
///
/// let table = Table::new(Words::new(2))?;
/// assert_eq!(table.entries(), 4);
/// assert_eq!((table.load(3), table.load(4)), (Some(0), None));
/// # Ok::<(), TableError>(())
/// ```
///
/// # Invariants
///
/// `base` is aligned to 4 bytes, and from there on `entries` numbers are readable: both are
/// what `memory` said when it was handed over, and `memory` keeps them valid.
#[derive(Debug)]
pub struct Table<M> {
    base: NonNull<u8>,
    entries: usize,
    _memory: M,
}

// SAFETY: `base` points to memory that stays where it is when `memory` moves
// (contract of `Memory`), and is accessed by atomics alone.
unsafe impl<M: Send> Send for Table<M> {}
// SAFETY: as above; `&Table` only reads.
unsafe impl<M: Sync> Sync for Table<M> {}

/// Why memory cannot hold a table.
///
/// ```
/// use muennet_core::shm::TableError;
///
/// let error = TableError::TooSmall { len: 2 };
/// assert!(error.to_string().contains('2'));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TableError {
    /// The memory has `len` bytes, fewer than one number.
    TooSmall {
        /// Bytes there are.
        len: usize,
    },
    /// The memory starts at an address that is not a multiple of 4.
    Misaligned,
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooSmall { len } => write!(
                f,
                "memory of {len} bytes holds no number; it takes {ENTRY} bytes each"
            ),
            Self::Misaligned => write!(f, "the address of the memory is not a multiple of {ENTRY}"),
        }
    }
}

impl core::error::Error for TableError {}

impl<M: Memory> Table<M> {
    /// Takes over `memory`. Bytes at its end that are no whole number are not used.
    ///
    /// # Errors
    ///
    /// [`TableError`] when there is no room for a number, or the address is misaligned.
    pub fn new(memory: M) -> Result<Self, TableError> {
        let (base, len) = (memory.base(), memory.len());
        let entries = len / ENTRY;
        if entries == 0 {
            return Err(TableError::TooSmall { len });
        }
        if base.as_ptr() as usize % ENTRY != 0 {
            return Err(TableError::Misaligned);
        }
        // INVARIANT: both were just checked.
        Ok(Self {
            base,
            entries,
            _memory: memory,
        })
    }

    /// Number of entries.
    #[inline]
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// Loads the number with this index, from 0 on, once; `None` if there is none.
    #[inline]
    pub fn load(&self, index: usize) -> Option<u32> {
        if index >= self.entries {
            return None;
        }
        // SAFETY: a number of the table, as just checked, aligned and readable by the
        // invariants.
        Some(unsafe { word::load_half(self.base.as_ptr().cast::<u32>().add(index)) })
    }
}
