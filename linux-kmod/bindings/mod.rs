// SPDX-License-Identifier: GPL-2.0-only

//! Bindings to the kernel's network devices, made by bindgen from `bindings.h`
//! and `helpers.h`: the kernel crate's own know `net_device` and `napi_struct`
//! only as opaque.

#![allow(
    clippy::all,
    dead_code,
    missing_docs,
    non_camel_case_types,
    non_upper_case_globals,
    non_snake_case,
    improper_ctypes,
    unknown_lints,
    unnecessary_transmutes,
    unreachable_pub,
    unsafe_op_in_unsafe_fn,
    clippy::undocumented_unsafe_blocks
)]

use kernel::ffi;
use pin_init::Zeroable;

type __kernel_size_t = usize;
type __kernel_ssize_t = isize;
type __kernel_ptrdiff_t = isize;

include!(env!("MUENNET_BINDINGS"));

/// Tables of the kernel that its own code fills in part, and clears the rest of.
macro_rules! zeroable {
    ($($table:ident),* $(,)?) => {
        $(
            // SAFETY: numbers, and pointers that may be null.
            unsafe impl Zeroable for $table {}
        )*
    };
}

zeroable!(
    ethtool_ops,
    file_operations,
    genl_family,
    genl_small_ops,
    net_device_ops,
    nla_policy,
    rtnl_link_ops,
);
