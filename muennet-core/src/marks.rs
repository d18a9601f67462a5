// SPDX-License-Identifier: MIT OR Apache-2.0
//! Owners of marks: the table by which a packet that carries a mark finds its interface.
//!
//! The table is a slice that its user keeps, in whatever memory it has; this module searches
//! it, and says where an entry has to be put in.

use core::fmt;

/// A table of marks with their owners, sorted by mark, each mark once.
///
/// ```
/// use muennet_core::marks::{Marks, Refusal};
///
/// let mut table = vec![(5, "blue"), (9, "red")];
/// assert_eq!(Marks::new(&table).owner(9), Some(&"red"));
///
/// // A free mark has a place; the room is for four marks.
/// let at = Marks::new(&table).place(7, 4, |owner| *owner == "red").unwrap();
/// table.insert(at, (7, "red"));
/// assert_eq!(table, [(5, "blue"), (7, "red"), (9, "red")]);
///
/// let marks = Marks::new(&table);
/// assert_eq!(marks.place(5, 4, |owner| *owner == "red"), Err(Refusal::Taken(&"blue")));
/// assert_eq!(marks.held(7, |owner| *owner == "red"), Some(1));
/// ```
#[derive(Debug)]
pub struct Marks<'a, T>(&'a [(u32, T)]);

/// A reason for which a mark is not given.
///
/// ```
/// use muennet_core::marks::{Marks, Refusal};
///
/// let table = [(5, "blue")];
/// let refusal = Marks::new(&table).place(6, 1, |_| false).unwrap_err();
/// assert_eq!(refusal, Refusal::Full(1));
/// assert_eq!(refusal.to_string(), "all of the 1 marks are given: delete one first");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal<T> {
    /// It is the asking owner's already.
    Own,
    /// It is another owner's.
    Taken(T),
    /// The table has no more room than for so many marks.
    Full(usize),
}

impl<T> fmt::Display for Refusal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("the mark is this owner's already"),
            Self::Taken(_) => f.write_str("the mark is another owner's: delete it there first"),
            Self::Full(room) => write!(f, "all of the {room} marks are given: delete one first"),
        }
    }
}

impl<T: fmt::Debug> core::error::Error for Refusal<T> {}

impl<T: Clone> Refusal<&T> {
    /// The refusal with an owner of its own, so that the table may change.
    pub fn cloned(self) -> Refusal<T> {
        match self {
            Self::Own => Refusal::Own,
            Self::Taken(owner) => Refusal::Taken(owner.clone()),
            Self::Full(room) => Refusal::Full(room),
        }
    }
}

impl<'a, T> Marks<'a, T> {
    /// Looks at a table, which must be sorted: in another order an owner may not be found.
    #[inline]
    pub fn new(table: &'a [(u32, T)]) -> Self {
        Self(table)
    }

    #[inline]
    fn search(&self, mark: u32) -> Result<(usize, &'a T), usize> {
        let at = self.0.binary_search_by_key(&mark, |(mark, _)| *mark)?;
        // The search gives a place in the table.
        self.0.get(at).map(|(_, owner)| (at, owner)).ok_or(at)
    }

    /// The owner of a mark.
    #[inline]
    pub fn owner(&self, mark: u32) -> Option<&'a T> {
        self.search(mark).ok().map(|(_, owner)| owner)
    }

    /// The place at which a free mark has to be put in, if the table has fewer than `room`
    /// entries. `is_own` is true of the owner that asks.
    ///
    /// # Errors
    ///
    /// [`Refusal`], with the owner where there is one.
    pub fn place(
        &self,
        mark: u32,
        room: usize,
        is_own: impl FnOnce(&T) -> bool,
    ) -> Result<usize, Refusal<&'a T>> {
        match self.search(mark) {
            Ok((_, owner)) if is_own(owner) => Err(Refusal::Own),
            Ok((_, owner)) => Err(Refusal::Taken(owner)),
            Err(_) if self.0.len() >= room => Err(Refusal::Full(room)),
            Err(at) => Ok(at),
        }
    }

    /// The place of a mark whose owner is the one that asks; `None` if it is free, or another's.
    pub fn held(&self, mark: u32, is_own: impl FnOnce(&T) -> bool) -> Option<usize> {
        let (at, owner) = self.search(mark).ok()?;
        is_own(owner).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{collections::BTreeMap, string::ToString, vec::Vec};

    #[test]
    fn an_empty_table_has_no_owner_and_a_first_place() {
        let marks = Marks::<u8>::new(&[]);
        assert_eq!(marks.owner(0), None);
        assert_eq!(marks.held(0, |_| true), None);
        assert_eq!(marks.place(0, 1, |_| true), Ok(0));
        assert_eq!(marks.place(0, 0, |_| true), Err(Refusal::Full(0)));
    }

    #[test]
    fn a_refusal_names_its_reason() {
        let table = [(1, 'a'), (2, 'b')];
        let marks = Marks::new(&table);
        // A mark that is given is that first, though the table is full.
        let own = marks.place(2, 2, |owner| *owner == 'b').unwrap_err();
        assert_eq!(own, Refusal::Own);
        assert!(own.to_string().contains("already"));
        let taken = marks.place(1, 2, |owner| *owner == 'b').unwrap_err();
        assert_eq!(taken, Refusal::Taken(&'a'));
        assert!(taken.to_string().contains("another owner's"));
        let full = marks.place(3, 2, |owner| *owner == 'b').unwrap_err();
        assert_eq!(full, Refusal::Full(2));
        assert!(full.to_string().contains("all of the 2 marks"));
        let owned = [own, taken, full].map(Refusal::cloned);
        assert_eq!(owned, [Refusal::Own, Refusal::Taken('a'), Refusal::Full(2)]);
        assert_eq!(marks.place(3, 3, |owner| *owner == 'b'), Ok(2));
        assert_eq!(marks.held(1, |owner| *owner == 'b'), None);
    }

    proptest! {
        #[test]
        fn the_table_is_a_map(
            steps in prop::collection::vec((any::<bool>(), 0..12_u32, 0..3_u8), 0..80),
        ) {
            const ROOM: usize = 8;
            let (mut table, mut map) = (Vec::new(), BTreeMap::new());
            for (gives, mark, owner) in steps {
                let marks = Marks::new(&table);
                if gives {
                    let expected = match map.get(&mark) {
                        Some(own) if *own == owner => Err(Refusal::Own),
                        Some(other) => Err(Refusal::Taken(other)),
                        None if map.len() == ROOM => Err(Refusal::Full(ROOM)),
                        None => Ok(()),
                    };
                    let place = marks.place(mark, ROOM, |other| *other == owner);
                    prop_assert_eq!(place.map(drop), expected);
                    if let Ok(at) = place {
                        table.insert(at, (mark, owner));
                        map.insert(mark, owner);
                    }
                } else {
                    let held = marks.held(mark, |other| *other == owner);
                    prop_assert_eq!(held.is_some(), map.get(&mark) == Some(&owner));
                    if let Some(at) = held {
                        prop_assert_eq!(table.remove(at), (mark, owner));
                        map.remove(&mark);
                    }
                }
                let sorted: Vec<_> = map.iter().map(|(mark, owner)| (*mark, *owner)).collect();
                prop_assert_eq!(&table, &sorted);
                for mark in 0..12 {
                    prop_assert_eq!(Marks::new(&table).owner(mark), map.get(&mark));
                }
            }
        }
    }
}
