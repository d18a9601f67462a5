// SPDX-License-Identifier: GPL-2.0-only

//! Initialisers that can fail.

/// As `pin_init!`, with an error: the kernel's, unless another follows after `?`.
#[macro_export]
macro_rules! try_pin_init {
    ($(&$this:ident in)? $type:ident { $($fields:tt)* }) => {
        ::pin_init::__init!([$($this)?] [$type] [$crate::error::Error] $($fields)*)
    };
    ($(&$this:ident in)? $type:ident { $($fields:tt)* } ? $error:ty) => {
        ::pin_init::__init!([$($this)?] [$type] [$error] $($fields)*)
    };
}
