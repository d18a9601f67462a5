// SPDX-License-Identifier: MIT OR Apache-2.0
//! Subject information as Muen Linux hands it to its modules: interrupts, and
//! resources with their CPU.
//!
//! Linux numbers the interrupt of a vector itself: on x86_64 by the vector minus
//! `ISA_IRQ_VECTOR(0)`, on arm64 by the vector.
//!
//! `struct muen_cpu_affinity` of `<muen/smp.h>` has 152 bytes: the CPU at 0, the
//! resource at 1 or 8, a list head at 136. The resource lies at 1 where `<muen/sinfo.h>`
//! declares it packed, at 8 where that aligns it to 8 bytes.

use super::{Kind, Name, Resource, Version, RESOURCE_SIZE};
use core::fmt;

/// The interrupt that Linux has for a vector.
///
/// ```
/// use muennet_core::sinfo::linux::Irq;
///
/// let vector = Irq::FIRST_VECTOR + 5;
/// assert_eq!(Irq::of_vector(vector).map(|irq| irq.number), Some(5));
/// assert_eq!(Irq::of_number(5).map(|irq| irq.vector), Some(vector));
/// assert_eq!(Irq::of_number(Irq::MAX + 1), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Irq {
    /// Number of the vector, as in the subject information.
    pub vector: u8,
    /// Linux' number of the interrupt.
    pub number: u32,
}

impl Irq {
    /// The vector of interrupt 0: `ISA_IRQ_VECTOR(0)` on x86_64.
    pub const FIRST_VECTOR: u8 = if cfg!(target_arch = "x86_64") {
        0x30
    } else {
        0
    };
    /// The highest interrupt that a vector can have.
    // CAST: widens.
    pub const MAX: u32 = (u8::MAX - Self::FIRST_VECTOR) as u32;

    /// The interrupt of a vector; `None` below [`FIRST_VECTOR`](Self::FIRST_VECTOR),
    /// where processor exceptions lie.
    pub fn of_vector(vector: u8) -> Option<Self> {
        let number = vector.checked_sub(Self::FIRST_VECTOR)?.into();
        Some(Self { vector, number })
    }

    /// The interrupt with this number; `None` above [`MAX`](Self::MAX).
    pub fn of_number(number: u32) -> Option<Self> {
        let vector = u8::try_from(number).ok()?.checked_add(Self::FIRST_VECTOR)?;
        Some(Self { vector, number })
    }
}

/// A resource and the CPU that it belongs to.
///
/// ```
/// use muennet_core::sinfo::{linux::CpuAffinity, Detail, Kind, Name, Resource, Version};
///
/// // The kernel's answer for the event "net_out", whose resource lies at 1.
/// let name = Name::new("net_out")?;
/// let resource = Resource { name, detail: Detail::Event(16) };
/// let mut bytes = [0; CpuAffinity::SIZE];
/// bytes[0] = 3;
/// let stored = resource.to_bytes(Version::NEWEST)?;
/// bytes[1..][..stored.len()].copy_from_slice(&stored);
/// let found = CpuAffinity::parse(&bytes, None, &name, Kind::Event)?;
/// assert_eq!(found, CpuAffinity { cpu: 3, resource });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct CpuAffinity {
    /// Number of the CPU.
    pub cpu: u8,
    /// The resource.
    pub resource: Resource,
}

/// Why `struct muen_cpu_affinity` does not give the resource.
///
/// ```
/// use muennet_core::sinfo::{linux::{AffinityError, CpuAffinity}, Kind, Name};
///
/// let name = Name::new("net_out")?;
/// let found = CpuAffinity::parse(&[0; CpuAffinity::SIZE], None, &name, Kind::Event);
/// assert_eq!(found, Err(AffinityError::Absent));
/// # Ok::<(), muennet_core::sinfo::NameError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum AffinityError {
    /// The resource that was asked for lies at no known offset.
    Absent,
    /// The resource that was asked for seems to lie at both known offsets.
    Ambiguous,
}

impl fmt::Display for AffinityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [packed, aligned] = CpuAffinity::RESOURCE_OFFSETS;
        let how = match self {
            Self::Absent => "neither",
            Self::Ambiguous => "both",
        };
        write!(
            f,
            "struct muen_cpu_affinity of this kernel has the resource at {how} of the offsets \
             {packed} and {aligned}; build the module with the kernel's own <muen/smp.h>"
        )
    }
}

impl core::error::Error for AffinityError {}

impl CpuAffinity {
    /// Bytes of `struct muen_cpu_affinity`.
    pub const SIZE: usize = 152;
    /// The known offsets of the resource: packed, and aligned.
    pub const RESOURCE_OFFSETS: [usize; 2] = [1, 8];

