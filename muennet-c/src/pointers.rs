// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pointers from C, checked for null and alignment before anything is read or written.

use crate::{frame, Code};
use core::{mem::MaybeUninit, ptr::NonNull};
use muennet_core::{framing::Sink, shm::Part};

/// Gives the value of a check, or ends the function with the refusal.
macro_rules! or_return {
    ($checked:expr) => {
        match $checked {
            Ok(value) => value,
            Err(code) => return code,
        }
    };
}
pub(crate) use or_return;

fn check<T>(pointer: *const T) -> Result<(), Code> {
    if pointer.is_null() {
        Err(Code::NullPointer)
    } else if !pointer.is_aligned() {
        Err(Code::Misaligned)
    } else {
        Ok(())
    }
}

/// Copies the value at `pointer`.
///
/// # Safety
///
/// Unless it is null or misaligned, a `T` can be read there, of which all fields were written.
#[inline]
pub(crate) unsafe fn read<T: Copy>(pointer: *const T) -> Result<T, Code> {
    check(pointer)?;
    // SAFETY: neither null nor misaligned, as just checked; readable by the caller's promise.
    Ok(unsafe { pointer.read() })
}

/// A place for a result.
///
/// # Invariants
///
/// A `T` can be written there.
pub(crate) struct Out<T>(NonNull<T>);

impl<T> Out<T> {
    /// The place at `pointer`.
    ///
    /// # Safety
    ///
    /// Unless it is null or misaligned, a `T` can be written there for as long as the value
    /// lives, and nothing else writes there meanwhile.
    #[inline]
    pub(crate) unsafe fn new(pointer: *mut T) -> Result<Self, Code> {
        check(pointer)?;
        // INVARIANT: by the caller's promise.
        NonNull::new(pointer).map(Self).ok_or(Code::NullPointer)
    }

    /// As [`new`](Self::new), where null means that nobody wants the result.
    ///
    /// # Safety
    ///
    /// As for [`new`](Self::new).
    #[inline]
    pub(crate) unsafe fn optional(pointer: *mut T) -> Result<Option<Self>, Code> {
        if pointer.is_null() {
            return Ok(None);
        }
        // SAFETY: by the caller's promise.
        unsafe { Self::new(pointer) }.map(Some)
    }

    /// Writes the result. What lay there before is not looked at.
    #[inline]
    pub(crate) fn put(&mut self, value: T) {
        // SAFETY: by the invariants.
        unsafe { self.0.write(value) };
    }
}

/// An array that the caller has.
///
/// # Invariants
///
/// Unless `count` is 0, `base` is neither null nor misaligned, and `count` values can be
/// accessed there as `new` was promised.
#[derive(Clone, Copy)]
pub(crate) struct Array<T> {
    base: *mut T,
    count: usize,
}

impl<T> Array<T> {
    /// `count` values at `base`, no more than `max`.
    ///
    /// # Safety
    ///
    /// Unless it is refused, `count` values of `T` lie there while this value lives, whose
    /// fields can be accessed as the methods that are called do.
    #[inline]
    pub(crate) unsafe fn new(
        base: *mut T,
        count: usize,
        max: usize,
        too_many: Code,
    ) -> Result<Self, Code> {
        if count > max {
            return Err(too_many);
        }
        if count > 0 {
            check(base)?;
        }
        // INVARIANT: checked, or by the caller's promise.
        Ok(Self { base, count })
    }

    #[inline]
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    #[inline]
    fn at(&self, index: usize) -> Option<*mut T> {
        // SAFETY: within the array.
        (index < self.count).then(|| unsafe { self.base.add(index) })
    }
}

impl<T: Copy> Array<T> {
    /// A copy of the value at `index`.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<T> {
        // SAFETY: within the array, whose values the caller of `new` has written.
        self.at(index).map(|value| unsafe { value.read() })
    }
}

impl Array<frame::Arrival> {
    /// The buffer of the arrival at `index`. Its other fields may not have been written yet.
    #[inline]
    pub(crate) fn room(&self, index: usize) -> Result<Room, Code> {
        let arrival = self.at(index).ok_or(Code::TooManyFrames)?;
        // SAFETY: within the array; these two fields are the caller's to write.
        let (buffer, room) = unsafe {
            (
                (&raw const (*arrival).buffer).read(),
                (&raw const (*arrival).room).read(),
            )
        };
        // SAFETY: the caller of `new` promised it of each arrival.
        unsafe { Room::new(buffer.cast(), room) }
    }

