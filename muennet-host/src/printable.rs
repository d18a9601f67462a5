// SPDX-License-Identifier: MIT OR Apache-2.0
//! Text for terminals.

use std::{ffi::OsStr, fmt::Write as _};

/// The text with an escape for each character that a terminal does not print: controls,
/// directions of writing, what joins another character. Lines stay lines; bytes that are no
/// UTF-8 become U+FFFD.
///
/// ```
/// # use muennet_host::printable::printable;
/// assert_eq!(printable("\u{1b}[2J ü"), "\\u{1b}[2J ü");
/// ```
pub fn printable(text: impl AsRef<OsStr>) -> String {
    let mut escaped = String::new();
    for c in text.as_ref().to_string_lossy().chars() {
        match c {
            '\n' | '\\' | '"' | '\'' => escaped.push(c),
            // Writing to a string does not fail.
            _ => drop(write!(escaped, "{}", c.escape_debug())),
        }
    }
    escaped
}

/// The same on one line.
pub fn one_line(text: impl AsRef<OsStr>) -> String {
    printable(text).replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        for (hostile, shown) in [
            ("\u{9b}31m\u{7f}\r\0", "\\u{9b}31m\\u{7f}\\r\\0"),
            ("\u{202e}txt.exe", "\\u{202e}txt.exe"),
            ("plain → \"größer\" \\x1b", "plain → \"größer\" \\x1b"),
            ("a\nb", "a\nb"),
        ] {
            assert_eq!(printable(hostile), shown);
        }
        assert_eq!(one_line("a\nb\u{7}"), "a\\nb\\u{7}");
        assert_eq!(
            printable(OsStr::from_bytes(b"a\xff\x9bz")),
            "a\u{fffd}\u{fffd}z"
        );
    }
}