    /// Reads what `muen_smp_one_match` wrote, for a resource of that name and kind,
    /// which must be memory, an event or a vector. The resource lies at `offset` if
    /// the kernel's headers tell it, else at one of the known offsets.
    ///
    /// The offset that holds the kind and the name asked for is the right one. The
    /// other one cannot hold them by chance: in one layout the bytes there are padding,
    /// which is zero, in the other they begin within the name, which would have to hold
    /// the kind's number followed by three NULs. If both do, neither is believed.
    ///
    /// # Errors
    ///
    /// [`AffinityError`] unless exactly one offset holds the resource.
    pub fn parse(
        bytes: &[u8; Self::SIZE],
        offset: Option<usize>,
        name: &Name,
        kind: Kind,
    ) -> Result<Self, AffinityError> {
        let [cpu, ..] = *bytes;
        let at = |offset: usize| {
            let resource = bytes.get(offset..)?.first_chunk::<RESOURCE_SIZE>()?;
            // All versions have the same memory, events and vectors.
            Resource::parse(resource, Version::NEWEST)
                .filter(|resource| resource.is(kind) && resource.name == *name)
        };
        let [packed, aligned] = Self::RESOURCE_OFFSETS;
        let (one, other) = match offset {
            Some(offset) => (at(offset), None),
            None => (at(packed), at(aligned)),
        };
        let resource = match (one, other) {
            (Some(resource), None) | (None, Some(resource)) => resource,
            (None, None) => return Err(AffinityError::Absent),
            (Some(_), Some(_)) => return Err(AffinityError::Ambiguous),
        };
        Ok(Self { cpu, resource })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Detail;
    use super::*;
    use std::string::ToString;

    /// `struct muen_cpu_affinity` with vector 72 called `name` at `offset`, what lies
    /// around it filled with `rest`.
    fn affinity(offset: usize, name: &[u8], rest: u8) -> [u8; CpuAffinity::SIZE] {
        let mut bytes = [rest; CpuAffinity::SIZE];
        bytes[0] = 3;
        let resource = &mut bytes[offset..][..RESOURCE_SIZE];
        resource.fill(0);
        resource[0] = 3;
        resource[4] = name.len() as u8;
        resource[5..][..name.len()].copy_from_slice(name);
        resource[72] = 72;
        bytes
    }

    #[test]
    fn both_layouts_are_told_apart() {
        for name in ["c", "cc", "ccc", "channel_in", "\u{3}\u{3}\u{3}\u{3}"] {
            let asked = Name::new(name).unwrap();
            for offset in CpuAffinity::RESOURCE_OFFSETS {
                for rest in [0, 0xff] {
                    let bytes = affinity(offset, name.as_bytes(), rest);
                    for told in [None, Some(offset)] {
                        let found = CpuAffinity::parse(&bytes, told, &asked, Kind::Vector).unwrap();
                        assert_eq!(found.cpu, 3);
                        assert_eq!(found.resource.detail, Detail::Vector(72));
                        assert_eq!(found.resource.name, asked);
                    }
                    let other = 9 - offset;
                    assert_eq!(
                        CpuAffinity::parse(&bytes, Some(other), &asked, Kind::Vector),
                        Err(AffinityError::Absent)
                    );
                }
            }
        }
    }

    #[test]
    fn another_resource_is_not_believed() {
        let bytes = affinity(1, b"channel", 0);
        let asked = Name::new("channel").unwrap();
        let other = Name::new("channe").unwrap();
        for (name, kind) in [(asked, Kind::Event), (other, Kind::Vector)] {
            assert_eq!(
                CpuAffinity::parse(&bytes, None, &name, kind),
                Err(AffinityError::Absent)
            );
        }
        // An offset without room for a resource.
        assert_eq!(
            CpuAffinity::parse(&bytes, Some(152), &asked, Kind::Vector),
            Err(AffinityError::Absent)
        );
    }

    #[test]
    fn a_resource_at_both_offsets_is_not_believed() {
        let mut bytes = affinity(1, b"cc", 0);
        // Behind the name, where the kernel has zeros: the same resource at 8.
        bytes[8..16].copy_from_slice(&[3, 0, 0, 0, 2, b'c', b'c', 0]);
        assert_eq!(
            CpuAffinity::parse(&bytes, None, &Name::new("cc").unwrap(), Kind::Vector),
            Err(AffinityError::Ambiguous)
        );
    }

    #[test]
    fn errors_say_what_to_do() {
        assert_eq!(
            AffinityError::Absent.to_string(),
            "struct muen_cpu_affinity of this kernel has the resource at neither of the offsets \
             1 and 8; build the module with the kernel's own <muen/smp.h>"
        );
        assert!(AffinityError::Ambiguous.to_string().contains("at both of"));
    }

    #[test]
    fn vectors_and_interrupts_are_numbered_as_linux_does() {
        let first = if cfg!(target_arch = "x86_64") { 48 } else { 0 };
        assert_eq!(Irq::FIRST_VECTOR, first);
        for vector in 0..=u8::MAX {
            match Irq::of_vector(vector) {
                Some(irq) => {
                    assert_eq!(irq.number, u32::from(vector - first));
                    assert_eq!(Irq::of_number(irq.number), Some(irq));
                }
                None => assert!(vector < first),
            }
        }
        assert_eq!(Irq::MAX, u32::from(255 - first));
        assert!(Irq::of_number(Irq::MAX).is_some());
        for number in [Irq::MAX + 1, 256, u32::MAX] {
            assert_eq!(Irq::of_number(number), None);
        }
    }
}
