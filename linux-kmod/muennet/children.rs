// SPDX-License-Identifier: GPL-2.0-only

//! An interface's children, and which marks are whose.
//!
//! The table is part of what the interface's `rx` lock protects: a packet is
//! given to the child that its mark belonged to when it was taken out of the
//! channel, and once `forget` or `take` returned, no later packet is.

use crate::child::Child;
use crate::net::rtnl::HeldLink;
use kernel::prelude::*;

/// Marks that an interface can give out, where no region says more.
const MARKS: usize = 256;
/// Marks that an interface can give out, whatever a region says.
const MOST_MARKS: usize = 1 << 16;

/// Why a mark is not given.
pub(crate) enum MarkError {
    /// It is this child's already.
    Own,
    /// It is another child's.
    Taken(HeldLink<Child>),
    /// So many are given, and there are no more.
    Full(usize),
}

/// The children of an interface with their marks.
///
/// # Invariants
///
/// `marks` is sorted by mark, each mark is there once, and each child in it is in
/// `children`.
pub(crate) struct Children {
    children: KVec<HeldLink<Child>>,
    marks: KVVec<(u32, HeldLink<Child>)>,
    room: usize,
}

impl Children {
    /// Room for children, with 256 marks or one for each of `entries`.
    pub(crate) fn new(entries: usize) -> Result<Self> {
        let room = entries.clamp(MARKS, MOST_MARKS);
        Ok(Self {
            children: KVec::with_capacity(MARKS, GFP_KERNEL)?,
            marks: KVVec::with_capacity(room, GFP_KERNEL)?,
            room,
        })
    }

    /// For an interface that has no children: there is no room for any.
    pub(crate) fn none() -> Self {
        Self {
            children: KVec::new(),
            marks: KVVec::new(),
            room: 0,
        }
    }

    /// The child that a packet with this mark is for.
    pub(crate) fn of_mark(&self, mark: u32) -> Option<&HeldLink<Child>> {
        if self.marks.is_empty() {
            return None;
        }
        let found = self.marks.binary_search_by_key(&mark, |(mark, _)| *mark);
        self.marks.get(found.ok()?).map(|(_, child)| child)
    }

    /// All children.
    pub(crate) fn all(&self) -> &[HeldLink<Child>] {
        &self.children
    }

    /// All marks with their children, in order.
    pub(crate) fn marks(&self) -> &[(u32, HeldLink<Child>)] {
        &self.marks
    }

    /// Takes up a child; false if there is no more room. Does not allocate.
    pub(crate) fn adopt(&mut self, child: HeldLink<Child>) -> bool {
        self.children.push_within_capacity(child).is_ok()
    }

    /// Gives a free mark to a child. Does not allocate.
    pub(crate) fn give(&mut self, mark: u32, child: &HeldLink<Child>) -> Result<(), MarkError> {
        match self.marks.binary_search_by_key(&mark, |(mark, _)| *mark) {
            Ok(at) => match self.marks.get(at) {
                Some((_, owner)) if !owner.is(child.device()) => {
                    Err(MarkError::Taken(owner.clone()))
                }
                _ => Err(MarkError::Own),
            },
            // INVARIANT: inserted where the search says that it belongs.
            Err(at) if self.marks.len() < self.room => self
                .marks
                .insert_within_capacity(at, (mark, child.clone()))
                .map_err(|_| MarkError::Full(self.room)),
            Err(_) => Err(MarkError::Full(self.room)),
        }
    }

    /// Takes a mark that the child holds away from it; false if it does not.
    pub(crate) fn take(&mut self, mark: u32, child: &HeldLink<Child>) -> bool {
        let found = self.marks.binary_search_by_key(&mark, |(mark, _)| *mark);
        match found.ok().and_then(|at| Some((at, self.marks.get(at)?))) {
            Some((at, (_, owner))) if owner.is(child.device()) => self.marks.remove(at).is_ok(),
            _ => false,
        }
    }

    /// Gives up a child with all its marks.
    pub(crate) fn forget(&mut self, is: impl Fn(&HeldLink<Child>) -> bool) {
        self.marks.retain(|(_, child)| !is(child));
        self.children.retain(|child| !is(child));
    }
}
