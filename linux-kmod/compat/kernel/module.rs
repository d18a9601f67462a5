// SPDX-License-Identifier: GPL-2.0-only

//! Loading and unloading a module, and what `modinfo` shows of it.

use crate::{error::Result, ffi::c_void};

/// A module while it is loaded; unloading drops it.
pub trait Module: Sized + Sync + Send {
    /// Called when the module is loaded.
    fn init(module: &'static ThisModule) -> Result<Self>;
}

/// The module's `THIS_MODULE`.
pub struct ThisModule(*mut c_void);

// SAFETY: a number.
unsafe impl Sync for ThisModule {}

impl ThisModule {
    /// # Safety
    ///
    /// `module` is the module's own.
    pub const unsafe fn from_ptr(module: *mut c_void) -> Self {
        Self(module)
    }

    /// The `struct module`.
    pub const fn as_ptr(&self) -> *mut c_void {
        self.0
    }
}

/// The bytes of a line of `.modinfo`.
pub const fn modinfo<const N: usize>(line: &str) -> [u8; N] {
    let mut bytes = [0; N];
    let mut at = 0;
    while at < N {
        bytes[at] = line.as_bytes()[at];
        at += 1;
    }
    bytes
}

/// Makes a module of a type that is a [`Module`].
#[macro_export]
macro_rules! module {
    (
        type: $type:ty,
        name: $name:literal,
        authors: [$($author:literal),* $(,)?],
        description: $description:literal,
        license: $license:literal $(,)?
    ) => {
        pub(crate) const __LOG_PREFIX: &str = $name;

        $($crate::module!(@info "author=", $author);)*
        $crate::module!(@info "description=", $description);
        $crate::module!(@info "license=", $license);

        const _: () = {
            extern "C" {
                static mut __this_module: u8;
            }

            // SAFETY: the module's own.
            static THIS_MODULE: $crate::ThisModule =
                unsafe { $crate::ThisModule::from_ptr((&raw mut __this_module).cast()) };

            /// The module while it is loaded. The kernel calls the functions below one
            /// after the other.
            static mut LOADED: Option<$type> = None;

            #[no_mangle]
            extern "C" fn compat_init() -> i32 {
                match <$type as $crate::Module>::init(&THIS_MODULE) {
                    Ok(module) => {
                        // SAFETY: nobody else is here.
                        unsafe { (&raw mut LOADED).write(Some(module)) };
                        0
                    }
                    Err(error) => error.to_errno(),
                }
            }

            #[no_mangle]
            extern "C" fn compat_exit() {
                // SAFETY: nobody else is here.
                drop(unsafe { (&raw mut LOADED).replace(None) });
            }
        };
    };
    (@info $key:literal, $value:literal) => {
        const _: () = {
            const LINE: &str = ::core::concat!($key, $value, "\0");
            #[link_section = ".modinfo"]
            #[used]
            static INFO: [u8; LINE.len()] = $crate::modinfo(LINE);
        };
    };
}
