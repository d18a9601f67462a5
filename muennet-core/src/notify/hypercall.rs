// SPDX-License-Identifier: MIT OR Apache-2.0
//! Muen's hypercall, for native subjects. Linux subjects go through their kernel.

use super::Notifier;

/// An event that is rung by a hypercall.
///
/// ```
/// use muennet_core::{notify::Hypercall, sinfo::Resource};
///
/// /// The bell of a channel, of a subject of Muen with its `event`.
/// ///
/// /// # Safety
/// ///
/// /// As for [`Hypercall::new`].
/// unsafe fn bell(event: &Resource) -> Option<Hypercall> {
///     // SAFETY: the caller's promise.
///     event.number().map(|number| unsafe { Hypercall::new(number) })
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Hypercall {
    event: u8,
}

impl Hypercall {
    /// The event of that number, as the subject information has it: a resource of
    /// kind [`Event`](crate::sinfo::Kind::Event) with the channel's name.
    ///
    /// # Safety
    ///
    /// The program runs as a Muen subject, with the privilege to call its
    /// hypervisor; elsewhere the call is an invalid instruction, or means
    /// something else. The subject's policy lets nothing happen at this event
    /// but the wake-up of the channel's reader.
    pub const unsafe fn new(event: u8) -> Self {
        Self { event }
    }
}

impl Notifier for Hypercall {
    #[inline]
    fn notify(&self) {
        // SAFETY: `new` made the caller promise that this is a Muen subject and
        // the event harmless. The kernel keeps all registers, and touches no memory
        // of this program. Without `nomem`, all writes to the channel come before it.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            core::arch::asm!("vmcall", in("rax") u64::from(self.event), options(nostack));
        }
        // SAFETY: as above. The barrier makes the write count visible to the reader
        // before the event is: woken earlier, it would find nothing and sleep on.
        #[cfg(target_arch = "aarch64")]
        unsafe {
            core::arch::asm!(
                "dsb ishst",
                "hvc #1",
                in("x0") u64::from(self.event),
                options(nostack)
            );
        }
    }
}
