// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is shown of muennet-core beyond its unit tests and models.

mod panics;

pub use panics::no_panic_path;
