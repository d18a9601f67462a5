// SPDX-License-Identifier: GPL-2.0-only

//! The module's parameters: from the strings of `parameters.c` to checked
//! interfaces.

use core::{
    ffi::{c_char, CStr},
    fmt::Display,
};
use kernel::{error::Error, prelude::*};
use muennet_core::config::{ConfigError, Errno, Interface, Lists, Parameter, MAX_INTERFACES};

/// The load is refused, and the log says which parameter, which entry, which value and why:
/// there is no other way to make one. So no error of the load path goes without a line.
pub(crate) struct Refused(Error);

impl Refused {
    /// Says why entry `position` of `parameter` cannot be used.
    pub(crate) fn new(
        parameter: Parameter,
        position: usize,
        value: impl Display,
        why: impl Display,
        error: Error,
    ) -> Self {
        pr_err!(
            "{}\n",
            core::format_args!("parameter {parameter}, entry {position}, value \"{value}\": {why}")
        );
        Self(error)
    }

    /// The same for an error of the kernel.
    pub(crate) fn by_kernel(
        parameter: Parameter,
        position: usize,
        value: impl Display,
        what: &str,
        error: Error,
    ) -> Self {
        let number = error.to_errno();
        Self::new(parameter, position, value, core::format_args!("{what} ({number})"), error)
    }

    /// The errno for the loader.
    fn errno(self) -> Error {
        self.0
    }
}

impl From<ConfigError<'_>> for Refused {
    fn from(error: ConfigError<'_>) -> Self {
        pr_err!("{}\n", core::format_args!("{error}"));
        Self(match error.errno() {
            Errno::Perm => EPERM,
            Errno::Nxio => ENXIO,
            Errno::Inval => EINVAL,
        })
    }
}

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

/// The string at `pointer`, entry `position` of `parameter`; `None` for a null pointer.
fn text(
    parameter: Parameter,
    position: usize,
    pointer: *const c_char,
) -> Result<Option<&'static str>, Refused> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: the kernel keeps the NUL-terminated strings while the module is loaded.
    let text = unsafe { CStr::from_ptr(pointer.cast()) };
    text.to_str().map(Some).map_err(|_| {
        let value = text.to_bytes().escape_ascii();
        Refused::new(parameter, position, value, "not UTF-8", EINVAL)
    })
}

/// The strings of one list.
struct List {
    entries: [&'static str; MAX_INTERFACES],
    len: usize,
}

impl List {
    fn new(
        parameter: Parameter,
        (strings, count): (&'static [*const c_char; MAX_INTERFACES], i32),
    ) -> Result<Self, Refused> {
        let mut list = Self {
            entries: [""; MAX_INTERFACES],
            len: usize::try_from(count).unwrap_or(0).min(MAX_INTERFACES),
        };
        let entries = list.entries.iter_mut().zip(strings).take(list.len);
        for (position, (entry, string)) in (1..).zip(entries) {
            *entry = text(parameter, position, *string)?.unwrap_or("");
        }
        Ok(list)
    }

    fn as_slice(&self) -> &[&'static str] {
        self.entries.get(..self.len).unwrap_or(&[])
    }
}

/// Calls `with` for each interface that the parameters describe, after all of
/// them were checked.
pub(crate) fn for_each(with: impl FnMut(&Interface<'_>) -> Result<(), Refused>) -> Result {
    try_each(with).map_err(Refused::errno)
}

fn try_each(mut with: impl FnMut(&Interface<'_>) -> Result<(), Refused>) -> Result<(), Refused> {
    use Parameter::*;
    let name = List::new(Name, list!(muennet_name, muennet_name_count))?;
    let input = List::new(In, list!(muennet_in, muennet_in_count))?;
    let output = List::new(Out, list!(muennet_out, muennet_out_count))?;
    let reader_protocol = List::new(
        ReaderProtocol,
        list!(muennet_reader_protocol, muennet_reader_protocol_count),
    )?;
    let writer_protocol = List::new(
        WriterProtocol,
        list!(muennet_writer_protocol, muennet_writer_protocol_count),
    )?;
    let mtu = List::new(Mtu, list!(muennet_mtu, muennet_mtu_count))?;
    let pmtu = List::new(Pmtu, list!(muennet_pmtu, muennet_pmtu_count))?;
    let flags = List::new(Flags, list!(muennet_flags, muennet_flags_count))?;
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
        poll: text(Poll, 1, unsafe { muennet_poll })?,
    };
    for interface in lists.interfaces() {
        interface?;
    }
    for entry in lists.ignored() {
        pr_warn!("{}\n", core::format_args!("{entry}"));
    }
    for interface in lists.interfaces().flatten() {
        with(&interface)?;
    }
    Ok(())
}
