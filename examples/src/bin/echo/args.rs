// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use clap::Parser;
use muennet_host::attach::ChannelArgs;
use smoltcp::wire::Ipv4Cidr;
use std::{fmt, str::FromStr};

/// Answers ping, TCP echo, UDP echo (port 7) and iperf3 on a pair of Muen channels.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:\n  \
    echo --ivshmem /run/muen/echo.sock --in testchannel_1 --out testchannel_2\n  \
    echo --in-file /muenfs/net_in --out-file /muenfs/net_out --address 10.0.0.2/24"
)]
pub struct Args {
    /// The channels.
    #[command(flatten)]
    pub channels: ChannelArgs,

    /// Longest IP packet in bytes, at most 1500.
    #[arg(long, value_name = "BYTES", default_value_t = 1500,
          value_parser = clap::value_parser!(u16).range(68..=1500))]
    pub mtu: u16,

    /// Hardware address.
    #[arg(long, default_value = "02:00:00:00:00:02")]
    pub mac: Mac,

    /// IPv4 address with the length of the network's prefix.
    #[arg(long, value_name = "ADDRESS/LENGTH", default_value = "192.168.7.2/24", value_parser = address)]
    pub address: Ipv4Cidr,
}

fn address(text: &str) -> Result<Ipv4Cidr, String> {
    Ipv4Cidr::from_str(text).map_err(|()| "give an address like 192.168.7.2/24".to_owned())
}

/// A hardware address.
#[derive(Debug, Clone, Copy)]
pub struct Mac(pub [u8; 6]);

impl FromStr for Mac {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "give six bytes like 02:00:00:00:00:02, the first one even".to_owned();
        let mut bytes = [0; 6];
        let mut parts = text.split(':');
        for byte in &mut bytes {
            let part = parts
                .next()
                // `from_str_radix` would take a sign.
                .filter(|part| part.len() == 2 && !part.starts_with('+'))
                .ok_or_else(wrong)?;
            *byte = u8::from_str_radix(part, 16).map_err(|_| wrong())?;
        }
        if parts.next().is_some() || bytes[0] & 1 != 0 {
            return Err(wrong());
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}
