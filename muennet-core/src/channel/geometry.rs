// SPDX-License-Identifier: MIT OR Apache-2.0
//! Number and size of the elements in a region.

use super::layout::HEADER_SIZE;
use super::Fault;
use crate::shm::RegionError;
use core::fmt;

/// Checked element size and count.
///
/// ```
/// use muennet_core::channel::{Geometry, GeometryError};
///
/// // 4 MiB hold a header of 64 bytes and 2766 elements of 1516 bytes.
/// let geometry = Geometry::fill(4 << 20, 1516)?;
/// assert_eq!(geometry.elements(), 2766);
/// assert!(matches!(Geometry::fill(1024, 1516), Err(GeometryError::TooSmall { .. })));
/// # Ok::<(), GeometryError>(())
/// ```
///
/// # Invariants
///
/// `element_size` and `elements` are not 0, and
/// `HEADER_SIZE + element_size * elements` is at most the region's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Geometry {
    element_size: usize,
    elements: u64,
}

/// Why a region cannot carry the elements asked for.
///
/// ```
/// use muennet_core::channel::{Geometry, GeometryError};
///
/// let error = Geometry::fill(100, 1516).unwrap_err();
/// assert_eq!(error, GeometryError::TooSmall { region: 100, element_size: 1516 });
/// assert_eq!(Geometry::fill(4096, 0), Err(GeometryError::NoElementSize));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum GeometryError {
    /// The memory is no channel region at all.
    Region(RegionError),
    /// Not one element of `element_size` bytes fits behind the header.
    TooSmall {
        /// Bytes of the region.
        region: usize,
        /// Bytes of one element.
        element_size: usize,
    },
    /// An element must have at least one byte.
    NoElementSize,
}

impl fmt::Display for GeometryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Region(error) => error.fmt(f),
            Self::TooSmall {
                region,
                element_size,
            } => write!(
                f,
                "a region of {region} bytes has no room for one element of {element_size} bytes \
                 behind the header; make the channel larger or the MTU smaller"
            ),
            Self::NoElementSize => f.write_str("an element must have at least one byte"),
        }
    }
}

impl core::error::Error for GeometryError {}

impl From<RegionError> for GeometryError {
    fn from(error: RegionError) -> Self {
        Self::Region(error)
    }
}

impl Geometry {
    /// As many elements of `element_size` bytes as a region of `region` bytes holds.
    ///
    /// # Errors
    ///
    /// [`GeometryError`] when not even one fits.
    pub fn fill(region: usize, element_size: usize) -> Result<Self, GeometryError> {
        let elements = region
            .saturating_sub(HEADER_SIZE)
            .checked_div(element_size)
            .ok_or(GeometryError::NoElementSize)?;
        if elements == 0 {
            return Err(GeometryError::TooSmall {
                region,
                element_size,
            });
        }
        // INVARIANT: by the division, and both are non-zero.
        Ok(Self {
            element_size,
            // CAST: usize is at most 64 bits on every target.
            elements: elements as u64,
        })
    }

    /// Checks a header's `size` and `elements` against a region of `region` bytes.
    pub(super) fn check(
        region: usize,
        min_element: usize,
        observed_size: u64,
        observed_elements: u64,
    ) -> Result<Self, Fault> {
        if observed_size < min_element.max(1) as u64 {
            return Err(Fault::ElementSize {
                found: observed_size,
                min: min_element.max(1),
            });
        }
        if observed_elements == 0 {
            return Err(Fault::NoElements);
        }
        let room = region.saturating_sub(HEADER_SIZE) as u64;
        match observed_size.checked_mul(observed_elements) {
            // INVARIANT: both are non-zero and their product fits the region.
            Some(bytes) if bytes <= room => Ok(Self {
                // CAST: at most the region's length, which is a usize.
                element_size: observed_size as usize,
                elements: observed_elements,
            }),
            _ => Err(Fault::BeyondRegion {
                size: observed_size,
                elements: observed_elements,
                region,
            }),
        }
    }

    /// Bytes of one element.
    #[inline]
    pub fn element_size(&self) -> usize {
        self.element_size
    }

    /// Elements in the data area.
    #[inline]
    pub fn elements(&self) -> u64 {
        self.elements
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_filled() {
        let geometry = Geometry::fill(64 + 2 * 1516 + 1515, 1516).unwrap();
        assert_eq!((geometry.element_size(), geometry.elements()), (1516, 2));
        assert_eq!(
            Geometry::fill(64 + 1515, 1516),
            Err(GeometryError::TooSmall {
                region: 64 + 1515,
                element_size: 1516
            })
        );
        assert_eq!(Geometry::fill(4096, 0), Err(GeometryError::NoElementSize));
        assert!(Geometry::fill(3, 1).is_err());
    }

    #[test]
    fn no_lie_passes_the_check() {
        let check = |size, elements| Geometry::check(4096, 16, size, elements);
        assert!(check(16, 252).is_ok());
        assert!(check(4032, 1).is_ok());
        assert!(matches!(check(16, 253), Err(Fault::BeyondRegion { .. })));
        assert!(matches!(
            check(15, 1),
            Err(Fault::ElementSize { found: 15, min: 16 })
        ));
        assert!(matches!(check(0, 1), Err(Fault::ElementSize { .. })));
        assert!(matches!(check(16, 0), Err(Fault::NoElements)));
        assert!(matches!(check(1 << 63, 2), Err(Fault::BeyondRegion { .. })));
        assert!(matches!(
            check(u64::MAX, u64::MAX),
            Err(Fault::BeyondRegion { .. })
        ));
    }
}
