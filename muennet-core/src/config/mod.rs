// SPDX-License-Identifier: MIT OR Apache-2.0
#![doc = include_str!("parameters.md")]
//!
//! [`Lists::interfaces`] checks the lists and gives an [`Interface`] for each name;
//! [`Lists::ignored`] gives the entries behind the last name.
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
