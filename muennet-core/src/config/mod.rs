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
//! | `mtu` | bytes, decimal | 1500 |
//! | `pmtu` | memory region with the path MTU of each mark | none |
//! | `flags` | `net_hdr` or `eth_dev` | raw |
//! | `poll` | µs between looks at a channel without a vector | 1000 |
//!
//! The functions here are pure: they look at nothing but their arguments.

mod error;
mod interface;
mod parse;
mod resources;

pub use error::{ConfigError, Errno, Parameter, Why};
pub use interface::{
    Channel, Interface, Lists, Mode, DEFAULT_MTU, DEFAULT_POLL_US, MAX_INTERFACES,
};
pub use resources::{channel, interrupt, path_mtu, Access};
