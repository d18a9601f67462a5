// SPDX-License-Identifier: GPL-2.0-only

//! The crate that the compiler wants beside `core`. Its functions are for numbers that
//! a kernel does not use, or the kernel has them (`memcpy`).

#![allow(internal_features)]
#![feature(compiler_builtins)]
#![compiler_builtins]
#![no_builtins]
#![no_std]
