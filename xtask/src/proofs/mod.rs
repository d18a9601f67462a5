// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is shown of muennet-core beyond its unit tests and models.

mod aarch64;
mod barriers;
mod fuzz;
mod panics;

pub use aarch64::unit_tests as on_aarch64;
pub use barriers::barriers;
pub use fuzz::{fuzz, fuzz_briefly};
pub use panics::no_panic_path;
