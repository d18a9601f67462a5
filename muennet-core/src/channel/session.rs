// SPDX-License-Identifier: MIT OR Apache-2.0
//! A reader's place in an epoch.

use super::cursor::Cursor;
use super::{Geometry, Resume};

/// State of the adopted epoch; private, never read back from the region.
///
/// # Invariants
///
/// `read` has counted no more than `seen`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Session {
    geometry: Geometry,
    read: Cursor,
    /// The last write count seen: elements below it were whole when looked at.
    seen: u64,
}

impl Session {
    /// Before the first element.
    pub(super) fn new(geometry: Geometry) -> Self {
        // INVARIANT: both are 0.
        Self {
            geometry,
            read: Cursor::START,
            seen: 0,
        }
    }

    #[inline]
    pub(super) fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// The next element to read.
    #[inline]
    pub(super) fn read(&self) -> Cursor {
        self.read
    }

    /// The last write count seen.
    #[inline]
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// Elements known to be written and not read.
    #[inline]
    pub(super) fn pending(&self) -> u64 {
        // By the invariants this does not wrap.
        self.seen.wrapping_sub(self.read.count())
    }

    /// The write count is `written` now, if that is possible.
    #[inline]
    pub(super) fn see(&mut self, written: u64) -> bool {
        let possible = written >= self.seen;
        if possible {
            // INVARIANT: not below the old one.
            self.seen = written;
        }
        possible
    }

    /// The elements before `end` were read; no more than are pending.
    #[inline]
    pub(super) fn advance(&mut self, end: Cursor) {
        // INVARIANT: by the caller's promise.
        self.read = end;
    }

    /// Passes over all that is written, of `written` elements, if that is possible.
    pub(super) fn skip(&mut self, written: u64) {
        if self.see(written) {
            // INVARIANT: both are the same.
            self.read.jump(written, &self.geometry);
        }
    }

    /// Goes back to the newest `count` of `written` elements, if those are possible.
    pub(super) fn rewind(&mut self, written: u64, count: u64) {
        if self.see(written) {
            // One less than there are: the writer may be at the oldest.
            let held = self.geometry.elements().saturating_sub(1);
            // INVARIANT: not above `written`.
            let back = written.saturating_sub(count.min(held));
            self.read.jump(back, &self.geometry);
        }
    }

    /// Number of elements before `end`, from the next to read on, that may have been
    /// overwritten by the time that `started` was the start count, which is not
    /// below `seen`.
    ///
    /// Element k is overwritten by element k + `elements`, which is not begun
    /// before the start count is above k + `elements`. So whatever lies at or above
    /// the start count less `elements` was whole when it was copied, however
    /// many were copied before.
    #[inline]
    pub(super) fn overtaken(&self, started: u64) -> u64 {
        // `read` is not above `seen`, nor that above `started`.
        let ahead = started.wrapping_sub(self.read.count());
        ahead.saturating_sub(self.geometry.elements())
    }

    /// Goes on after an overrun, when `started` elements are begun and `written`
    /// seem to be ended; says how many are lost.
    ///
    /// Some are pending, and more than `elements` begun behind `read`.
    #[cold]
    pub(super) fn resume(&mut self, resume: Resume, started: u64, written: u64) -> u64 {
        let elements = self.geometry.elements();
        let written = written.max(self.seen);
        let next = match resume {
            Resume::Newest => written,
            Resume::Oldest => started
                .saturating_sub(elements)
                .saturating_add(elements / 8)
                .min(written),
        };
        // `next` is above `read`: both that it is the least of are.
        let lost = next.wrapping_sub(self.read.count());
        // INVARIANT: `next` is not above `written`.
        self.read.jump(next, &self.geometry);
        self.seen = written;
        lost
    }
}
