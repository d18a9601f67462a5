// SPDX-License-Identifier: MIT OR Apache-2.0
//! Proofs of muennet-core beyond its unit tests and models.

mod aarch64;
mod barriers;
mod c_interface;
mod coverage;
mod fuzz;
mod msrv;
mod panics;
mod race;
mod speed;

pub use aarch64::unit_tests as on_aarch64;
pub use barriers::barriers;
pub use c_interface::c_interface;
pub use coverage::coverage;
pub use fuzz::{fuzz, fuzz_briefly, minimize};
pub use msrv::oldest_compiler;
pub use panics::no_panic_path;
pub use race::{race, race_briefly};
pub use speed::speed;
