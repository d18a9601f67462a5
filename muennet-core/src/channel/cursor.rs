// SPDX-License-Identifier: MIT OR Apache-2.0
//! A private count of elements together with the slot it stands for.

use super::{layout::HEADER_SIZE, Geometry};

/// Keeps `count % elements` up to date without dividing per element.
///
/// Nothing here can wrap but the count: slot and offset stay within the geometry.
/// The kernel checks for overflows, and a check that never fails costs all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    count: u64,
    slot: u64,
    offset: usize,
}

impl Cursor {
    pub(crate) const START: Self = Self {
        count: 0,
        slot: 0,
        offset: HEADER_SIZE,
    };

    /// Elements counted since the epoch began.
    #[inline]
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Offset of the slot, in bytes from the start of the region.
    #[inline]
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    /// On to the next element.
    #[inline]
    pub(crate) fn advance(&mut self, geometry: &Geometry) {
        self.count = self.count.wrapping_add(1);
        self.slot = self.slot.wrapping_add(1);
        self.offset = self.offset.wrapping_add(geometry.element_size());
        if self.slot >= geometry.elements() {
            self.slot = 0;
            self.offset = HEADER_SIZE;
        }
    }

    /// To the element with the number `count`.
    pub(crate) fn jump(&mut self, count: u64, geometry: &Geometry) {
        self.count = count;
        self.slot = count.checked_rem(geometry.elements()).unwrap_or(0);
        // CAST: slot < elements, and all elements lie in a region whose length is a usize.
        let before = (self.slot as usize).wrapping_mul(geometry.element_size());
        self.offset = before.wrapping_add(HEADER_SIZE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advancing_and_jumping_agree() {
        let geometry = Geometry::fill(64 + 3 * 24 + 5, 24).unwrap();
        let mut walked = Cursor::START;
        for count in 0..10 {
            let mut jumped = Cursor::START;
            jumped.jump(count, &geometry);
            assert_eq!(walked, jumped);
            assert_eq!(walked.offset(), 64 + (count as usize % 3) * 24);
            walked.advance(&geometry);
        }
    }
}
