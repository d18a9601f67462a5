// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ways in which a Linux VM starts its interface net0 again.

use crate::vm::Vm;
use anyhow::Result;

/// All ways.
pub(super) const AGAIN: [Again; 3] = [Again::Reload, Again::Restart, Again::Quick];

/// A way to start again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// The module is loaded anew.
    Reload,
    /// The interface goes down and, later, up.
    Restart,
    /// Both in one call of `ip`: the peer may see but another epoch.
    Quick,
}

impl Again {
    /// Ends what there is, as far as the way needs it.
    pub(super) fn stop(self, vm: &mut Vm) -> Result<()> {
        match self {
            Self::Reload => vm.ok("rmmod muennet").map(drop),
            Self::Restart => vm.ok("ip link set net0 down").map(drop),
            Self::Quick => Ok(()),
        }
    }

    /// Starts after [`Again::stop`]; `load` loads the module and sets the interface up.
    pub(super) fn start(self, vm: &mut Vm, load: impl FnOnce(&mut Vm) -> Result<()>) -> Result<()> {
        match self {
            Self::Reload => load(vm),
            Self::Restart => vm.ok("ip link set net0 up").map(drop),
            Self::Quick => vm
                .ok("printf 'link set net0 down\\nlink set net0 up\\n' | ip -batch -")
                .map(drop),
        }
    }
}
