// SPDX-License-Identifier: MIT OR Apache-2.0
//! Path MTUs: a memory region with one little-endian u32 for each mark.
//!
//! The writer of the region may change it at any time, so a value is read once for each
//! packet, and the packet is sent by that value.

use crate::shm::{Memory, Table, TableError};

/// A region with the path MTUs of the marks from 1 on.
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
/// use muennet_core::path_mtu::PathMtus;
///
/// // Four words of 64 bits hold the path MTUs of the marks from 1 to 8.
/// let mtus = PathMtus::new(Words::new(4))?;
/// assert_eq!(mtus.entries(), 8);
/// // An entry of 0 sets no limit.
/// assert_eq!(mtus.of_mark(1), None);
/// # Ok::<(), muennet_core::shm::TableError>(())
/// ```
#[derive(Debug)]
pub struct PathMtus<M> {
    table: Table<M>,
}

impl<M: Memory> PathMtus<M> {
    /// Takes over the region's memory; one entry is enough.
    ///
    /// # Errors
    ///
    /// [`TableError`] when it is too small or misaligned.
    pub fn new(memory: M) -> Result<Self, TableError> {
        let table = Table::new(memory)?;
        Ok(Self { table })
    }

    /// Number of marks that have an entry.
    pub fn entries(&self) -> usize {
        self.table.entries()
    }

    /// The path MTU in bytes of packets with this mark, as it is now; `None` where
    /// the region sets no limit: mark 0, a mark above the entries, or an entry of 0.
    #[inline]
    pub fn of_mark(&self, mark: u32) -> Option<u32> {
        let index = usize::try_from(mark.checked_sub(1)?).ok()?;
        self.table.load(index).filter(|entry| *entry != 0)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::shm::heap::Heap;

    #[test]
    fn a_mark_has_its_own_entry() {
        let heap = Heap::new(4096);
        let mtus = PathMtus::new(heap.clone()).unwrap();
        assert_eq!(mtus.entries(), 1024);
        heap.poke(0, 1280 | 576 << 32);
        heap.poke(4088, 1400 | 9000 << 32);
        assert_eq!(mtus.of_mark(0), None);
        assert_eq!(mtus.of_mark(1), Some(1280));
        assert_eq!(mtus.of_mark(2), Some(576));
        assert_eq!(mtus.of_mark(3), None);
        assert_eq!(mtus.of_mark(1023), Some(1400));
        assert_eq!(mtus.of_mark(1024), Some(9000));
        assert_eq!(mtus.of_mark(1025), None);
        assert_eq!(mtus.of_mark(u32::MAX), None);
    }

    #[test]
    fn every_whole_entry_counts() {
        for (len, entries) in [(4, 1), (7, 1), (8, 2), (12, 3), (60, 15), (63, 15)] {
            let heap = Heap::new(len);
            for word in 0..len.div_ceil(8) {
                heap.poke(8 * word, 1280 | 1280 << 32);
            }
            let mtus = PathMtus::new(heap).unwrap();
            assert_eq!(mtus.entries(), entries, "{len} bytes");
            assert_eq!(mtus.of_mark(entries as u32), Some(1280), "{len} bytes");
            assert_eq!(mtus.of_mark(entries as u32 + 1), None, "{len} bytes");
        }
        for len in 0..4 {
            let error = PathMtus::new(Heap::new(len)).unwrap_err();
            assert_eq!(error, TableError::TooSmall { len });
        }
    }

    #[test]
    fn a_change_is_seen_at_once() {
        let heap = Heap::new(64);
        let mtus = PathMtus::new(heap.clone()).unwrap();
        for mtu in [68, 1500, 0xffff_ffff] {
            heap.poke(8, mtu << 32);
            assert_eq!(mtus.of_mark(4), Some(mtu as u32));
        }
    }
}
