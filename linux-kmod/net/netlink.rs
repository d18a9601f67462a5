// SPDX-License-Identifier: GPL-2.0-only

//! Netlink: attributes in, attributes out, and what is said of a refusal.
//!
//! C headers: `include/net/netlink.h`, `include/linux/netlink.h`

use crate::bindings;
use core::{fmt::Write, slice};
use kernel::{error::to_result, prelude::*};

/// The attributes of a request, checked against a policy.
pub(crate) struct Attributes<'a>(&'a [*mut bindings::nlattr]);

impl<'a> Attributes<'a> {
    /// # Safety
    ///
    /// `table` is null or has `len` entries, null or checked attributes, for as
    /// long as the value is used.
    pub(super) unsafe fn from_raw(table: *mut *mut bindings::nlattr, len: usize) -> Self {
        if table.is_null() {
            return Self(&[]);
        }
        // SAFETY: by the caller's promise.
        Self(unsafe { slice::from_raw_parts(table, len) })
    }

    fn get(&self, attribute: usize) -> Option<*mut bindings::nlattr> {
        self.0.get(attribute).copied().filter(|found| !found.is_null())
    }

    /// A number. The policy must have it as [`Policy::number`].
    pub(crate) fn number(&self, attribute: usize) -> Option<u32> {
        // SAFETY: a checked attribute of four bytes, by the policy.
        self.get(attribute).map(|found| unsafe { bindings::muennet_nla_get_u32(found) })
    }

    /// The bytes of a text, without a NUL at its end.
    pub(crate) fn text(&self, attribute: usize) -> Option<&'a [u8]> {
        let found = self.get(attribute)?;
        // SAFETY: a checked attribute has as many bytes as it says. CAST: lengths
        // are not negative.
        let bytes = unsafe {
            let len = bindings::muennet_nla_len(found) as usize;
            slice::from_raw_parts(bindings::muennet_nla_data(found).cast::<u8>(), len)
        };
        bytes.split(|byte| *byte == 0).next()
    }
}

/// The type that an attribute must have.
#[repr(transparent)]
pub(crate) struct Policy(bindings::nla_policy);

// SAFETY: what is made here holds no pointers.
unsafe impl Sync for Policy {}

impl Policy {
    /// Not an attribute.
    pub(crate) const NONE: Self = Self(pin_init::zeroed());

    const fn of(kind: u32, len: u16) -> Self {
        // CAST: the kernel's own width.
        Self(bindings::nla_policy {
            type_: kind as u8,
            len,
            ..pin_init::zeroed()
        })
    }

    /// A u32.
    pub(crate) const fn number() -> Self {
        Self::of(bindings::NLA_U32, 0)
    }

    /// A text of at most `len` bytes, with a NUL at its end or without.
    pub(crate) const fn text(len: u16) -> Self {
        Self::of(bindings::NLA_STRING, len)
    }

    pub(super) const fn as_raw(policies: &'static [Self]) -> *const bindings::nla_policy {
        policies.as_ptr().cast()
    }
}

/// Carries the reason of a refusal to the sender of a request.
#[derive(Clone, Copy)]
pub(crate) struct Ack(*mut bindings::netlink_ext_ack);

impl Ack {
    /// # Safety
    ///
    /// `ack` is null, or valid for as long as the value is used.
    pub(super) unsafe fn from_raw(ack: *mut bindings::netlink_ext_ack) -> Self {
        Self(ack)
    }

    /// Says why, and gives the errno for it.
    pub(crate) fn refuse(&self, errno: Error, why: core::fmt::Arguments<'_>) -> Error {
        // SAFETY: null or valid, by the contract of `from_raw`.
        if let Some(ack) = unsafe { self.0.as_mut() } {
            // SAFETY: room of that many bytes, until the answer is sent.
            let room = unsafe {
                let start = bindings::muennet_ack_room(ack);
                slice::from_raw_parts_mut(start, bindings::MUENNET_ACK_ROOM as usize)
            };
            ack._msg = room.as_ptr();
            // What does not fit is cut off.
            let _ = Text { room, used: 0 }.write_fmt(why);
        }
        errno
    }
}

/// A NUL-terminated text of limited length.
struct Text<'a> {
    room: &'a mut [kernel::ffi::c_char],
    used: usize,
}

impl Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let last = self.room.len().saturating_sub(1);
        for byte in text.bytes().take(last.saturating_sub(self.used)) {
            if let Some(place) = self.room.get_mut(self.used) {
                *place = byte as _;
                self.used += 1;
            }
        }
        if let Some(end) = self.room.get_mut(self.used) {
            *end = 0;
        }
        Ok(())
    }
}

/// A message that is being filled.
pub(crate) struct Message(*mut bindings::sk_buff);

impl Message {
    /// # Safety
    ///
    /// `skb` is valid for as long as the value is used, and a netlink message.
    pub(super) unsafe fn from_raw(skb: *mut bindings::sk_buff) -> Self {
        Self(skb)
    }

    fn put(&mut self, attribute: u16, bytes: &[u8]) -> Result {
        // SAFETY: a valid message, and as many bytes as are said. CAST: short.
        to_result(unsafe {
            bindings::nla_put(self.0, attribute.into(), bytes.len() as i32, bytes.as_ptr().cast())
        })
    }

    /// Appends a text.
    pub(crate) fn text(&mut self, attribute: u16, text: &CStr) -> Result {
        self.put(attribute, text.to_bytes_with_nul())
    }

    /// Appends a u8.
    pub(crate) fn byte(&mut self, attribute: u16, number: u8) -> Result {
        self.put(attribute, &[number])
    }

    /// Appends a u32.
    pub(crate) fn number(&mut self, attribute: u16, number: u32) -> Result {
        self.put(attribute, &number.to_ne_bytes())
    }

    /// Appends an array of u32.
    pub(crate) fn numbers(&mut self, attribute: u16, numbers: &[u32]) -> Result {
        // SAFETY: a valid message, and as many bytes as are said. CAST: short.
        to_result(unsafe {
            let len = size_of_val(numbers) as i32;
            bindings::nla_put(self.0, attribute.into(), len, numbers.as_ptr().cast())
        })
    }

    /// Appends a u64, with `pad` where it must be aligned.
    pub(crate) fn long(&mut self, attribute: u16, number: u64, pad: u16) -> Result {
        // SAFETY: a valid message.
        to_result(unsafe {
            bindings::muennet_nla_put_u64(self.0, attribute.into(), number, pad.into())
        })
    }
}
