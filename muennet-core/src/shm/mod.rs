// SPDX-License-Identifier: MIT OR Apache-2.0
//! Access to shared memory, bounded by its region.
//!
//! The other side of a region may write any byte of it at any time. So nothing
//! here hands out a reference into a region: words are loaded and stored one at
//! a time, bytes are copied between the region and private memory, and every
//! access is bounded by [`Region`] or [`Table`].

mod copy;
#[cfg(all(test, not(loom)))]
pub(crate) mod heap;
#[cfg(feature = "hostile")]
pub mod hook;
#[cfg(not(feature = "hostile"))]
mod hook;
mod part;
mod region;
mod site;
mod sum;
mod table;
mod window;
#[cfg(not(loom))]
mod word;
#[cfg(loom)]
#[path = "word_loom.rs"]
pub(crate) mod word;

pub use part::Part;
pub(crate) use region::HeaderWord;
pub use region::{Region, RegionError, HEADER_SIZE};
pub(crate) use site::Site;
pub(crate) use sum::InternetSum;
pub use table::{Table, TableError};
pub(crate) use window::{Window, WindowMut};

use core::ptr::NonNull;

/// Memory that is shared with a peer and may be read.
///
/// ```
/// use core::{cell::UnsafeCell, ptr::NonNull};
/// use muennet_core::shm::Memory;
///
/// /// Words of this program, for a channel with both ends in it.
/// struct Words(Box<[UnsafeCell<u64>]>);
///
/// // SAFETY: the box stays where it is when the value moves, and only channels touch its words.
/// unsafe impl Memory for Words {
///     fn base(&self) -> NonNull<u8> {
///         NonNull::from(&*self.0).cast()
///     }
///
///     fn len(&self) -> usize {
///         size_of_val(&*self.0)
///     }
/// }
///
/// assert_eq!(Words((0..8).map(UnsafeCell::new).collect()).len(), 64);
/// ```
///
/// # Safety
///
/// `base()` and `len()` are the same at every call. From `base()` on, `len()`
/// bytes stay mapped and readable for as long as `self` lives, wherever it is
/// moved to. This program reaches them through the channel types alone, never
/// by a Rust reference; what other programs do with them is not restricted.
pub unsafe trait Memory {
    /// Address of the first byte.
    fn base(&self) -> NonNull<u8>;

    /// Length in bytes.
    fn len(&self) -> usize;

    /// True when there is no memory at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Shared memory that may be written as well.
///
/// ```
/// use core::{cell::UnsafeCell, ptr::NonNull};
/// use muennet_core::shm::{Memory, MemoryMut, Region};
///
/// /// Words of this program, with one writer.
/// struct Words(Box<[UnsafeCell<u64>]>);
///
/// // SAFETY: the box stays where it is when the value moves, and only channels touch its words.
/// unsafe impl Memory for Words {
///     fn base(&self) -> NonNull<u8> {
///         NonNull::from(&*self.0).cast()
///     }
///
///     fn len(&self) -> usize {
///         size_of_val(&*self.0)
///     }
/// }
///
/// // SAFETY: cells may be written, and this value is the only one with these words.
/// unsafe impl MemoryMut for Words {}
///
/// let words = Words((0..8).map(UnsafeCell::new).collect());
/// assert_eq!(Region::new(words)?.len(), 64);
/// # Ok::<(), muennet_core::shm::RegionError>(())
/// ```
///
/// # Safety
///
/// The bytes that [`Memory`] describes are writable, and no other value that
/// writes to them exists in this program.
pub unsafe trait MemoryMut: Memory {}
