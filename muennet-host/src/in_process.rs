// SPDX-License-Identifier: MIT OR Apache-2.0
//! Channels whose two ends are in one process: for tests, examples, and parts of
//! a program that shall talk as strangers do.

use crate::mapping::{Input, Output};
use anyhow::Result;
use muennet_core::{
    framing::Framing,
    link::{Link, Receiver, Sender},
};
use rustix::fs::{fcntl_add_seals, ftruncate, memfd_create, MemfdFlags, SealFlags};
use std::{io, num::NonZeroU64};

/// A link over mapped memory.
pub type HostLink<F, N> = Link<Input, Output, F, N>;

/// A channel of `len` bytes in memory that has no name: its writing and its
/// reading end.
///
/// # Errors
///
/// The error of the operating system.
pub fn channel(len: usize) -> io::Result<(Output, Input)> {
    let memory = memfd_create("channel", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    ftruncate(&memory, len as u64)?;
    fcntl_add_seals(&memory, SealFlags::SHRINK)?;
    Ok((Output::new(&memory, 0, len)?, Input::new(&memory, 0, len)?))
}

/// Two links that are each other's peer, with channels of `len` bytes. Each rings
/// the other by its notifier.
///
/// # Errors
///
/// The error of the operating system, or that no element fits.
pub fn links<F: Framing + Clone, A, B>(
    len: usize,
    protocol: NonZeroU64,
    framing: F,
    notifiers: (A, B),
) -> Result<(HostLink<F, A>, HostLink<F, B>)>
where
    A: muennet_core::notify::Notifier,
    B: muennet_core::notify::Notifier,
{
    let (output_a, input_b) = channel(len)?;
    let (output_b, input_a) = channel(len)?;
    Ok((
        Link {
            rx: Receiver::new(input_a, protocol, framing.clone())?,
            tx: Sender::new(output_a, protocol, framing.clone(), notifiers.0)?,
        },
        Link {
            rx: Receiver::new(input_b, protocol, framing.clone())?,
            tx: Sender::new(output_b, protocol, framing, notifiers.1)?,
        },
    ))
}
