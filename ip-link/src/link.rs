// SPDX-License-Identifier: MIT OR Apache-2.0
//! Functions that `ip` calls.

use crate::{
    iproute2::{self, Attribute, File, LinkUtil, Message},
    mark,
};
use std::{
    ffi::{c_char, c_int, CStr},
    ptr, slice,
};

/// Attributes of the kind, as the driver has them.
const MARK: c_int = 1;
const MARKS: c_int = 2;

const HELP: &CStr = c"Usage: ... muennet [ mark MARK ]\n\nMARK := a number from 1 to 4294967295\n";

/// The symbol that `ip` looks for after loading this. It writes to `next`.
#[no_mangle]
#[allow(non_upper_case_globals)]
pub static mut muennet_link_util: LinkUtil = LinkUtil {
    next: ptr::null_mut(),
    id: c"muennet".as_ptr(),
    max_attribute: MARKS,
    parse: Some(parse),
    print: Some(print),
    print_xstats: None,
    help: Some(help),
    parse_ifla_xstats: None,
    print_ifla_xstats: None,
};

/// Parses what follows the kind on the command line.
unsafe extern "C" fn parse(
    _: *mut LinkUtil,
    count: c_int,
    words: *mut *mut c_char,
    message: *mut Message,
) -> c_int {
    // SAFETY: `ip` passes as many words as it says, NUL-terminated.
    let words: Vec<&CStr> = unsafe {
        slice::from_raw_parts(words, usize::try_from(count).unwrap_or(0))
            .iter()
            .map(|word| CStr::from_ptr(*word))
            .collect()
    };
    match mark::parse(&words) {
        Ok(None) => 0,
        // SAFETY: `ip`'s own message, with the room that it has.
        Ok(Some(mark)) => unsafe { iproute2::addattr32(message, iproute2::ROOM, MARK, mark) },
        Err(why) => {
            eprint!("{why}\n{}", HELP.to_string_lossy());
            -1
        }
    }
}

/// Shows the marks.
unsafe extern "C" fn print(_: *mut LinkUtil, _: *mut File, table: *mut *mut Attribute) {
    if table.is_null() {
        return;
    }
    // SAFETY: the table has `max_attribute` + 1 entries, null or whole attributes.
    let marks = unsafe {
        let attribute = *table.add(MARKS as usize);
        if attribute.is_null() {
            return;
        }
        let len = usize::from((*attribute).len).saturating_sub(size_of::<Attribute>());
        slice::from_raw_parts(attribute.add(1).cast::<u8>(), len)
    };
    // SAFETY: `ip`'s own printing, with formats that fit the values.
    unsafe {
        iproute2::open_json_array(iproute2::PRINT_ANY, c"marks".as_ptr());
        for mark in mark::all(marks) {
            let (any, none) = (iproute2::PRINT_ANY, iproute2::COLOR_NONE);
            iproute2::print_color_uint(any, none, ptr::null(), c" %u".as_ptr(), mark);
        }
        iproute2::close_json_array(iproute2::PRINT_ANY, c" ".as_ptr());
    }
}

unsafe extern "C" fn help(_: *mut LinkUtil, _: c_int, _: *mut *mut c_char, _: *mut File) {
    eprint!("{}", HELP.to_string_lossy());
}
