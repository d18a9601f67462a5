// SPDX-License-Identifier: MIT OR Apache-2.0
//! Telling the peer that there is something to read.

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[expect(unsafe_code, reason = "a hypercall is an instruction")]
mod hypercall;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub use hypercall::Hypercall;

/// Rings the event of a channel.
///
/// Events may be lost or spurious; each one only means: look at the channel.
///
/// ```
/// use core::cell::Cell;
/// use muennet_core::notify::Notifier;
///
/// #[derive(Default)]
/// struct Counted(Cell<u32>);
///
/// impl Notifier for Counted {
///     fn notify(&self) {
///         self.0.set(self.0.get() + 1);
///     }
/// }
///
/// let notifier = Counted::default();
/// notifier.notify();
/// assert_eq!(notifier.0.get(), 1);
/// ```
pub trait Notifier {
    /// Rings once; never blocks.
    fn notify(&self);
}

/// No event: the peer polls.
impl Notifier for () {
    #[inline]
    fn notify(&self) {}
}

impl<N: Notifier> Notifier for Option<N> {
    #[inline]
    fn notify(&self) {
        if let Some(notifier) = self {
            notifier.notify();
        }
    }
}

impl<N: Notifier + ?Sized> Notifier for &N {
    #[inline]
    fn notify(&self) {
        (**self).notify();
    }
}
