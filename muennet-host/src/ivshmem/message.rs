// SPDX-License-Identifier: MIT OR Apache-2.0
//! Messages of the protocol: a number, and maybe a file descriptor.

use rustix::{
    io::Errno,
    net::{
        recvmsg, send, sendmsg, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags,
        SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    },
};
use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::{
        fd::{BorrowedFd, OwnedFd},
        unix::net::UnixStream,
    },
};

/// Version of the protocol, the first message.
pub const VERSION: i64 = 0;
/// The number that comes with the shared memory.
pub const MEMORY: i64 = -1;
/// Bytes of a message.
pub const SIZE: usize = 8;

/// Sends a message from its byte `sent` on, without waiting; gives how many bytes the
/// system took. A descriptor goes with the first byte.
///
/// # Errors
///
/// The error of the operating system; a full buffer is one, too.
pub fn send_from(
    socket: &UnixStream,
    number: i64,
    descriptor: Option<BorrowedFd<'_>>,
    sent: usize,
) -> Result<usize, Errno> {
    let bytes = number.to_le_bytes();
    let rest = bytes.get(sent..).unwrap_or_default();
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    let Some(descriptor) = descriptor.filter(|_| sent == 0) else {
        return send(socket, rest, flags);
    };
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = [descriptor];
    // The space is that of one descriptor.
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    sendmsg(socket, &[IoSlice::new(rest)], &mut control, flags)
}

/// Receives a message; `None` at the end of the stream. Of the descriptors that come with
/// it the last is kept.
///
/// # Errors
///
/// The error of the operating system, or that the stream ended within a message.
pub fn receive(socket: &UnixStream) -> io::Result<Option<(i64, Option<OwnedFd>)>> {
    let mut bytes = [0; SIZE];
    let mut descriptor = None;
    let mut filled = 0;
    while filled < SIZE {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let parts = &mut [IoSliceMut::new(&mut bytes[filled..])];
        let received = match recvmsg(socket, parts, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Err(Errno::INTR) => continue,
            received => received?,
        };
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                descriptor = descriptors.last().or(descriptor);
            }
        }
        if received.bytes == 0 {
            return if filled == 0 {
                Ok(None)
            } else {
                Err(io::ErrorKind::UnexpectedEof.into())
            };
        }
        filled += received.bytes;
    }
    Ok(Some((i64::from_le_bytes(bytes), descriptor)))
}
