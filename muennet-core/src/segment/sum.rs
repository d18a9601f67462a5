// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sums of 16-bit words in ones' complement (RFC 1071), of headers.

/// A sum folded to 16 bits.
#[inline]
pub(super) fn fold(sum: u32) -> u16 {
    let sum = (sum & 0xffff) + (sum >> 16);
    // CAST: at most 0x1_fffe before, so that this leaves 16 bits.
    ((sum & 0xffff) + (sum >> 16)) as u16
}

/// The sum of a pseudo header in which the length `old` is replaced by `new` (RFC 1624).
#[inline]
pub(super) fn with_length(sum: u16, old: u32, new: u16) -> u16 {
    // The complement of a number is its negative.
    fold(u32::from(sum) + u32::from(!fold(old)) + u32::from(new))
}

/// The checksum of an IPv4 header, whose length is a multiple of 4 and at most 60.
#[inline]
pub(super) fn of_header(bytes: &[u8]) -> u16 {
    let sum = bytes
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => u32::from(u16::from_be_bytes([*high, *low])),
            _ => 0,
        })
        // Of 30 words at most, which cannot wrap.
        .fold(0, u32::wrapping_add);
    !fold(sum)
}
