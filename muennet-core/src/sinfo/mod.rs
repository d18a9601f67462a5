// SPDX-License-Identifier: MIT OR Apache-2.0
//! Subject information (sinfo): how a subject learns its resources.
//!
//! A page set of [`SIZE`] bytes, written by the separation kernel, read-only for
//! the subject: at guest address [`ADDRESS`] for native components, told by the
//! boot parameter `muen_sinfo` to Linux. Versions 3, 4 and 5 are supported
//! ([`Version`]); others are refused ([`SinfoError::Version`]). Packed, little endian:
//!
//! | offset | length | field |
//! |-------:|-------:|----------------------------------------------------|
//! | 0 | 8 | magic ([`Version::magic`]): "muinfo", NUL, version |
//! | 8 | 4 | TSC frequency in kHz |
//! | 12 | 65 | subject name: length u8, 63 bytes, NUL |
//! | 77 or 78 | 2 | number of resources: at 77 in versions 3 and 4, at 78 in version 5 |
//! | 80 | 128 each | resources, at most 255 |
//!
//! A resource: kind u32, name (65 bytes) at 4, 3 bytes of padding, and at 72 the
//! 56 bytes that its kind defines.
//!
//! ```
//! use muennet_core::sinfo::{Kind, Sinfo};
//!
//! fn output_size(page: &[u8]) -> Option<u64> {
//!     let sinfo = Sinfo::parse(page).ok()?;
//!     let output = sinfo.find("net_out", Kind::Memory)?.memory()?;
//!     output.writable.then_some(output.size)
//! }
//! # assert_eq!(output_size(&[0; 80]), None);
//! ```

#[cfg(feature = "builder")]
mod builder;
mod device;
mod layout;
pub mod linux;
mod name;
mod parse;
mod resource;
mod version;

#[cfg(feature = "builder")]
pub use builder::{BuildError, Builder};
pub use device::{Bar, Device, DeviceMemory, DevicePort, Identity};
pub use layout::{ADDRESS, MAX_RESOURCES, RESOURCE_SIZE, SIZE};
pub use name::{Name, NameError};
pub use parse::{Sinfo, SinfoError};
pub use resource::{Detail, Kind, Memory, MemoryKind, Resource, NO_PATTERN};
pub use version::Version;
