// SPDX-License-Identifier: MIT OR Apache-2.0
//! Frames on their way to and from C.

use crate::{result::Said, Code};
use core::ffi::c_void;

/// The most frames of one call.
pub const BATCH: usize = 32;
/// The most fragments of one call, of all its frames together.
pub const PARTS: usize = 64;
/// A flag of `muennet_packet`: the checksum is to be filled in.
pub const PACKET_CHECKSUM: u32 = 1;

/// A fragment of a frame to be sent.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Slice {
    /// First byte; may be null if there are none.
    pub base: *const c_void,
    /// Number of bytes.
    pub length: usize,
}

/// A frame to be sent.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Packet {
    /// Its fragments, which are sent one behind the other; may be null if there are none.
    pub parts: *const Slice,
    /// Number of fragments.
    pub count: usize,
    /// Its mark; sent in the mode `MUENNET_MODE_NET_HDR` alone.
    pub mark: u32,
    /// `MUENNET_PACKET_CHECKSUM` or 0.
    pub flags: u32,
    /// With the flag: where the bytes begin whose Internet checksum is filled in, counted from
    /// the start of the frame. All bytes from there on are summed up, the field included: it
    /// holds the sum of the pseudo header before, for TCP and UDP.
    pub checksum_start: usize,
    /// With the flag: where the field of two bytes lies, counted from `checksum_start`.
    pub checksum_offset: usize,
}

/// A received frame, or the numbers that go with another result.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Frame {
    /// Bytes of the frame; 0 if there is none.
    pub length: usize,
    /// Its mark; 0 in modes other than `MUENNET_MODE_NET_HDR`.
    pub mark: u32,
    /// 4 for an IPv4 packet and 41 for an IPv6 packet in the mode `MUENNET_MODE_NET_HDR`, 0 in
    /// other modes.
    pub protocol: u32,
    /// See `muennet_result`; else 0.
    pub found: u64,
    /// See `muennet_result`; else 0.
    pub expected: u64,
}

/// Room for one frame of a burst.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Arrival {
    /// Where the frame goes; given by the caller.
    pub buffer: *mut c_void,
    /// Bytes of the buffer; given by the caller.
    pub room: usize,
    /// The frame; filled in by the call.
    pub frame: Frame,
    /// Filled in by the call: success, a rejection, `MUENNET_RESULT_OVERRUN` where the peer
    /// overwrote the frame meanwhile, or `MUENNET_RESULT_EMPTY` where none arrived.
    pub result: Code,
}

/// The elements that a burst took, or the numbers that go with another result.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Burst {
    /// Elements that were taken: as many arrivals, from the first on, have a result.
    pub taken: usize,
    /// Number of elements at the start that the peer overwrote meanwhile.
    pub lost: usize,
    /// See `muennet_result`; else 0.
    pub found: u64,
    /// See `muennet_result`; else 0.
    pub expected: u64,
}

impl From<Said> for Frame {
    fn from(said: Said) -> Self {
        Self {
            found: said.found,
            expected: said.expected,
            ..Self::default()
        }
    }
}

impl From<Said> for Burst {
    fn from(said: Said) -> Self {
        Self {
            found: said.found,
            expected: said.expected,
            ..Self::default()
        }
    }
}
