// SPDX-License-Identifier: MIT OR Apache-2.0
//! Solo5's boot information: how a Muen policy passes a command line (`<bootparams>`).
//!
//! Muen's `mugensolo5` writes five words of 64 bits (memory size, end of the binary, TSC
//! frequency, address of the command line, address of a manifest), then the command line,
//! ended by NUL.

use super::{memory::copy, Trouble};
use core::ffi::CStr;
use muennet_core::sinfo::{Kind, MemoryKind, Sinfo};
use static_cell::ConstStaticCell;

/// Offset of the command line's address, and bytes of the five words.
const COMMAND_LINE: u64 = 24;
const HEADER: u64 = 40;
/// Bytes that a command line may have, with its NUL.
const MAX: usize = 1024;

static TEXT: ConstStaticCell<[u8; MAX]> = ConstStaticCell::new([0; MAX]);

/// The command line, if the policy passes one. To be called once.
///
/// # Errors
///
/// That the region holds no command line of up to 1023 bytes of UTF-8.
pub fn command_line(sinfo: &Sinfo<'_>) -> Result<Option<&'static str>, Trouble> {
    let region = sinfo
        .of_kind(Kind::Memory)
        .filter_map(|resource| resource.memory())
        .find(|memory| memory.kind == MemoryKind::Solo5BootInfo);
    let Some(region) = region else {
        return Ok(None);
    };
    let trouble = Trouble::BootInfo {
        address: region.address,
    };
    let end = region.address.checked_add(region.size).ok_or(trouble)?;
    let behind = region.address.checked_add(HEADER).ok_or(trouble)?;
    if behind >= end {
        return Err(trouble);
    }
    let mut word = [0; 8];
    // SAFETY: within the region, as just checked, which Muen maps for good.
    unsafe { copy(region.address + COMMAND_LINE, &mut word) };
    let start = u64::from_le_bytes(word);
    if !(behind..end).contains(&start) {
        return Err(trouble);
    }
    let text = TEXT.take();
    let len = (end - start).min(MAX as u64);
    // CAST: at most `MAX`.
    let text = &mut text[..len as usize];
    // SAFETY: within the region, as just checked.
    unsafe { copy(start, text) };
    let text = CStr::from_bytes_until_nul(text).map_err(|_| trouble)?;
    text.to_str().map(Some).map_err(|_| trouble)
}
