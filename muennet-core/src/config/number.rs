// SPDX-License-Identifier: MIT OR Apache-2.0
//! Unsigned numbers, as parameters and command lines give them.
//!
//! | function | takes | used for |
//! |---|---|---|
//! | [`decimal`] | `1500` | `mtu`, `poll` |
//! | [`hexadecimal`] | `2`, `0x2`, `0X2` | `reader_protocol`, `writer_protocol` |
//! | [`either`] | `5`, `0x5`, `0X5` | marks, sizes in a policy |
//!
//! No function takes a sign, a blank or a digit separator.
//!
//! ```
//! use muennet_core::config::number::{decimal, either, hexadecimal, NumberError};
//!
//! assert_eq!(decimal("1500"), Ok(1500));
//! assert_eq!(hexadecimal("12"), Ok(0x12));
//! assert_eq!(either("0x12"), Ok(0x12));
//! assert_eq!(either("+5"), Err(NumberError::NotANumber));
//! ```

use core::fmt;

/// Reason why a text is refused as a number.
///
/// ```
/// use muennet_core::config::number::{hexadecimal, NumberError};
///
/// assert_eq!(hexadecimal("xyz"), Err(NumberError::NotANumber));
/// assert_eq!(hexadecimal("0x10000000000000000"), Err(NumberError::TooLarge));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum NumberError {
    /// The text is empty, or has a byte that is not a digit of the base.
    NotANumber,
    /// The number has more than 64 bits.
    TooLarge,
}

impl fmt::Display for NumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotANumber => "not a number",
            Self::TooLarge => "a number of more than 64 bits",
        })
    }
}

impl core::error::Error for NumberError {}

/// Reads a decimal number.
///
/// # Errors
///
/// [`NumberError`] when `text` is not a decimal number of at most 64 bits.
pub fn decimal(text: &str) -> Result<u64, NumberError> {
    digits::<10>(text)
}

/// Reads a hexadecimal number, with or without `0x` or `0X`.
///
/// # Errors
///
/// [`NumberError`] when `text` is not a hexadecimal number of at most 64 bits.
pub fn hexadecimal(text: &str) -> Result<u64, NumberError> {
    digits::<16>(after_prefix(text).unwrap_or(text))
}

/// Reads a number that is hexadecimal after `0x` or `0X`, else decimal.
///
/// # Errors
///
/// [`NumberError`] when `text` is neither, or has more than 64 bits.
pub fn either(text: &str) -> Result<u64, NumberError> {
    match after_prefix(text) {
        Some(rest) => digits::<16>(rest),
        None => digits::<10>(text),
    }
}

fn after_prefix(text: &str) -> Option<&str> {
    text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))
}

fn digits<const BASE: u32>(text: &str) -> Result<u64, NumberError> {
    // `from_str_radix` would take a sign.
    if text.is_empty() || !text.bytes().all(|byte| char::from(byte).is_digit(BASE)) {
        return Err(NumberError::NotANumber);
    }
    u64::from_str_radix(text, BASE).map_err(|_| NumberError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use NumberError::{NotANumber, TooLarge};

    /// Texts that no base takes.
    const NEVER: [&str; 12] = [
        "", " ", "+2", "-2", "0x", "0X", "0x+5", "0x-5", "0x0x1", "1 ", "1_000", "g",
    ];

    #[test]
    fn a_sign_a_blank_or_an_empty_text_is_no_number() {
        for text in NEVER {
            assert_eq!(decimal(text), Err(NotANumber), "{text}");
            assert_eq!(hexadecimal(text), Err(NotANumber), "{text}");
            assert_eq!(either(text), Err(NotANumber), "{text}");
        }
        // A digit elsewhere, but none of ASCII.
        assert_eq!(decimal("٣"), Err(NotANumber));
    }

    #[test]
    fn the_prefix_is_taken_in_both_cases() {
        for text in ["0x2f", "0X2f", "0x2F", "0X2F"] {
            assert_eq!(hexadecimal(text), Ok(0x2f), "{text}");
            assert_eq!(either(text), Ok(0x2f), "{text}");
            assert_eq!(decimal(text), Err(NotANumber), "{text}");
        }
    }

    #[test]
    fn the_base_follows_from_the_function() {
        assert_eq!(decimal("012"), Ok(12));
        assert_eq!(hexadecimal("012"), Ok(0x12));
        assert_eq!(either("012"), Ok(12));
        assert_eq!(either("2f"), Err(NotANumber));
    }

    #[test]
    fn a_number_has_at_most_64_bits() {
        assert_eq!(decimal("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(decimal("18446744073709551616"), Err(TooLarge));
        assert_eq!(hexadecimal("ffffffffffffffff"), Ok(u64::MAX));
        assert_eq!(hexadecimal("0x10000000000000000"), Err(TooLarge));
        assert_eq!(either("0x10000000000000000"), Err(TooLarge));
    }
}
