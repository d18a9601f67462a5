// SPDX-License-Identifier: MIT OR Apache-2.0
//! Results: one code for each case of the library's own errors, and for each misuse.

use core::ffi::{c_char, CStr};
use muennet_core::{
    channel::{Fault, GeometryError, Peer},
    framing::{FrameError, MtuError, Reject},
    link::SendError,
    shm::RegionError,
    sinfo::SinfoError,
};

/// Results of calls. 0 is success; the other codes do not change once they are assigned.
///
/// `found` and `expected` name the fields of `muennet_frame` and `muennet_burst` that hold the
/// numbers which go with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum Code {
    /// Done; of a receive call: a frame lies in the buffer.
    Ok = 0,

    /// Nothing new.
    Empty = 1,
    /// The peer's writer is inactive.
    Inactive = 2,
    /// The peer started a new epoch, `found`; its frames come next.
    NewEpoch = 3,
    /// The peer was faster and overwrote `found` frames.
    Overrun = 4,

    /// Rejected: the length field `found` exceeds the `expected` bytes that are accepted.
    RejectTooLong = 16,
    /// Rejected: the length field `found` is below a header's `expected` bytes.
    RejectTooShort = 17,
    /// Rejected: the protocol number `found` is neither 4 (IPv4) nor 41 (IPv6).
    RejectUnknownProtocol = 18,
    /// Rejected: IP version `found` where the protocol number says `expected`.
    RejectVersion = 19,
    /// Rejected: the IP header says `found` bytes, more than the `expected` of the length field.
    RejectLengthMismatch = 20,
    /// Rejected: the buffer has no room for the frame of `found` bytes, which is dropped.
    RejectNoRoom = 21,

    /// The peer's channel has the transport number `found`, not that of SHMStream 2 (`expected`).
    FaultTransport = 32,
    /// The peer's channel has the protocol `found`, not `expected` as configured.
    FaultProtocol = 33,
    /// The peer's element size is `found` bytes, below the least of `expected`.
    FaultElementSize = 34,
    /// The peer's element count is 0.
    FaultNoElements = 35,
    /// The peer's `expected` elements of `found` bytes do not fit into the region.
    FaultBeyondRegion = 36,
    /// The peer's write count is `found`, and was `expected` before.
    FaultWrittenBackwards = 37,
    /// The peer's write start count `found` is below the write count `expected`.
    FaultStartedBehindWritten = 38,

    /// Not sent: no epoch was started; call `muennet_activate` first.
    SendInactive = 48,
    /// Not sent: the frame is longer than an element takes.
    FrameTooLong = 49,
    /// Not sent: the frame is shorter than its header.
    FrameTooShort = 50,
    /// Not sent: the packet is neither IPv4 nor IPv6.
    FrameNotIp = 51,
    /// Not sent: the checksum to be filled in does not lie in the frame.
    FrameChecksum = 52,

    /// Not opened: a region has fewer bytes than a channel's header of 64.
    RegionTooSmall = 64,
    /// Not opened: the address of a region is not a multiple of 8.
    RegionMisaligned = 65,
    /// Not opened: a region has no room for one element; make it larger or the MTU smaller.
    GeometryTooSmall = 66,
    /// Not opened: an element must have at least one byte.
    GeometryNoElementSize = 67,
    /// Not opened: the mode does not carry this MTU.
    Mtu = 68,

    /// Subject information: fewer bytes than it needs.
    SinfoTooShort = 80,
    /// Subject information: another magic number.
    SinfoMagic = 81,
    /// Subject information: a version other than 3, 4 and 5.
    SinfoVersion = 82,
    /// Subject information: the subject's name is longer than its field.
    SinfoSubjectName = 83,
    /// Subject information: more resources than there can be.
    SinfoTooManyResources = 84,
    /// Subject information: a resource's name is longer than its field.
    SinfoResourceName = 85,
    /// Subject information: there is no such resource.
    NotFound = 86,

    /// Misuse: a pointer that must not be null is.
    NullPointer = 96,
    /// Misuse: the address of a structure is not a multiple of its alignment.
    Misaligned = 97,
    /// Misuse: `muennet_open` has not opened this link, or `muennet_close` has closed it.
    NotOpen = 98,
    /// Misuse: a call on this link is under way: of another thread, of the code that an
    /// interrupt handler interrupted, or the one whose notifier makes this call.
    Busy = 99,
    /// Misuse: the configuration has neither input nor output.
    NoChannel = 100,
    /// Misuse: the link has no input.
    NoInput = 101,
    /// Misuse: the link has no output.
    NoOutput = 102,
    /// Misuse: a protocol must not be 0.
    ZeroProtocol = 103,
    /// Misuse: an epoch must not be 0.
    ZeroEpoch = 104,
    /// Misuse: a number that names no `muennet_mode`.
    UnknownMode = 105,
    /// Misuse: a number that names no `muennet_resume`.
    UnknownResume = 106,
    /// Misuse: a number that names no `muennet_kind`.
    UnknownKind = 107,
    /// Misuse: a flag that is not defined.
    UnknownFlag = 108,
    /// Misuse: a region reaches beyond the end of the address space.
    RegionWraps = 109,
    /// Misuse: input and output overlap.
    RegionsOverlap = 110,
    /// Misuse: more frames in one call than `MUENNET_BATCH`.
    TooManyFrames = 111,
    /// Misuse: more fragments in one call than `MUENNET_PARTS`.
    TooManyParts = 112,
    /// Misuse: a name is empty, longer than 63 bytes, or not UTF-8.
    BadName = 113,

    /// A case that this version of the header does not know.
    Other = 127,
}

