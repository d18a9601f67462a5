// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two architectures on one wire: two memory models, and two kernels' ideas of a packet.

use super::streams;
use crate::lab::Lab;
use anyhow::Result;

/// A VM of `lab` and one of `other`: streams both ways for `seconds` in all, if
/// MUENNET_SECONDS does not say.
pub fn mixed(lab: &Lab, other: &Lab, seconds: u64) -> Result<()> {
    let wire = lab.serve("two-linux.toml")?;
    let a = wire.vm("linux-a")?;
    let b = wire.vm_of(other, "linux-b")?;
    streams::between(a, b, seconds)
}
