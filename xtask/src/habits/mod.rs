// SPDX-License-Identifier: MIT OR Apache-2.0
//! Checks of the tree as a whole: packages, spelling, features.

mod features;
mod packages;
mod spelling;

pub use features::features;
pub use packages::packages;
pub use spelling::spelling;
