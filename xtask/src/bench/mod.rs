// SPDX-License-Identifier: MIT OR Apache-2.0
//! Benchmarks that need more than one program.

pub mod native;
pub mod vm;
