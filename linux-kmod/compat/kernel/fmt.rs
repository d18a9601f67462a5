// SPDX-License-Identifier: GPL-2.0-only

//! Formatting; the kernel's `fmt!` makes the arguments.

pub use core::fmt::*;

/// The arguments of a text.
#[doc(hidden)]
#[macro_export]
macro_rules! fmt {
    ($($arg:tt)*) => { ::core::format_args!($($arg)*) };
}
