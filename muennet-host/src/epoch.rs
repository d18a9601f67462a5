// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random numbers for the epochs of writers.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    num::NonZeroU64,
};

/// A number that tells this start from any other: the standard library's
/// per-process random keys, which the operating system seeds.
pub fn random() -> NonZeroU64 {
    let hash = RandomState::new().build_hasher().finish();
    NonZeroU64::new(hash).unwrap_or(NonZeroU64::MIN)
}