/// A code with the two numbers that belong to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said {
    pub(crate) code: Code,
    pub(crate) found: u64,
    pub(crate) expected: u64,
}

impl From<Code> for Said {
    #[inline]
    fn from(code: Code) -> Self {
        Self::new(code, 0, 0)
    }
}

impl Said {
    #[inline]
    pub(crate) fn new(code: Code, found: u64, expected: u64) -> Self {
        Self {
            code,
            found,
            expected,
        }
    }
}

impl From<Reject> for Said {
    fn from(reject: Reject) -> Self {
        // CAST: usize is at most 64 bits on every target.
        match reject {
            Reject::TooLong { found, max } => {
                Self::new(Code::RejectTooLong, found as u64, max as u64)
            }
            Reject::TooShort { found, min } => {
                Self::new(Code::RejectTooShort, found as u64, min as u64)
            }
            Reject::UnknownProtocol { found } => {
                Self::new(Code::RejectUnknownProtocol, found.into(), 0)
            }
            Reject::Version { found, expected } => {
                Self::new(Code::RejectVersion, found.into(), expected.into())
            }
            Reject::LengthMismatch { ip, field } => {
                Self::new(Code::RejectLengthMismatch, ip as u64, field as u64)
            }
            Reject::NoRoom { len } => Self::new(Code::RejectNoRoom, len as u64, 0),
            _ => Code::Other.into(),
        }
    }
}

impl From<Fault> for Said {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Transport { found } => Self::new(
                Code::FaultTransport,
                found,
                muennet_core::channel::layout::TRANSPORT,
            ),
            Fault::Protocol { found, expected } => Self::new(Code::FaultProtocol, found, expected),
            // CAST: usize is at most 64 bits on every target.
            Fault::ElementSize { found, min } => {
                Self::new(Code::FaultElementSize, found, min as u64)
            }
            Fault::NoElements => Code::FaultNoElements.into(),
            Fault::BeyondRegion { size, elements, .. } => {
                Self::new(Code::FaultBeyondRegion, size, elements)
            }
            Fault::WrittenBackwards { found, seen } => {
                Self::new(Code::FaultWrittenBackwards, found, seen)
            }
            Fault::StartedBehindWritten { started, written } => {
                Self::new(Code::FaultStartedBehindWritten, started, written)
            }
            _ => Code::Other.into(),
        }
    }
}

/// Up is success, with the epoch.
impl From<Peer> for Said {
    fn from(peer: Peer) -> Self {
        match peer {
            Peer::Up { epoch } => Self::new(Code::Ok, epoch, 0),
            Peer::Down => Code::Inactive.into(),
            Peer::Faulty(fault) => fault.into(),
        }
    }
}

