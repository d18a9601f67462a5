// SPDX-License-Identifier: GPL-2.0-only

//! Keeping softirqs off this CPU, and the caller on it, for a moment.

use crate::bindings;

/// Calls `work` with softirqs disabled; those that came up run afterwards.
pub(crate) fn without<T>(work: impl FnOnce() -> T) -> T {
    // SAFETY: balanced below.
    unsafe { bindings::muennet_local_bh_disable() };
    let result = work();
    // SAFETY: balances the call above.
    unsafe { bindings::muennet_local_bh_enable() };
    result
}
