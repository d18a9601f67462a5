// SPDX-License-Identifier: MIT OR Apache-2.0
//! A test hook, called before every access to shared memory.
//!
//! A copy of many bytes counts as one access: whatever a peer can make of it while
//! it runs, it can make before it begins, as what is copied is not looked at.

#[cfg(not(feature = "hostile"))]
#[inline(always)]
pub(super) fn access() {}

#[cfg(feature = "hostile")]
pub use armed::{access, with};

#[cfg(feature = "hostile")]
mod armed {
    use core::cell::RefCell;
    use std::boxed::Box;

    type Hook = Box<dyn FnMut()>;

    std::thread_local! {
        static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
    }

    /// Runs `body`; on this thread `hook` is called before each of its accesses to
    /// shared memory.
    pub fn with<T>(hook: impl FnMut() + 'static, body: impl FnOnce() -> T) -> T {
        HOOK.set(Some(Box::new(hook)));
        let result = body();
        HOOK.set(None);
        result
    }

    /// An access is about to be made.
    pub fn access() {
        // Taken out meanwhile, so that what the hook does is not hooked.
        if let Some(mut hook) = HOOK.take() {
            hook();
            HOOK.set(Some(hook));
        }
    }
}
