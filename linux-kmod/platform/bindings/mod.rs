// SPDX-License-Identifier: GPL-2.0-only

//! Bindings to PCI and mappings, made by bindgen from `bindings.h` and `helpers.h`.

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

type __kernel_size_t = usize;
type __kernel_ssize_t = isize;
type __kernel_ptrdiff_t = isize;

include!(env!("MUENNET_BINDINGS"));

// SAFETY: numbers, and pointers that may be null.
unsafe impl pin_init::Zeroable for pci_driver {}
