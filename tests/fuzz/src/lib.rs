// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bodies of the fuzzers. The property tests of muennet-core run the same.

pub mod hostile;
pub mod parameters;
pub mod sinfo;
