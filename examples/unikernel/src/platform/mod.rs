// SPDX-License-Identifier: MIT OR Apache-2.0
//! Interface to the machine that the unikernel runs on. The platforms are apart
//! from each other and from the network: a new one is a folder here.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
pub mod x86;

#[cfg(not(platform = "virt"))]
mod memory;
#[cfg(platform = "muen")]
mod muen;
#[cfg(platform = "qemu")]
mod qemu;
#[cfg(platform = "virt")]
mod virt;

#[cfg(platform = "muen")]
pub use muen::{halt, log, Machine};
#[cfg(platform = "qemu")]
pub use qemu::{log, Machine};
#[cfg(platform = "virt")]
pub use virt::{end, halt, log, now};
#[cfg(platform = "qemu")]
pub use x86::halt;

// The only stack, in a section of its own; the linker script says where it ends.
#[cfg(not(platform = "qemu"))]
core::arch::global_asm!(
    ".section .stack, \"aw\", %nobits",
    ".zero 256 * 1024",
    ".text"
);

use core::ptr::NonNull;
use muennet_core::shm;
#[cfg(not(platform = "virt"))]
use {
    crate::trouble::Trouble,
    core::{convert::Infallible, num::NonZeroU64},
    muennet_core::{
        event::Events,
        notify::Notifier,
        sinfo::{self, Sinfo},
    },
};

/// A machine, of which there is one. It sleeps by [`Events`].
#[cfg(not(platform = "virt"))]
pub trait Platform: Events<Error = Infallible> + Sized {
    /// The bell of a peer.
    type Bell: Notifier;

    /// Finds out what the machine has. To be called once.
    ///
    /// # Errors
    ///
    /// The missing part.
    fn start(boot: u64) -> Result<Self, Trouble>;

    /// The words of the command line.
    fn command_line(&self) -> &'static str;

    /// True if a timer ends a sleep; otherwise a sleep with a limit keeps the processor busy.
    fn has_timer(&self) -> bool;

    /// The subject's resources.
    ///
    /// # Errors
    ///
    /// The fault.
    fn sinfo(&self) -> Result<Sinfo<'_>, Trouble>;

    /// Where the memory of a channel lies.
    ///
    /// # Errors
    ///
    /// That it lies beyond the memory there is.
    fn channel(&self, memory: &sinfo::Memory) -> Result<Place, Trouble>;

    /// Gives the bell of an event, if that event exists.
    fn bell(&self, event: u8) -> Option<Self::Bell>;

    /// Lets the interrupt of a vector end a sleep; false if this platform takes no
    /// interrupts, so that the channel must be polled.
    ///
    /// # Errors
    ///
    /// That there is no such vector.
    fn listen(&mut self, vector: u8) -> Result<bool, Trouble>;

    /// Microseconds since the start.
    fn now(&self) -> u64;

    /// A number that is another one at each start.
    fn random(&self) -> NonZeroU64;

    /// Ends the machine.
    fn shut_down(self) -> !;
}

/// Mapped memory of a channel.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    base: NonNull<u8>,
    len: usize,
}

impl Place {
    /// `len` bytes from `address` on; `None` at address 0.
    ///
    /// # Safety
    ///
    /// They stay mapped from now on, and nothing else in this program uses them.
    pub unsafe fn new(address: u64, len: u64) -> Option<Self> {
        let (address, len) = (usize::try_from(address).ok()?, usize::try_from(len).ok()?);
        let base = NonNull::new(core::ptr::with_exposed_provenance_mut(address))?;
        Some(Self { base, len })
    }
}

/// A channel to read.
#[derive(Debug)]
pub struct Input(pub Place);

/// A channel to write.
#[derive(Debug)]
pub struct Output(pub Place);

// SAFETY: mapped for good, by the contract of `Place::new`.
unsafe impl shm::Memory for Input {
    fn base(&self) -> NonNull<u8> {
        self.0.base
    }

    fn len(&self) -> usize {
        self.0.len
    }
}

// SAFETY: as for `Input`.
unsafe impl shm::Memory for Output {
    fn base(&self) -> NonNull<u8> {
        self.0.base
    }

    fn len(&self) -> usize {
        self.0.len
    }
}

// SAFETY: an `Output` is made of memory that the subject may write. A second one
// of the same channel would spoil its content and no memory of this program.
unsafe impl shm::MemoryMut for Output {}
