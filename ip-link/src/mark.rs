// SPDX-License-Identifier: MIT OR Apache-2.0
//! Marks: out of words, and out of an attribute.

use muennet_core::config::number;
use std::ffi::CStr;

/// The mark that the words of a command line give.
pub fn parse(words: &[&CStr]) -> Result<Option<u32>, String> {
    let mut mark = None;
    let mut words = words.iter().map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        if word != "mark" {
            return Err(format!("muennet: unknown option \"{word}\"?"));
        }
        let value = words
            .next()
            .ok_or("muennet: a number must follow \"mark\"")?;
        if mark.replace(number(&value)?).is_some() {
            return Err(
                "muennet: one mark is given here; add others with muennet_cfg add_mark".to_owned(),
            );
        }
    }
    Ok(mark)
}

fn number(text: &str) -> Result<u32, String> {
    number::either(text)
        .ok()
        .and_then(|mark| u32::try_from(mark).ok())
        .filter(|mark| *mark > 0)
        .ok_or_else(|| format!("muennet: \"{text}\" is no mark"))
}

/// The marks in an attribute's value.
pub fn all(value: &[u8]) -> impl Iterator<Item = u32> + '_ {
    value
        .chunks_exact(4)
        .map(|bytes| u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        assert_eq!(parse(&[]), Ok(None));
        assert_eq!(parse(&[c"mark", c"5"]), Ok(Some(5)));
        for most in [c"0xffffffff", c"0XFFFFFFFF", c"4294967295"] {
            assert_eq!(parse(&[c"mark", most]), Ok(Some(u32::MAX)));
        }
        for bad in [
            &[c"mark"][..],
            &[c"mark", c"0"],
            &[c"mark", c"4294967296"],
            &[c"mark", c"-1"],
            &[c"mark", c"+5"],
            &[c"mark", c"0x+5"],
            &[c"mark", c"0x"],
            &[c"five"],
            &[c"mark", c"5", c"mark", c"6"],
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn values() {
        let value = [5u32, 70_000].map(u32::to_ne_bytes).concat();
        assert_eq!(all(&value).collect::<Vec<_>>(), [5, 70_000]);
    }
}
