// SPDX-License-Identifier: MIT OR Apache-2.0
//! Subject information (version 5): how a subject learns its resources.
//!
//! A page set of [`SIZE`] bytes, written by the separation kernel, read-only for
//! the subject: at guest address [`ADDRESS`] for native components, told by the
//! boot parameter `muen_sinfo` to Linux. Packed, little endian:
//!
//! | offset | length | field |
//! |-------:|-------:|----------------------------------------------------|
//! | 0 | 8 | magic [`MAGIC`]: "muinfo", NUL, version |
//! | 8 | 4 | TSC frequency in kHz |
//! | 12 | 65 | subject name: length u8, 63 bytes, NUL |
//! | 78 | 2 | number of resources |
//! | 80 | 128 each | resources, at most 255 |
//!
//! A resource: kind u32, name (65 bytes) at 4, 3 bytes of padding, and at 72 the
//! 56 bytes that its kind defines.

#[cfg(feature = "builder")]
mod builder;
mod device;
mod layout;
mod name;
mod parse;
mod resource;

#[cfg(feature = "builder")]
pub use builder::{BuildError, Builder};
pub use device::{Device, DeviceMemory, DevicePort};
pub use layout::{ADDRESS, MAGIC, MAX_RESOURCES, RESOURCE_SIZE, SIZE};
pub use name::{Name, NameError};
pub use parse::{Sinfo, SinfoError};
pub use resource::{Detail, Kind, Memory, MemoryKind, Resource};
