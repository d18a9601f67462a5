// SPDX-License-Identifier: MIT OR Apache-2.0
//! Messages of the protocol: a number, and maybe a file descriptor.

use std::{
    io,
    os::{
        fd::{FromRawFd, OwnedFd, RawFd},
        unix::net::UnixStream,
    },
};
use vmm_sys_util::sock_ctrl_msg::ScmSocket;

/// Version of the protocol, the first message.
pub const VERSION: i64 = 0;
/// The number that comes with the shared memory.
pub const MEMORY: i64 = -1;

const SIZE: usize = 8;

/// Sends a message; never blocks on a non-blocking socket.
pub fn send(socket: &UnixStream, number: i64, descriptor: Option<RawFd>) -> io::Result<()> {
    let bytes = number.to_le_bytes();
    let sent = match descriptor {
        Some(descriptor) => socket.send_with_fd(&bytes[..], descriptor),
        None => socket.send_with_fds(&[&bytes[..]], &[]),
    };
    match sent {
        Ok(SIZE) => Ok(()),
        // A stream socket splits only when its buffer is full: the reader is too slow.
        Ok(_) => Err(io::ErrorKind::WouldBlock.into()),
        Err(error) => Err(error.into()),
    }
}

/// Receives a message; `None` at the end of the stream.
pub fn receive(socket: &UnixStream) -> io::Result<Option<(i64, Option<OwnedFd>)>> {
    let mut bytes = [0; SIZE];
    let mut descriptor = None;
    let mut filled = 0;
    while filled < SIZE {
        let mut descriptors = [-1; 1];
        let mut parts = [rustix_iovec(&mut bytes[filled..])];
        // SAFETY: the one part is the private buffer above, valid for its length.
        let (count, passed) = unsafe { socket.recv_with_fds(&mut parts, &mut descriptors) }
            .map_err(io::Error::from)?;
        if passed > 0 {
            // SAFETY: the kernel just made this descriptor for us.
            descriptor = Some(unsafe { OwnedFd::from_raw_fd(descriptors[0]) });
        }
        if count == 0 {
            return if filled == 0 {
                Ok(None)
            } else {
                Err(io::ErrorKind::UnexpectedEof.into())
            };
        }
        filled += count;
    }
    Ok(Some((i64::from_le_bytes(bytes), descriptor)))
}

fn rustix_iovec(buffer: &mut [u8]) -> libc::iovec {
    libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    }
}
