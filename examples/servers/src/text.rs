// SPDX-License-Identifier: MIT OR Apache-2.0
//! Text being written where there is room for so much.

use core::fmt;

/// At most `N` bytes. What does not fit is left out.
#[derive(Debug)]
pub struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Text<N> {
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [0; N],
            len: 0,
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let room = &mut self.bytes[self.len..];
        let taken = bytes.len().min(room.len());
        room[..taken].copy_from_slice(&bytes[..taken]);
        self.len += taken;
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }
}

impl<const N: usize> fmt::Write for Text<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::fmt::Write;

    #[test]
    fn takes_what_fits() {
        let mut text = Text::<8>::new();
        for _ in 0..8 {
            write!(text, "abc").unwrap();
        }
        assert_eq!(text.bytes(), b"abcabcab");
        text.clear();
        assert_eq!(text.bytes(), b"");
    }
}
