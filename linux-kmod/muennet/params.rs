// SPDX-License-Identifier: GPL-2.0-only

//! The module's parameters: from the strings of `parameters.c` to checked
//! interfaces.

use core::ffi::{c_char, CStr};
use kernel::{error::Error, prelude::*};
use muennet_core::config::{ConfigError, Interface, Lists, MAX_INTERFACES};

macro_rules! list {
    ($strings:ident, $count:ident) => {{
        extern "C" {
            static $strings: [*const c_char; MAX_INTERFACES];
            static $count: i32;
        }
        // SAFETY: written before the module's init function runs, and not again,
        // as no parameter is writable.
        unsafe { (&$strings, $count) }
    }};
}

extern "C" {
    static muennet_poll: *const c_char;
}

/// The string at `pointer`; `None` for a null pointer.
fn text(parameter: &str, pointer: *const c_char) -> Result<Option<&'static str>> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: the kernel keeps the NUL-terminated strings while the module is loaded.
    let text = unsafe { CStr::from_ptr(pointer.cast()) };
    text.to_str().map(Some).map_err(|_| {
        pr_err!("parameter {parameter}: not UTF-8\n");
        EINVAL
    })
}

/// The strings of one list.
struct List {
    entries: [&'static str; MAX_INTERFACES],
    len: usize,
}

impl List {
    fn new(
        parameter: &str,
        (strings, count): (&'static [*const c_char; MAX_INTERFACES], i32),
    ) -> Result<Self> {
        let mut list = Self {
            entries: [""; MAX_INTERFACES],
            len: usize::try_from(count).unwrap_or(0).min(MAX_INTERFACES),
        };
        for (entry, string) in list.entries.iter_mut().zip(strings).take(list.len) {
            *entry = text(parameter, *string)?.unwrap_or("");
        }
        Ok(list)
    }

    fn as_slice(&self) -> &[&'static str] {
        self.entries.get(..self.len).unwrap_or(&[])
    }
}

/// Says in the log what is wrong with a parameter, once, and gives its errno.
pub(crate) fn refuse(error: &ConfigError<'_>) -> Error {
    pr_err!("{}\n", core::format_args!("{error}"));
    Error::from_errno(-(error.errno() as i32))
}

/// Calls `with` for each interface that the parameters describe, after all of
/// them were checked.
pub(crate) fn for_each(mut with: impl FnMut(&Interface<'_>) -> Result) -> Result {
    let name = List::new("name", list!(muennet_name, muennet_name_count))?;
    let input = List::new("in", list!(muennet_in, muennet_in_count))?;
    let output = List::new("out", list!(muennet_out, muennet_out_count))?;
    let reader_protocol = List::new(
        "reader_protocol",
        list!(muennet_reader_protocol, muennet_reader_protocol_count),
    )?;
    let writer_protocol = List::new(
        "writer_protocol",
        list!(muennet_writer_protocol, muennet_writer_protocol_count),
    )?;
    let mtu = List::new("mtu", list!(muennet_mtu, muennet_mtu_count))?;
    let pmtu = List::new("pmtu", list!(muennet_pmtu, muennet_pmtu_count))?;
    let flags = List::new("flags", list!(muennet_flags, muennet_flags_count))?;
    let lists = Lists {
        name: name.as_slice(),
        input: input.as_slice(),
        output: output.as_slice(),
        reader_protocol: reader_protocol.as_slice(),
        writer_protocol: writer_protocol.as_slice(),
        mtu: mtu.as_slice(),
        pmtu: pmtu.as_slice(),
        flags: flags.as_slice(),
        // SAFETY: as for the lists.
        poll: text("poll", unsafe { muennet_poll })?,
    };
    for interface in lists.interfaces() {
        interface.map_err(|error| refuse(&error))?;
    }
    for entry in lists.ignored() {
        pr_warn!("{}\n", core::format_args!("{entry}"));
    }
    for interface in lists.interfaces().flatten() {
        with(&interface)?;
    }
    Ok(())
}
