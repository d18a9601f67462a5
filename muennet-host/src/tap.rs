// SPDX-License-Identifier: MIT OR Apache-2.0
//! TAP and TUN devices: network interfaces of Linux whose other side is a program.

use rustix::{
    fs::{open, Mode, OFlags},
    io::Errno,
    ioctl::{ioctl, Opcode, Updater},
    net::{socket, AddressFamily, SocketType},
};
use std::{
    ffi::{c_char, c_int},
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};
use thiserror::Error;

const CONTROL: &str = "/dev/net/tun";

/// The kind of packets that the interface carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Ethernet frames: a TAP.
    Frames,
    /// IP packets: a TUN.
    Packets,
}

impl Kind {
    /// The word that `ip tuntap` has for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Frames => "tap",
            Self::Packets => "tun",
        }
    }

    fn flag(self) -> c_int {
        match self {
            Self::Frames => libc::IFF_TAP,
            Self::Packets => libc::IFF_TUN,
        }
    }
}

/// Why there is no interface to use.
#[derive(Debug, Error)]
pub enum TapError {
    /// The name does not fit.
    #[error(
        "interface name \"{0}\" is not between 1 and 15 bytes long, or holds a slash or space"
    )]
    Name(String),
    /// The kernel has no TUN driver.
    #[error("{CONTROL}: {0}; load the driver with modprobe tun")]
    NoDriver(io::Error),
    /// The user may not.
    #[error(
        "{name}: {cause}; run this as root, or have root make the interface for you: \
         ip tuntap add dev {name} mode {} user NAME", .kind.word()
    )]
    Permission {
        /// The interface.
        name: String,
        /// TAP or TUN.
        kind: Kind,
        /// The error of the operating system.
        cause: io::Error,
    },
    /// The MTU is not to be changed by this user.
    #[error(
        "{name}: its MTU is above {mtu}, the longest packet of the channel, and cannot be \
         lowered: {cause}; have root run: ip link set dev {name} mtu {mtu}"
    )]
    Mtu {
        /// The interface.
        name: String,
        /// The MTU that was asked for, in bytes.
        mtu: u16,
        /// The error of the operating system.
        cause: io::Error,
    },
    /// Another program has it.
    #[error("{0}: another program uses this interface; end it, or take another name")]
    Busy(String),
    /// An interface of that name is of another kind.
    #[error("{name}: there is an interface of this name that is no {}; take another name", .kind.word())]
    OtherKind {
        /// The interface.
        name: String,
        /// TAP or TUN.
        kind: Kind,
    },
    /// Anything else.
    #[error("{name}: cannot {doing}: {cause}")]
    System {
        /// The interface.
        name: String,
        /// The operation that failed.
        doing: &'static str,
        /// The error of the operating system.
        cause: io::Error,
    },
}

/// The program's side of an interface. Unless the interface was made to persist, it
/// goes away with the value.
#[derive(Debug)]
pub struct Tap {
    device: OwnedFd,
    name: String,
}

impl Tap {
    /// Makes the interface, without carrier, or takes over one that persists.
    ///
    /// # Errors
    ///
    /// [`TapError`] says what is wrong and what to do.
    pub fn open(kind: Kind, name: &str) -> Result<Self, TapError> {
        let mut request = request(name)?;
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let device = open(CONTROL, flags, Mode::empty()).map_err(|error| match error {
            Errno::NOENT | Errno::NODEV | Errno::NXIO => TapError::NoDriver(error.into()),
            Errno::ACCESS | Errno::PERM => TapError::Permission {
                name: name.to_owned(),
                kind,
                cause: error.into(),
            },
            error => system(name, "open /dev/net/tun", error),
        })?;
        // CAST: the flags have 16 bits.
        request.ifr_ifru.ifru_flags = (kind.flag() | libc::IFF_NO_PI) as _;
        // SAFETY: TUNSETIFF takes an ifreq.
        let set = unsafe { ask::<{ libc::TUNSETIFF as Opcode }, _>(&device, &mut request) };
        set.map_err(|error| match error {
            Errno::PERM | Errno::ACCESS => TapError::Permission {
                name: name.to_owned(),
                kind,
                cause: error.into(),
            },
            Errno::BUSY => TapError::Busy(name.to_owned()),
            Errno::INVAL => TapError::OtherKind {
                name: name.to_owned(),
                kind,
            },
            error => system(name, "make it", error),
        })?;
        let tap = Self {
            device,
            // A name with %d was filled in.
            name: name_in(&request),
        };
        tap.set_carrier(false)?;
        Ok(tap)
    }

    /// The interface's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Switches the carrier on or off.
    ///
    /// # Errors
    ///
    /// [`TapError::System`].
    pub fn set_carrier(&self, on: bool) -> Result<(), TapError> {
        let mut on = c_int::from(on);
        // SAFETY: TUNSETCARRIER takes an int.
        unsafe { ask::<{ libc::TUNSETCARRIER as Opcode }, _>(&self.device, &mut on) }
            .map_err(|error| system(&self.name, "switch its carrier", error))
    }

