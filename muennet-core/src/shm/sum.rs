// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Internet checksum (RFC 1071), computed while bytes are copied.

/// Ones' complement sum of 16-bit words over pieces of any length, one behind the
/// other. The order of bytes is the machine's throughout, which RFC 1071 admits.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct InternetSum {
    sum: u16,
    /// The pieces so far have an odd number of bytes.
    odd: bool,
}

impl InternetSum {
    /// Adds a piece of `len` bytes, summed up from its own start.
    #[inline]
    pub(crate) fn add(&mut self, words: u64, len: usize) {
        let piece = fold(words);
        // At an odd place, what the piece has as high bytes are low ones.
        let piece = if self.odd { piece.swap_bytes() } else { piece };
        self.sum = fold(u64::from(self.sum) + u64::from(piece));
        self.odd ^= len % 2 == 1;
    }

    /// The checksum as it lies in a packet. 0 is sent as its other form, since UDP
    /// takes 0 for "none".
    #[inline]
    pub(crate) fn checksum(&self) -> [u8; 2] {
        match !self.sum {
            0 => [0xff; 2],
            checksum => checksum.to_ne_bytes(),
        }
    }
}

/// 64 bits folded to 16, as ones' complement.
#[inline]
fn fold(words: u64) -> u16 {
    let sum = (words & 0xffff_ffff) + (words >> 32);
    let sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
    // CAST: the sums are at most 2^33 - 2 and 2^17 - 2, so that this one has 16 bits.
    ((sum & 0xffff) + (sum >> 16)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_1071() {
        let mut sum = InternetSum::default();
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        sum.add(u64::from_ne_bytes(bytes), 8);
        // The sum is ddf2, the checksum its complement.
        assert_eq!(sum.checksum(), [0x22, 0x0d]);
        // In pieces of odd length it is the same.
        let mut sum = InternetSum::default();
        sum.add(u64::from_ne_bytes([0x00, 0x01, 0xf2, 0, 0, 0, 0, 0]), 3);
        sum.add(u64::from_ne_bytes([0x03, 0, 0, 0, 0, 0, 0, 0]), 1);
        sum.add(u64::from_ne_bytes([0xf4, 0, 0, 0, 0, 0, 0, 0]), 1);
        sum.add(u64::from_ne_bytes([0xf5, 0xf6, 0xf7, 0, 0, 0, 0, 0]), 3);
        assert_eq!(sum.checksum(), [0x22, 0x0d]);
    }

    #[test]
    fn folding_keeps_the_remainder() {
        for words in [0, 1, 0xffff, 0x1_0000, u64::MAX, u64::MAX - 1, 0xffff << 48] {
            assert_eq!(u64::from(fold(words)) % 0xffff, words % 0xffff, "{words:x}");
            assert_eq!(fold(words) == 0, words == 0);
        }
    }

    #[test]
    fn no_checksum_is_sent_as_zero() {
        let mut sum = InternetSum::default();
        sum.add(0xffff, 2);
        assert_eq!(sum.checksum(), [0xff, 0xff]);
    }
}
