// SPDX-License-Identifier: MIT OR Apache-2.0
//! Path MTUs: a memory region with one little-endian u32 for each mark.
//!
//! Whoever writes the region may change it at any time, so a value is read once
//! for each packet, and used as it was read.

use crate::shm::{Memory, Region, RegionError};

/// Entries in one word of the region.
const IN_WORD: usize = 2;

/// A region with the path MTUs of the marks from 1 on.
#[derive(Debug)]
pub struct PathMtus<M> {
    region: Region<M>,
}

impl<M: Memory> PathMtus<M> {
    /// Takes over the region's memory.
    ///
    /// # Errors
    ///
    /// [`RegionError`] when it is too small or misaligned.
    pub fn new(memory: M) -> Result<Self, RegionError> {
        let region = Region::new(memory)?;
        Ok(Self { region })
    }

    /// How many marks have an entry.
    pub fn entries(&self) -> usize {
        self.region.words() * IN_WORD
    }

    /// The path MTU in bytes of packets with this mark, as it is now; `None` where
    /// the region sets no limit: mark 0, a mark above the entries, or an entry of 0.
    #[inline]
    pub fn of_mark(&self, mark: u32) -> Option<u32> {
        let index = usize::try_from(mark.checked_sub(1)?).ok()?;
        let word = self.region.word(index / IN_WORD)?;
        let [a, b, c, d, e, f, g, h] = word.to_le_bytes();
        let entry = match index % IN_WORD {
            0 => u32::from_le_bytes([a, b, c, d]),
            _ => u32::from_le_bytes([e, f, g, h]),
        };
        (entry != 0).then_some(entry)
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
    fn a_change_is_seen_at_once() {
        let heap = Heap::new(64);
        let mtus = PathMtus::new(heap.clone()).unwrap();
        for mtu in [68, 1500, 0xffff_ffff] {
            heap.poke(8, mtu << 32);
            assert_eq!(mtus.of_mark(4), Some(mtu as u32));
        }
    }
}
