// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scenarios in virtual machines, a file for each topic. A scenario gets the
//! laboratory, serves a policy of `tests/policies`, boots what it needs, and fails
//! with what it saw instead of what it should have seen.

mod again;
mod bridge;
mod cfg;
mod children;
mod churn;
mod ethtool;
mod hostile;
mod ip_mode;
mod many;
mod mixed;
mod modes;
mod modprobe;
mod module;
mod netdev;
mod netlink;
mod parameters;
mod path_mtu;
mod pings;
mod rehearsal;
mod reload;
mod restarts;
mod shell;
mod storm;
mod streams;
mod subjects;
mod unikernel;
mod upstream;
mod wire;

pub use bridge::bridge;
pub use cfg::cfg;
pub use children::children;
pub use churn::churn;
pub use ethtool::ethtool;
pub use hostile::hostile;
pub use ip_mode::ip_mode;
pub use many::many;
pub use mixed::mixed;
pub use modes::modes;
pub use modprobe::modprobe;
pub use module::module;
pub use netdev::netdev;
pub use netlink::netlink;
pub use parameters::parameters;
pub use path_mtu::path_mtu;
pub use rehearsal::rehearsal;
pub use reload::reload;
pub use restarts::restarts;
pub use shell::shell;
pub use storm::storm;
pub use streams::streams;
pub use subjects::subjects;
pub use unikernel::{self_test, unikernel};
pub use upstream::upstream;
pub use wire::{interrupt, poll};

use crate::{demo, lab::Lab};
use anyhow::Result;

/// The demos, as a newcomer sees them.
pub fn demos(lab: &Lab) -> Result<()> {
    demo::one_wire_in(lab)?;
    demo::two_linux_in(lab)
}