    /// The longest packet, in bytes.
    ///
    /// # Errors
    ///
    /// [`TapError::System`].
    pub fn mtu(&self) -> Result<i32, TapError> {
        let fail = |error| system(&self.name, "read its MTU", error);
        let mut request = request(&self.name)?;
        let any = socket(AddressFamily::INET, SocketType::DGRAM, None).map_err(fail)?;
        // SAFETY: SIOCGIFMTU takes an ifreq.
        unsafe { ask::<{ libc::SIOCGIFMTU as Opcode }, _>(&any, &mut request) }.map_err(fail)?;
        // SAFETY: the kernel has filled in this part of the union.
        Ok(unsafe { request.ifr_ifru.ifru_mtu })
    }

    /// Sees to it that no packet is longer than `mtu` bytes. An interface that was there
    /// before keeps a lower MTU, which is the administrator's; one that was just made gets
    /// `mtu`.
    ///
    /// # Errors
    ///
    /// [`TapError::Mtu`] when the MTU is to be changed and the user may not, or
    /// [`TapError::System`].
    pub fn fit_mtu(&self, mtu: u16) -> Result<(), TapError> {
        let now = self.mtu()?;
        if now == mtu.into() || (now < mtu.into() && self.persists()?) {
            return Ok(());
        }
        self.set_mtu(mtu)
    }

    /// True if the interface stays when its program ends.
    fn persists(&self) -> Result<bool, TapError> {
        let fail = |error| system(&self.name, "read its flags", error);
        let mut request = request(&self.name)?;
        // SAFETY: TUNGETIFF takes an ifreq.
        unsafe { ask::<{ libc::TUNGETIFF as Opcode }, _>(&self.device, &mut request) }
            .map_err(fail)?;
        // SAFETY: the kernel has filled in this part of the union.
        let flags = unsafe { request.ifr_ifru.ifru_flags };
        Ok(c_int::from(flags) & libc::IFF_PERSIST != 0)
    }

    /// Sets the longest packet, in bytes.
    fn set_mtu(&self, mtu: u16) -> Result<(), TapError> {
        let fail = |error| match error {
            Errno::PERM | Errno::ACCESS => TapError::Mtu {
                name: self.name.clone(),
                mtu,
                cause: error.into(),
            },
            error => system(&self.name, "set its MTU", error),
        };
        let mut request = request(&self.name)?;
        request.ifr_ifru.ifru_mtu = mtu.into();
        let any = socket(AddressFamily::INET, SocketType::DGRAM, None).map_err(fail)?;
        // SAFETY: SIOCSIFMTU takes an ifreq.
        unsafe { ask::<{ libc::SIOCSIFMTU as Opcode }, _>(&any, &mut request) }.map_err(fail)
    }

    /// Takes what Linux sent; `None` if there is nothing.
    ///
    /// # Errors
    ///
    /// [`TapError::System`] when the interface is gone.
    pub fn read(&self, buffer: &mut [u8]) -> Result<Option<usize>, TapError> {
        match rustix::io::read(&self.device, buffer) {
            Ok(len) => Ok(Some(len)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(None),
            Err(error) => Err(system(&self.name, "read from it", error)),
        }
    }

    /// Gives Linux a frame or packet; false if it does not take it, as while the
    /// interface is down.
    ///
    /// # Errors
    ///
    /// [`TapError::System`] when the interface is gone.
    pub fn write(&self, frame: &[u8]) -> Result<bool, TapError> {
        match rustix::io::write(&self.device, frame) {
            Ok(len) => Ok(len == frame.len()),
            Err(error @ (Errno::BADFD | Errno::BADF)) => {
                Err(system(&self.name, "write to it", error))
            }
            Err(_) => Ok(false),
        }
    }
}

/// Readable while Linux has something to send.
impl AsFd for Tap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.device.as_fd()
    }
}

/// An ioctl that takes a pointer to `value`.
///
/// # Safety
///
/// `OPCODE` is an ioctl whose argument is a `T`.
unsafe fn ask<const OPCODE: Opcode, T>(device: impl AsFd, value: &mut T) -> Result<(), Errno> {
    // SAFETY: as promised by the caller.
    unsafe { ioctl(device, Updater::<OPCODE, T>::new(value)) }
}

fn system(name: &str, doing: &'static str, error: Errno) -> TapError {
    TapError::System {
        name: name.to_owned(),
        doing,
        cause: error.into(),
    }
}

/// A request about the interface `name`.
fn request(name: &str) -> Result<libc::ifreq, TapError> {
    let bytes = name.as_bytes();
    let bad = |byte: &u8| *byte == b'/' || byte.is_ascii_whitespace() || *byte == 0;
    if bytes.is_empty() || bytes.len() >= libc::IFNAMSIZ || bytes.iter().any(bad) {
        return Err(TapError::Name(name.to_owned()));
    }
    // SAFETY: of integers and pointers, for which zeros are fine.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(bytes) {
        // CAST: the same byte.
        *to = *from as c_char;
    }
    Ok(request)
}

fn name_in(request: &libc::ifreq) -> String {
    let bytes = request.ifr_name.iter().map(|byte| *byte as u8);
    let name: Vec<u8> = bytes.take_while(|byte| *byte != 0).collect();
    String::from_utf8_lossy(&name).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_before_the_kernel_is_asked() {
        for name in ["", "sixteen-bytes-xx", "a/b", "a b"] {
            assert!(matches!(request(name), Err(TapError::Name(_))), "{name:?}");
        }
        assert_eq!(
            name_in(&request("fifteen-bytes-x").unwrap()),
            "fifteen-bytes-x"
        );
    }
}
