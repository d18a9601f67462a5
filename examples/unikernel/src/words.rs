// SPDX-License-Identifier: MIT OR Apache-2.0
//! The words of the command line.

use crate::trouble::Trouble;
use core::str::FromStr;
use smoltcp::wire::{EthernetAddress, IpCidr, Ipv4Address, Ipv4Cidr};

/// Addresses that an interface can have.
pub const ADDRESSES: usize = 4;

/// Settings from the command line. Each that is absent keeps its default.
#[derive(Debug)]
pub struct Words {
    /// Name of the channel to read; `None` for the first that the policy gives.
    pub input: Option<&'static str>,
    /// Name of the channel to write, likewise.
    pub output: Option<&'static str>,
    /// The channels carry IP packets (net_hdr), not Ethernet frames.
    pub net_hdr: bool,
    /// Hardware address in Ethernet mode.
    pub mac: EthernetAddress,
    /// Addresses, each with the length of its network's prefix.
    pub addresses: [Option<IpCidr>; ADDRESSES],
    /// `POST /shutdown` ends the machine.
    pub shutdown: bool,
    /// The epoch stays in the channel at the end, so that the peer can read the last frames.
    pub keep_epoch: bool,
}

impl Words {
    /// Reads a command line.
    pub fn parse(line: &'static str) -> Result<Self, Trouble> {
        let mut words = Self {
            input: None,
            output: None,
            net_hdr: false,
            mac: EthernetAddress([2, 0, 0, 0, 0, 2]),
            addresses: [None; ADDRESSES],
            shutdown: false,
            keep_epoch: false,
        };
        for word in line.split_ascii_whitespace() {
            words.take(word).ok_or(Trouble::Word(word))?;
        }
        if words.addresses == [None; ADDRESSES] {
            let default = Ipv4Cidr::new(Ipv4Address::new(192, 168, 7, 2), 24);
            words.addresses[0] = Some(default.into());
        }
        Ok(words)
    }

    fn take(&mut self, word: &'static str) -> Option<()> {
        match word.split_once('=')? {
            ("in", name) => self.input = Some(name),
            ("out", name) => self.output = Some(name),
            ("mode", "eth_dev") => self.net_hdr = false,
            ("mode", "net_hdr") => self.net_hdr = true,
            ("mac", mac) => self.mac = EthernetAddress::from_str(mac).ok()?,
            ("address", address) => {
                let free = self.addresses.iter_mut().find(|slot| slot.is_none())?;
                *free = Some(IpCidr::from_str(address).ok()?);
            }
            ("shutdown", "allowed") => self.shutdown = true,
            ("epoch", "keep") => self.keep_epoch = true,
            _ => return None,
        }
        Some(())
    }
}