    /// Fills in what came of the arrival at `index`.
    #[inline]
    pub(crate) fn put(&mut self, index: usize, frame: frame::Frame, result: Code) {
        if let Some(arrival) = self.at(index) {
            // SAFETY: within the array, which the caller of `new` has for writing.
            unsafe {
                (&raw mut (*arrival).frame).write(frame);
                (&raw mut (*arrival).result).write(result);
            }
        }
    }
}

/// A buffer for a frame.
///
/// # Invariants
///
/// `room` bytes can be written at `base`.
pub(crate) struct Room {
    base: *mut u8,
    room: usize,
}

impl Room {
    /// The buffer of `room` bytes at `base`; null stands for none.
    ///
    /// # Safety
    ///
    /// For as long as the value lives, the bytes can be written, and nothing else accesses them.
    #[inline]
    pub(crate) unsafe fn new(base: *mut u8, room: usize) -> Result<Self, Code> {
        if base.is_null() && room > 0 {
            return Err(Code::NullPointer);
        }
        // INVARIANT: by the caller's promise.
        Ok(Self { base, room })
    }

    /// No buffer at all.
    pub(crate) const NONE: Self = Self {
        base: core::ptr::null_mut(),
        room: 0,
    };

    /// The first byte, after a frame was placed.
    #[inline]
    pub(crate) fn first(&self) -> u8 {
        if self.room == 0 {
            return 0;
        }
        // SAFETY: by the invariants, and written when the frame was placed.
        unsafe { self.base.read() }
    }
}

impl Sink for Room {
    #[inline]
    fn place(&mut self, len: usize) -> Option<&mut [u8]> {
        // A length is never 0, so that without a buffer there is no room.
        if len > self.room || len == 0 {
            return None;
        }
        // SAFETY: so many bytes can be written by the invariants, and nothing else accesses
        // them meanwhile. What they hold came from C and is a value of u8 in any case; the
        // core only copies into them.
        Some(unsafe { core::slice::from_raw_parts_mut(self.base, len) })
    }
}

/// Copies of the caller's fragments: no more than `N`.
pub(crate) struct Parts<const N: usize> {
    parts: [MaybeUninit<Part<'static>>; N],
    count: usize,
}

impl<const N: usize> Parts<N> {
    #[inline]
    pub(crate) fn new() -> Self {
        Self {
            parts: [const { MaybeUninit::uninit() }; N],
            count: 0,
        }
    }

    /// Adds the `count` fragments at `base`, and says where they are in
    /// [`get`](Self::get).
    ///
    /// # Safety
    ///
    /// `count` fragments can be read at `base`, and the bytes of each, until `self` is dropped.
    #[inline]
    pub(crate) unsafe fn add(
        &mut self,
        base: *const frame::Slice,
        count: usize,
    ) -> Result<core::ops::Range<usize>, Code> {
        let start = self.count;
        let room = N.saturating_sub(start);
        // SAFETY: by the caller's promise; they are read alone.
        let slices = unsafe { Array::new(base.cast_mut(), count, room, Code::TooManyParts) }?;
        for index in 0..slices.count() {
            let Some(slice) = slices.get(index) else {
                break;
            };
            let part = match NonNull::new(slice.base.cast_mut()) {
                // SAFETY: readable by the caller's promise. Others may write them: no
                // reference to them is made.
                Some(start) => unsafe { Part::from_raw(start.cast(), slice.length) },
                None if slice.length == 0 => Part::from(&[]),
                None => return Err(Code::NullPointer),
            };
            if let Some(place) = self.parts.get_mut(self.count) {
                place.write(part);
                // No more than `N`, so that this does not saturate.
                self.count = self.count.saturating_add(1);
            }
        }
        Ok(start..self.count)
    }

    /// The parts in `range`.
    #[inline]
    pub(crate) fn get(&self, range: core::ops::Range<usize>) -> &[Part<'_>] {
        if range.start > range.end || range.end > self.count {
            return &[];
        }
        match self.parts.get(range) {
            // SAFETY: those before `count` were written, as just checked; a `MaybeUninit` has
            // the layout of what it holds.
            Some(parts) => unsafe { &*(core::ptr::from_ref(parts) as *const [Part<'_>]) },
            None => &[],
        }
    }
}
