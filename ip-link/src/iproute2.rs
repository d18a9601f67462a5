// SPDX-License-Identifier: MIT OR Apache-2.0
//! Functions and types of `ip` (iproute2: `ip/ip_common.h`, `include/json_print.h`,
//! `include/libnetlink.h`).

use std::ffi::{c_char, c_int, c_uint, c_void};

/// A C stream.
pub type File = c_void;
/// A netlink message.
pub type Message = c_void;

/// Bytes of `ip`'s requests.
pub const ROOM: c_int = 1024;
/// Output as text and as JSON.
pub const PRINT_ANY: c_int = 4;
/// No colour.
pub const COLOR_NONE: c_int = 6;

/// `struct rtattr`; the value follows.
#[repr(C)]
pub struct Attribute {
    /// Bytes, with this header.
    pub len: u16,
    /// Its number.
    pub kind: u16,
}

type Parse = unsafe extern "C" fn(*mut LinkUtil, c_int, *mut *mut c_char, *mut Message) -> c_int;
type Print = unsafe extern "C" fn(*mut LinkUtil, *mut File, *mut *mut Attribute);
type PrintXstats = unsafe extern "C" fn(*mut LinkUtil, *mut File, *mut Attribute);
type Help = unsafe extern "C" fn(*mut LinkUtil, c_int, *mut *mut c_char, *mut File);
type ParseIflaXstats = unsafe extern "C" fn(*mut LinkUtil, c_int, *mut *mut c_char) -> c_int;
type PrintIflaXstats = unsafe extern "C" fn(*mut Message, *mut c_void) -> c_int;

/// `struct link_util`.
#[repr(C)]
pub struct LinkUtil {
    pub(crate) next: *mut LinkUtil,
    pub(crate) id: *const c_char,
    pub(crate) max_attribute: c_int,
    pub(crate) parse: Option<Parse>,
    pub(crate) print: Option<Print>,
    pub(crate) print_xstats: Option<PrintXstats>,
    pub(crate) help: Option<Help>,
    pub(crate) parse_ifla_xstats: Option<ParseIflaXstats>,
    pub(crate) print_ifla_xstats: Option<PrintIflaXstats>,
}

#[cfg(not(test))]
extern "C" {
    pub fn addattr32(message: *mut Message, room: c_int, kind: c_int, value: u32) -> c_int;
    pub fn open_json_array(kind: c_int, key: *const c_char);
    pub fn close_json_array(kind: c_int, delimiter: *const c_char);
    pub fn print_color_uint(
        kind: c_int,
        color: c_int,
        key: *const c_char,
        format: *const c_char,
        value: c_uint,
    ) -> c_int;
}
