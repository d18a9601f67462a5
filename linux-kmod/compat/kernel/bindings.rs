// SPDX-License-Identifier: GPL-2.0-only

//! Bindings made by bindgen from `bindings.h` and `helpers.h`.

#![allow(
    dead_code,
    improper_ctypes,
    non_camel_case_types,
    non_upper_case_globals,
    non_snake_case,
    unknown_lints,
    unnecessary_transmutes,
    unsafe_op_in_unsafe_fn
)]

use crate::ffi;

type __kernel_size_t = usize;
type __kernel_ssize_t = isize;
type __kernel_ptrdiff_t = isize;

include!(env!("COMPAT_BINDINGS"));
