// SPDX-License-Identifier: MIT OR Apache-2.0
//! Good frames, and how they lie in elements.

use clap::ValueEnum;

/// Properties that the reader expects.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    Raw,
    NetHdr,
    EthDev,
}

/// An IPv4 packet of 28 bytes that nobody answers: UDP between documentation addresses.
const PACKET: [u8; 28] = [
    0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 0, 9, 0, 9, 0, 8, 0, 0,
];

impl Mode {
    /// Bytes of an element.
    pub fn element_size(self, mtu: usize) -> usize {
        match self {
            Self::Raw => mtu,
            Self::NetHdr => mtu + 8,
            Self::EthDev => mtu + 16,
        }
    }

    /// An element with a good frame that has a mark, if the mode knows marks.
    pub fn marked(self, mtu: usize, mark: u32) -> Vec<u8> {
        let mut element = self.element(mtu);
        if self == Self::NetHdr {
            element[..4].copy_from_slice(&mark.to_le_bytes());
        }
        element
    }

    /// An element with a good frame.
    pub fn element(self, mtu: usize) -> Vec<u8> {
        let mut element = vec![0; self.element_size(mtu)];
        match self {
            Self::Raw => element[..28].copy_from_slice(&PACKET),
            Self::NetHdr => {
                element[..8].copy_from_slice(&[5, 0, 0, 0, 28, 0, 4, 0]);
                element[8..36].copy_from_slice(&PACKET);
            }
            Self::EthDev => {
                element[..6].fill(0xff);
                element[6..14].copy_from_slice(&[2, 0, 0, 0, 0, 9, 8, 0]);
                element[14..42].copy_from_slice(&PACKET);
                let end = element.len();
                element[end - 2..].copy_from_slice(&42u16.to_le_bytes());
            }
        }
        element
    }
}
