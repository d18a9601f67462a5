// SPDX-License-Identifier: GPL-2.0-only

//! An interface's children, and the marks of each.
//!
//! The table is part of what the interface's `rx` lock protects: a packet is
//! given to the child that its mark belonged to when it was taken out of the
//! channel, and once `forget` or `take` returned, no later packet is.

use crate::child::Child;
use crate::net::rtnl::HeldLink;
use kernel::prelude::*;
use muennet_core::marks::{Marks, Refusal};

/// Marks that an interface can give out, where no region says more.
const MARKS: usize = 256;
/// Marks that an interface can give out, whatever a region says.
const MOST_MARKS: usize = 1 << 16;

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
        Marks::new(&self.marks).owner(mark)
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
    pub(crate) fn give(
        &mut self,
        mark: u32,
        child: &HeldLink<Child>,
    ) -> Result<(), Refusal<HeldLink<Child>>> {
        let room = self.room;
        let at = Marks::new(&self.marks)
            .place(mark, room, |owner| owner.is(child.device()))
            .map_err(Refusal::cloned)?;
        // INVARIANT: inserted where the search says that it belongs.
        self.marks
            .insert_within_capacity(at, (mark, child.clone()))
            .map_err(|_| Refusal::Full(room))
    }

    /// Takes a mark that the child holds away from it; false if it does not.
    pub(crate) fn take(&mut self, mark: u32, child: &HeldLink<Child>) -> bool {
        let held = Marks::new(&self.marks).held(mark, |owner| owner.is(child.device()));
        held.is_some_and(|at| self.marks.remove(at).is_ok())
    }

    /// Gives up a child with all its marks.
    pub(crate) fn forget(&mut self, is: impl Fn(&HeldLink<Child>) -> bool) {
        self.marks.retain(|(_, child)| !is(child));
        self.children.retain(|child| !is(child));
    }
}
