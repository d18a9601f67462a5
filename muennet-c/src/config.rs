// SPDX-License-Identifier: MIT OR Apache-2.0
//! The configuration of a link, as C gives it.

use crate::{notify::Callback, Code};
use core::{ffi::c_void, num::NonZeroU64};
use muennet_core::{
    channel,
    framing::{self, Dynamic, Ethernet},
};

/// Layouts of frames in the elements of a channel; both ends use the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum Mode {
    /// Payload alone, zero padded: the receiver gets whole elements of `mtu` bytes.
    Raw = 0,
    /// IP packets behind a header with a mark (`net_hdr`).
    NetHdr = 1,
    /// Ethernet frames (`eth_dev`), of up to `mtu` + 14 bytes.
    Ethernet = 2,
    /// Ethernet frames with room for a VLAN's tag (`eth_dev+vlan`), of up to `mtu` + 18 bytes.
    EthernetVlan = 3,
}

/// Places where receiving resumes after the peer has overwritten frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum Resume {
    /// At the oldest frame that is certainly whole: the fewest are lost.
    Oldest = 0,
    /// At the next frame that will be written, as the original implementations do.
    Newest = 1,
}

/// The channel that the peer writes.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Input {
    /// First byte of the region, a multiple of 8; null for a link that only sends. The region
    /// may be mapped read-only.
    pub base: *const c_void,
    /// Bytes of the region.
    pub length: usize,
    /// The protocol that the peer's header must show; not 0.
    pub protocol: u64,
}

/// The channel that this end writes.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Output {
    /// First byte of the region, a multiple of 8; null for a link that only receives.
    pub base: *mut c_void,
    /// Bytes of the region.
    pub length: usize,
    /// The protocol that this end's header shows; not 0.
    pub protocol: u64,
}

/// The configuration of a link. Zero it before it is filled in: fields that later versions add
/// have a meaning for 0.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Config {
    /// The channel that the peer writes.
    pub input: Input,
    /// The channel that this end writes.
    pub output: Output,
    /// A `muennet_mode`.
    pub mode: u32,
    /// Bytes of the longest packet. Elements have so many and those of the mode's header.
    pub mtu: u16,
    /// A `muennet_resume`.
    pub resume: u32,
    /// Called to ring the peer's event; null where the peer polls. It must return, and must not
    /// call functions of the same link: those refuse with `MUENNET_RESULT_BUSY`.
    pub notify: Option<unsafe extern "C" fn(context: *mut c_void)>,
    /// Handed to `notify`.
    pub notify_context: *mut c_void,
}

/// The mode of that number.
pub(crate) fn framing(mode: u32, mtu: u16) -> Result<Dynamic, Code> {
    use muennet_core::config::Mode as Core;
    const RAW: u32 = Mode::Raw as u32;
    const NET_HDR: u32 = Mode::NetHdr as u32;
    const ETHERNET: u32 = Mode::Ethernet as u32;
    const VLAN: u32 = Mode::EthernetVlan as u32;
    let framing = match mode {
        RAW => Dynamic::new(Core::Raw, mtu),
        NET_HDR => Dynamic::new(Core::NetHdr, mtu),
        ETHERNET => Dynamic::new(Core::Ethernet, mtu),
        VLAN => Ethernet::with_vlan(mtu).map(Dynamic::Ethernet),
        _ => return Err(Code::UnknownMode),
    };
    framing.map_err(framing::MtuError::into)
}

/// A region as given: address, length and protocol.
#[derive(Clone, Copy)]
pub(crate) struct Region {
    pub(crate) base: *mut u8,
    pub(crate) length: usize,
    pub(crate) protocol: NonZeroU64,
}

impl Region {
    fn new(base: *mut u8, length: usize, protocol: u64) -> Result<Option<Self>, Code> {
        if base.is_null() {
            return Ok(None);
        }
        let protocol = NonZeroU64::new(protocol).ok_or(Code::ZeroProtocol)?;
        if base.addr().checked_add(length).is_none() {
            return Err(Code::RegionWraps);
        }
        Ok(Some(Self {
            base,
            length,
            protocol,
        }))
    }

    /// True if the two have a byte in common. Neither wraps.
    fn overlaps(&self, other: &Self) -> bool {
        let end = |region: &Self| region.base.addr().saturating_add(region.length);
        self.base.addr() < end(other) && other.base.addr() < end(self)
    }
}

/// A configuration whose numbers were checked; the regions are still only addresses.
pub(crate) struct Checked {
    pub(crate) input: Option<Region>,
    pub(crate) output: Option<Region>,
    pub(crate) framing: Dynamic,
    pub(crate) resume: channel::Resume,
    pub(crate) notify: Callback,
}

impl Config {
    pub(crate) fn check(&self, notify: Callback) -> Result<Checked, Code> {
        let Config { input, output, .. } = *self;
        let input = Region::new(input.base.cast_mut().cast(), input.length, input.protocol)?;
        let output = Region::new(output.base.cast(), output.length, output.protocol)?;
        match (&input, &output) {
            (None, None) => return Err(Code::NoChannel),
            (Some(input), Some(output)) if input.overlaps(output) => {
                return Err(Code::RegionsOverlap);
            }
            _ => {}
        }
        const OLDEST: u32 = Resume::Oldest as u32;
        const NEWEST: u32 = Resume::Newest as u32;
        let resume = match self.resume {
            OLDEST => channel::Resume::Oldest,
            NEWEST => channel::Resume::Newest,
            _ => return Err(Code::UnknownResume),
        };
        Ok(Checked {
            input,
            output,
            framing: framing(self.mode, self.mtu)?,
            resume,
            notify,
        })
    }
}
