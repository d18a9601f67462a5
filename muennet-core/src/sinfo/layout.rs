// SPDX-License-Identifier: MIT OR Apache-2.0
//! Offsets and lengths in a subject-information page set, in bytes, that all versions share.

/// Address of the subject information in native components.
pub const ADDRESS: u64 = 0xe_0000_0000;
/// The most resources there can be.
pub const MAX_RESOURCES: usize = 255;
/// Bytes of a resource.
pub const RESOURCE_SIZE: usize = 128;
/// Bytes of a resource that its kind defines.
pub(super) const DETAIL_SIZE: usize = RESOURCE_SIZE - resource::DETAIL;
/// Bytes of the whole: header and the most resources.
pub const SIZE: usize = RESOURCES + MAX_RESOURCES * RESOURCE_SIZE;

pub(super) const TSC_KHZ: usize = 8;
pub(super) const SUBJECT: usize = 12;
pub(super) const RESOURCES: usize = 80;

pub(super) const NAME_SIZE: usize = 65;

/// Offsets within a resource.
pub(super) mod resource {
    pub(crate) const KIND: usize = 0;
    pub(crate) const NAME: usize = 4;
    pub(crate) const DETAIL: usize = 72;
    /// The number of an event or a vector.
    pub(crate) const NUMBER: usize = DETAIL;
    pub(crate) const MEMORY_KIND: usize = DETAIL;
    pub(crate) const MEMORY_CONTENT: usize = DETAIL + 1;
    pub(crate) const MEMORY_FLAGS: usize = DETAIL + 2;
    pub(crate) const MEMORY_PATTERN: usize = DETAIL + 3;
    pub(crate) const MEMORY_ADDRESS: usize = DETAIL + 8;
    pub(crate) const MEMORY_SIZE: usize = DETAIL + 16;
    pub(crate) const MEMORY_HASH: usize = DETAIL + 24;
}

/// The `N` bytes at a constant offset of `LEN`.
pub(super) fn field<const AT: usize, const N: usize, const LEN: usize>(
    bytes: &[u8; LEN],
) -> [u8; N] {
    const { assert!(AT + N <= LEN) };
    let mut field = [0; N];
    for (target, source) in field.iter_mut().zip(bytes.iter().skip(AT)) {
        *target = *source;
    }
    field
}

const _: () = assert!(SUBJECT + NAME_SIZE + 3 == RESOURCES);
const _: () = assert!(resource::NAME + NAME_SIZE + 3 == resource::DETAIL);
const _: () = assert!(resource::MEMORY_HASH + 32 == RESOURCE_SIZE);
