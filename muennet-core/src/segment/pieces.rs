// SPDX-License-Identifier: MIT OR Apache-2.0
//! The parts of a packet, taken in pieces from the start to the end.

use crate::shm::Part;

/// The rest of a packet's parts, not taken yet.
#[derive(Debug, Clone)]
pub(crate) struct Pieces<'p, 'a> {
    parts: &'p [Part<'a>],
    /// Bytes of the first part that were taken.
    at: usize,
}

impl<'p, 'a> Pieces<'p, 'a> {
    /// All of `parts`.
    #[inline]
    pub(crate) fn new(parts: &'p [Part<'a>]) -> Self {
        Self { parts, at: 0 }
    }

    /// Takes the next `len` bytes and calls `each` with the pieces that they are in. Gives the
    /// bytes that are missing: 0 unless the parts end before.
    #[inline]
    pub(crate) fn take(&mut self, len: usize, mut each: impl FnMut(Part<'a>)) -> usize {
        let mut left = len;
        while left > 0 {
            let Some((part, rest)) = self.parts.split_first() else {
                return left;
            };
            let step = left.min(part.len().saturating_sub(self.at));
            if step > 0 {
                each(part.get(self.at..self.at.wrapping_add(step)));
            }
            // At most what was left, and at most up to the part's end.
            left = left.saturating_sub(step);
            self.at = self.at.wrapping_add(step);
            if self.at >= part.len() {
                (self.parts, self.at) = (rest, 0);
            }
        }
        0
    }
}
