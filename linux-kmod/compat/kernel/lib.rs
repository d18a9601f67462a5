// SPDX-License-Identifier: GPL-2.0-only

//! Stands in for the kernel's crate of the same name, where the kernel has none, or one
//! of another time.
//!
//! It offers the part that the modules use, in the form that Linux 7.3 has it, over
//! bindings of the headers that are built against:
//!
//! - [`alloc`]: boxes and vectors;
//! - [`error`]: errnos;
//! - [`fmt`], [`print`]: texts, and the log;
//! - [`module!`], [`Module`]: loading and unloading;
//! - [`str`]: C strings;
//! - [`sync`]: spinlocks and mutexes;
//! - [`types`]: values that C owns.

#![no_std]

pub mod alloc;
mod bindings;
pub mod error;
pub mod ffi;
pub mod fmt;
mod init;
mod module;
mod panic;
pub mod prelude;
pub mod print;
pub mod str;
pub mod sync;
pub mod types;

pub use module::{modinfo, Module, ThisModule};
