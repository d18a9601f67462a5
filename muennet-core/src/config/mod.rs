// SPDX-License-Identifier: MIT OR Apache-2.0
//! The parameters of network interfaces, as users type them.
//!
//! Every parameter but `poll` is a list with one entry per interface:
//!
//! | parameter | entry | default |
//! |-----------|-------|---------|
//! | `name` | interface name, may hold one `%d`; empty: no interface | |
//! | `in`, `out` | channel names; one may be empty | |
//! | `reader_protocol`, `writer_protocol` | hexadecimal u64, not 0, where the channel is given | |
//! | `mtu` | bytes, decimal: 1 to 65535 in raw mode, from 20 in `net_hdr` mode, to 65521 in Ethernet mode, 65517 with VLANs | 1500 |
//! | `pmtu` | memory region with the path MTU of each mark | none |
//! | `flags` | `net_hdr`, `eth_dev` or `eth_dev+vlan` | raw |
//! | `poll` | µs between looks at a channel without a vector; 0 is 50 | 1000 |
//!
//! Entries behind the last name are ignored, as the original does; [`Lists::ignored`]
//! gives them.
//!
//! The functions here are pure: they look at nothing but their arguments.

mod address;
mod error;
mod interface;
pub mod number;
mod parse;
mod resources;

pub use crate::framing::Mode;
pub use address::hardware_address;
pub use error::{ConfigError, Errno, Parameter, Why};
pub use interface::{
    poll_us, Channel, Interface, Lists, DEFAULT_MTU, DEFAULT_POLL_US, MAX_INTERFACES,
    SHORTEST_POLL_US,
};
pub use resources::{channel, interrupt, path_mtu, Access};
