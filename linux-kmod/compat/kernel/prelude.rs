// SPDX-License-Identifier: GPL-2.0-only

//! The names that every file takes.

pub use crate::{
    alloc::{flags::*, KBox, KVVec, KVec},
    error::{code::*, Error, Result},
    ffi::{
        c_char, c_int, c_long, c_longlong, c_schar, c_short, c_uchar, c_uint, c_ulong,
        c_ulonglong, c_ushort, c_void, CStr,
    },
    fmt, module, pr_err, pr_info, pr_warn,
    str::CStrExt as _,
    try_pin_init, ThisModule,
};
pub use core::pin::Pin;
pub use pin_init::{pin_data, pin_init, pinned_drop, PinInit, Zeroable};
