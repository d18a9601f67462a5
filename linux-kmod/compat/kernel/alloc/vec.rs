// SPDX-License-Identifier: GPL-2.0-only

//! Values in a row.

use super::{AllocError, Allocator, Flags, KVmalloc, Kmalloc};
use core::{
    alloc::Layout,
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::{Deref, DerefMut},
    ptr::{self, NonNull},
    slice,
};

/// Values in memory of the allocator `A`.
///
/// # Invariants
///
/// `start` has room for `capacity` values, the first `len` of which are there. Values
/// without a size need no room.
pub struct Vec<T, A: Allocator> {
    start: NonNull<T>,
    capacity: usize,
    len: usize,
    _allocator: PhantomData<(T, A)>,
}

/// In memory from `kmalloc`.
pub type KVec<T> = Vec<T, Kmalloc>;
/// In memory from `kvmalloc`.
pub type KVVec<T> = Vec<T, KVmalloc>;

/// There is no more room for the value.
#[derive(Debug)]
pub struct PushError<T>(pub T);

/// There is no such value.
#[derive(Clone, Copy, Debug)]
pub struct RemoveError;

// SAFETY: the values go with it.
unsafe impl<T: Send, A: Allocator> Send for Vec<T, A> {}
// SAFETY: a shared vector is shared values.
unsafe impl<T: Sync, A: Allocator> Sync for Vec<T, A> {}

impl<T, A: Allocator> Vec<T, A> {
    /// Empty, without memory.
    pub const fn new() -> Self {
        Self {
            start: NonNull::dangling(),
            capacity: if size_of::<T>() == 0 { usize::MAX } else { 0 },
            len: 0,
            _allocator: PhantomData,
        }
    }

    /// Empty, with room.
    pub fn with_capacity(capacity: usize, flags: Flags) -> Result<Self, AllocError> {
        let mut vec = Self::new();
        vec.reserve(capacity, flags)?;
        Ok(vec)
    }

    /// `count` clones of a value.
    pub fn from_elem(value: T, count: usize, flags: Flags) -> Result<Self, AllocError>
    where
        T: Clone,
    {
        let mut vec = Self::with_capacity(count, flags)?;
        while vec.len < count {
            vec.push(value.clone(), flags)?;
        }
        Ok(vec)
    }

    /// Makes room for `more` values.
    pub fn reserve(&mut self, more: usize, flags: Flags) -> Result<(), AllocError> {
        let needed = self.len.checked_add(more).ok_or(AllocError)?;
        if needed <= self.capacity {
            return Ok(());
        }
        let capacity = needed.max(self.capacity.saturating_mul(2));
        let layout = Layout::array::<T>(capacity).map_err(|_| AllocError)?;
        let start = A::alloc(layout, flags)?.cast::<T>();
        // SAFETY: room for more than there are; the old room is given back without
        // dropping what was in it.
        unsafe {
            ptr::copy_nonoverlapping(self.start.as_ptr(), start.as_ptr(), self.len);
            self.free();
        }
        // INVARIANT: the values moved.
        self.start = start;
        self.capacity = capacity;
        Ok(())
    }

    /// Gives the memory back.
    ///
    /// # Safety
    ///
    /// No value in it is used any more.
    unsafe fn free(&mut self) {
        if size_of::<T>() != 0 && self.capacity != 0 {
            // SAFETY: from `reserve`.
            unsafe { A::free(self.start.cast()) };
        }
    }

    /// Appends a value.
    pub fn push(&mut self, value: T, flags: Flags) -> Result<(), AllocError> {
        self.reserve(1, flags)?;
        self.push_within_capacity(value).map_err(|_| AllocError)
    }

    /// Appends a value if there is room.
    pub fn push_within_capacity(&mut self, value: T) -> Result<(), PushError<T>> {
        self.insert_within_capacity(self.len, value)
    }

    /// Inserts a value at `index` if there is room, and if there are as many before it.
    pub fn insert_within_capacity(&mut self, index: usize, value: T) -> Result<(), PushError<T>> {
        if self.len >= self.capacity || index > self.len {
            return Err(PushError(value));
        }
        // SAFETY: there is room for one more, and `index` is within.
        unsafe {
            let place = self.start.as_ptr().add(index);
            ptr::copy(place, place.add(1), self.len - index);
            place.write(value);
        }
        // INVARIANT: one more is there.
        self.len += 1;
        Ok(())
    }

    /// Takes out the value at `index`.
    pub fn remove(&mut self, index: usize) -> Result<T, RemoveError> {
        if index >= self.len {
            return Err(RemoveError);
        }
        // INVARIANT: the value is moved out, and those behind it move up.
        self.len -= 1;
        // SAFETY: `index` is within.
        unsafe {
            let place = self.start.as_ptr().add(index);
            let value = place.read();
            ptr::copy(place.add(1), place, self.len - index);
            Ok(value)
        }
    }

    /// Keeps those that `keep` is true for, in their order.
    pub fn retain(&mut self, mut keep: impl FnMut(&mut T) -> bool) {
        let mut kept = 0;
        for index in 0..self.len {
            let Some(value) = self.get_mut(index) else { break };
            if keep(value) {
                self.swap(kept, index);
                kept += 1;
            }
        }
        self.truncate(kept);
    }

    /// Drops all behind the first `len`.
    pub fn truncate(&mut self, len: usize) {
        if let Some(rest) = self.get_mut(len..) {
            let rest: *mut [T] = rest;
            // INVARIANT: they are not there any more.
            self.len = len;
            // SAFETY: they were there.
            unsafe { ptr::drop_in_place(rest) };
        }
    }

    /// Drops all.
    pub fn clear(&mut self) {
        self.truncate(0);
    }
}

impl<T, A: Allocator> Default for Vec<T, A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, A: Allocator> Deref for Vec<T, A> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: the values are there, by the invariants.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T, A: Allocator> DerefMut for Vec<T, A> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: the values are there, by the invariants.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl<T, A: Allocator> Drop for Vec<T, A> {
    fn drop(&mut self) {
        self.clear();
        // SAFETY: there are no values any more.
        unsafe { self.free() };
    }
}

/// The values of a vector, one after the other.
pub struct IntoIter<T, A: Allocator> {
    vec: ManuallyDrop<Vec<T, A>>,
    next: usize,
}

impl<T, A: Allocator> Iterator for IntoIter<T, A> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if self.next >= self.vec.len {
            return None;
        }
        // SAFETY: there, and taken once.
        let value = unsafe { self.vec.start.as_ptr().add(self.next).read() };
        self.next += 1;
        Some(value)
    }
}

impl<T, A: Allocator> Drop for IntoIter<T, A> {
    fn drop(&mut self) {
        self.by_ref().for_each(drop);
        // SAFETY: all values were taken.
        unsafe { self.vec.free() };
    }
}

impl<T, A: Allocator> IntoIterator for Vec<T, A> {
    type Item = T;
    type IntoIter = IntoIter<T, A>;

    fn into_iter(self) -> IntoIter<T, A> {
        IntoIter {
            vec: ManuallyDrop::new(self),
            next: 0,
        }
    }
}

impl<'a, T, A: Allocator> IntoIterator for &'a Vec<T, A> {
    type Item = &'a T;
    type IntoIter = slice::Iter<'a, T>;

    fn into_iter(self) -> slice::Iter<'a, T> {
        self.iter()
    }
}
