// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes on their way into shared memory, which somebody may change meanwhile.

use core::{marker::PhantomData, ops::Range, ptr::NonNull};

/// Some bytes of a frame to be sent.
///
/// They may change at any time: the pages of a file that is being sent, or of a program that
/// sends without a copy. So no reference to them is made; they are copied once, and what the
/// copy holds is some mix of old and new.
///
/// ```
/// use muennet_core::shm::Part;
///
/// let slices = [&b"header"[..], b"payload"];
/// let [header, payload] = Part::of_slices(&slices) else {
///     unreachable!("one part for each slice");
/// };
/// assert_eq!((header.len(), payload.byte(0)), (6, Some(b'p')));
/// assert_eq!(payload.get(3..7).len(), 4);
/// ```
///
/// # Invariants
///
/// The bytes are readable for `'a`.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub struct Part<'a>(NonNull<[u8]>, PhantomData<&'a [u8]>);

// SAFETY: bytes that are only read, wherever that is.
unsafe impl Send for Part<'_> {}
// SAFETY: as above.
unsafe impl Sync for Part<'_> {}

impl<'a> From<&'a [u8]> for Part<'a> {
    #[inline]
    fn from(bytes: &'a [u8]) -> Self {
        // INVARIANT: a slice is readable.
        Self(NonNull::from(bytes), PhantomData)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Part<'a> {
    #[inline]
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl<'a> Part<'a> {
    /// The `len` bytes from `start` on.
    ///
    /// # Safety
    ///
    /// They are readable for `'a`. Others may write them, but not by a Rust reference of
    /// this program.
    #[inline]
    pub unsafe fn from_raw(start: NonNull<u8>, len: usize) -> Self {
        // INVARIANT: by the caller's promise.
        Self(NonNull::slice_from_raw_parts(start, len), PhantomData)
    }

    /// The same slices as parts.
    #[inline]
    pub fn of_slices<'s>(slices: &'s [&'a [u8]]) -> &'s [Self] {
        // SAFETY: a part is a transparent pointer to a slice, as a reference is; what may be
        // read by the reference may be read by the pointer.
        unsafe { &*(core::ptr::from_ref(slices) as *const [Self]) }
    }

    /// Length in bytes.
    #[inline]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The byte at `index`, read once.
    #[inline]
    pub fn byte(&self, index: usize) -> Option<u8> {
        // SAFETY: within the part, which is readable by the invariants.
        (index < self.len()).then(|| unsafe { self.start().add(index).read_volatile() })
    }

    /// The bytes in `range`; none if they do not all lie in the part.
    #[inline]
    pub fn get(&self, range: Range<usize>) -> Self {
        let len = range.end.wrapping_sub(range.start);
        if range.start > range.end || range.end > self.len() {
            return Self::from(&[]);
        }
        // SAFETY: within the part, which is readable by the invariants.
        unsafe { Self::from_raw(self.0.cast::<u8>().add(range.start), len) }
    }

    /// Address of the first byte.
    #[inline]
    pub(super) fn start(&self) -> *const u8 {
        self.0.cast::<u8>().as_ptr()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Part<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{} bytes", self.len());
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_bounded() {
        let slices: [&[u8]; 2] = [b"abc", b""];
        let [part, empty] = Part::of_slices(&slices) else {
            unreachable!("two slices")
        };
        assert_eq!((part.len(), empty.len()), (3, 0));
        assert!(empty.is_empty() && !part.is_empty());
        assert_eq!(
            (part.byte(2), part.byte(3), empty.byte(0)),
            (Some(b'c'), None, None)
        );
        let bytes = |part: Part<'_>| (part.byte(0), part.len());
        assert_eq!(bytes(part.get(1..3)), (Some(b'b'), 2));
        assert_eq!(bytes(part.get(3..3)), (None, 0));
        for (start, end) in [(0, 4), (4, 5), (2, 1), (usize::MAX, 0), (1, usize::MAX)] {
            assert!(part.get(start..end).is_empty(), "{start}..{end}");
        }
    }
}
