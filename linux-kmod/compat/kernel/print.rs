// SPDX-License-Identifier: GPL-2.0-only

//! Lines in the log. The kernel's own way from Rust's formatting to the log needs
//! CONFIG_RUST, so that a line is made on the stack.

use crate::bindings;
use core::fmt::{self, Write};

/// Levels of `KERN_EMERG` and so on.
#[doc(hidden)]
pub const EMERG: i32 = 0;
#[doc(hidden)]
pub const ERR: i32 = 3;
#[doc(hidden)]
pub const WARN: i32 = 4;
#[doc(hidden)]
pub const INFO: i32 = 6;

/// The bytes of a line; what is longer is cut off.
const LINE: usize = 512;

struct Line {
    bytes: [u8; LINE],
    used: usize,
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.used..).unwrap_or(&mut []);
        let len = text.len().min(room.len());
        for (to, from) in room.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        self.used += len;
        Ok(())
    }
}

/// Writes a line.
#[doc(hidden)]
#[inline(never)]
pub fn print(level: i32, prefix: &str, text: fmt::Arguments<'_>) {
    let mut line = Line {
        bytes: [0; LINE],
        used: 0,
    };
    // Only a `Display` of ours could fail; what there is is shown.
    let _ = line.write_fmt(text);
    // SAFETY: as many bytes as are said. CAST: short.
    unsafe {
        bindings::compat_print(
            level,
            prefix.len() as i32,
            prefix.as_ptr(),
            line.used as i32,
            line.bytes.as_ptr(),
        );
    }
}

/// An error.
#[macro_export]
macro_rules! pr_err {
    ($($arg:tt)*) => {
        $crate::print::print($crate::print::ERR, crate::__LOG_PREFIX, ::core::format_args!($($arg)*))
    };
}

/// A warning.
#[macro_export]
macro_rules! pr_warn {
    ($($arg:tt)*) => {
        $crate::print::print($crate::print::WARN, crate::__LOG_PREFIX, ::core::format_args!($($arg)*))
    };
}

/// Something worth knowing.
#[macro_export]
macro_rules! pr_info {
    ($($arg:tt)*) => {
        $crate::print::print($crate::print::INFO, crate::__LOG_PREFIX, ::core::format_args!($($arg)*))
    };
}

/// A warning, once while the module is loaded.
#[macro_export]
macro_rules! pr_warn_once {
    ($($arg:tt)*) => {{
        static SAID: ::core::sync::atomic::AtomicBool = ::core::sync::atomic::AtomicBool::new(false);
        if !SAID.swap(true, ::core::sync::atomic::Ordering::Relaxed) {
            $crate::pr_warn!($($arg)*);
        }
    }};
}