impl From<SendError> for Code {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Inactive => Self::SendInactive,
            SendError::Frame(error) => match error {
                FrameError::TooLong { .. } => Self::FrameTooLong,
                FrameError::TooShort { .. } => Self::FrameTooShort,
                FrameError::NotIp { .. } => Self::FrameNotIp,
                FrameError::Checksum { .. } => Self::FrameChecksum,
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

impl From<GeometryError> for Code {
    fn from(error: GeometryError) -> Self {
        match error {
            GeometryError::Region(error) => match error {
                RegionError::TooSmall { .. } => Self::RegionTooSmall,
                RegionError::Misaligned => Self::RegionMisaligned,
                _ => Self::Other,
            },
            GeometryError::TooSmall { .. } => Self::GeometryTooSmall,
            GeometryError::NoElementSize => Self::GeometryNoElementSize,
            _ => Self::Other,
        }
    }
}

impl From<MtuError> for Code {
    fn from(_: MtuError) -> Self {
        Self::Mtu
    }
}

impl From<SinfoError> for Code {
    fn from(error: SinfoError) -> Self {
        match error {
            SinfoError::TooShort { .. } => Self::SinfoTooShort,
            SinfoError::Magic { .. } => Self::SinfoMagic,
            SinfoError::Version { .. } => Self::SinfoVersion,
            SinfoError::SubjectName { .. } => Self::SinfoSubjectName,
            SinfoError::TooManyResources { .. } => Self::SinfoTooManyResources,
            SinfoError::ResourceName { .. } => Self::SinfoResourceName,
            _ => Self::Other,
        }
    }
}

/// Lists every code with its text once: a match that names a code twice, or misses one, does
/// not compile, and the list for looking a number up is the same.
macro_rules! texts {
    ($($code:ident: $text:literal,)*) => {
        const CODES: &[Code] = &[$(Code::$code),*];

        fn text(code: Code) -> &'static CStr {
            match code {
                $(Code::$code => $text,)*
            }
        }
    };
}

texts! {
    Ok: c"success",
    Empty: c"nothing new",
    Inactive: c"the peer's writer is inactive",
    NewEpoch: c"the peer started a new epoch",
    Overrun: c"the peer was faster and overwrote frames",
    RejectTooLong: c"rejected: the length field exceeds what is accepted",
    RejectTooShort: c"rejected: the length field is below a frame's header",
    RejectUnknownProtocol: c"rejected: the protocol number is neither 4 (IPv4) nor 41 (IPv6)",
    RejectVersion: c"rejected: the IP version is not the one of the protocol number",
    RejectLengthMismatch: c"rejected: the IP header says more bytes than the length field",
    RejectNoRoom: c"rejected: the buffer has no room for the frame",
    FaultTransport: c"the peer's channel is not SHMStream 2",
    FaultProtocol: c"the peer's channel has another protocol than configured",
    FaultElementSize: c"the peer's element size is too small for the mode",
    FaultNoElements: c"the peer's element count is 0",
    FaultBeyondRegion: c"the peer's elements do not fit into the region",
    FaultWrittenBackwards: c"the peer's write count runs backwards",
    FaultStartedBehindWritten: c"the peer's write start count is below its write count",
    SendInactive: c"the sender is inactive; call muennet_activate first",
    FrameTooLong: c"the frame is longer than an element takes",
    FrameTooShort: c"the frame is shorter than its header",
    FrameNotIp: c"the packet is neither IPv4 nor IPv6",
    FrameChecksum: c"the checksum to be filled in does not lie in the frame",
    RegionTooSmall: c"a region has fewer bytes than a channel's header of 64",
    RegionMisaligned: c"the address of a region is not a multiple of 8",
    GeometryTooSmall:
        c"a region has no room for one element; make it larger or the MTU smaller",
    GeometryNoElementSize: c"an element must have at least one byte",
    Mtu: c"the mode does not carry this MTU",
    SinfoTooShort: c"subject information has fewer bytes than it needs",
    SinfoMagic: c"subject information has another magic number",
    SinfoVersion: c"subject information has a version other than 3, 4 and 5",
    SinfoSubjectName: c"the subject's name is longer than its field",
    SinfoTooManyResources: c"subject information has more resources than there can be",
    SinfoResourceName: c"a resource's name is longer than its field",
    NotFound: c"there is no such resource",
    NullPointer: c"a pointer that must not be null is",
    Misaligned: c"the address of a structure is not a multiple of its alignment",
    NotOpen: c"the link is not open; call muennet_open first",
    Busy: c"a call on this link is under way",
    NoChannel: c"the configuration has neither input nor output",
    NoInput: c"the link has no input",
    NoOutput: c"the link has no output",
    ZeroProtocol: c"a protocol must not be 0",
    ZeroEpoch: c"an epoch must not be 0",
    UnknownMode: c"the mode names no muennet_mode",
    UnknownResume: c"the resume policy names no muennet_resume",
    UnknownKind: c"the kind names no muennet_kind",
    UnknownFlag: c"a flag is not defined",
    RegionWraps: c"a region reaches beyond the end of the address space",
    RegionsOverlap: c"input and output overlap",
    TooManyFrames: c"more frames in one call than MUENNET_BATCH",
    TooManyParts: c"more fragments in one call than MUENNET_PARTS",
    BadName: c"a name is empty, longer than 63 bytes, or not UTF-8",
    Other: c"a case that this version of the header does not know",
}

/// Gives the text for a result, in English, without a full stop.
///
/// `result` may be any number; one that is no `muennet_result` has a text as well. The text is
/// constant, ends with a NUL and must not be freed.
#[no_mangle]
#[expect(unsafe_code, reason = "the name alone: no other function has it")]
pub extern "C" fn muennet_message(result: u32) -> *const c_char {
    CODES
        .iter()
        // CAST: the discriminant of an enum without negative values.
        .find(|code| **code as u32 == result)
        .map_or(c"not a result of muennet", |code| text(*code))
        .as_ptr()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{string::String, vec::Vec};

    #[test]
    #[expect(unsafe_code, reason = "texts are read as C does")]
    fn each_code_has_a_text_of_its_own() {
        let mut texts: Vec<String> = CODES
            .iter()
            .map(|code| {
                // SAFETY: a constant text that ends with a NUL.
                let text = unsafe { CStr::from_ptr(muennet_message(*code as u32)) };
                text.to_str().unwrap().into()
            })
            .collect();
        let all = texts.len();
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), all);
        for unknown in [5, 128, u32::MAX] {
            // SAFETY: as above.
            let text = unsafe { CStr::from_ptr(muennet_message(unknown)) };
            assert_eq!(text, c"not a result of muennet");
        }
    }
}
