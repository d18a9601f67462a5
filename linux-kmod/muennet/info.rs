// SPDX-License-Identifier: GPL-2.0-only

//! The file `muennet/<interface>/info` in debugfs, for people to read.

use crate::{
    counters,
    direction::Direction,
    interface::Interface,
    net::{
        debugfs::{Folder, Show, Text},
        driver::HeldOf,
        rtnl::Rtnl,
    },
};
use core::fmt::{self, Write};
use kernel::{prelude::*, str::CString};

/// The folder with a file for each interface; gone when dropped.
pub(crate) type Info = Folder<Shown>;

/// An interface as its file shows it.
pub(crate) struct Shown(HeldOf<Interface>);

/// The interface with the name of its folder: the one that it has now.
pub(crate) fn entry(interface: &HeldOf<Interface>) -> Result<(CString, Shown)> {
    let rtnl = Rtnl::lock();
    let name = CString::try_from_fmt(fmt!("{}", text(interface.device().name(&rtnl))))?;
    Ok((name, Shown(interface.clone())))
}

/// Makes the files.
pub(crate) fn files(entries: KVec<(CString, Shown)>) -> Info {
    Folder::new(c"muennet", c"info", entries)
}

impl Show for Shown {
    fn show(&self, f: &mut Text) -> fmt::Result {
        let device = self.0.device();
        let (input, output) = self.0.channels();
        let traffic = device.traffic();
        // The folder keeps the name that the interface had when the module was loaded.
        core::writeln!(f, "name:     {}", text(device.name(&Rtnl::lock())))?;
        core::writeln!(f, "mode:     {}", text(self.0.mode_name()))?;
        core::writeln!(f, "mtu:      {}", device.mtu())?;
        core::writeln!(f, "carrier:  {}", if device.carrier() { "on" } else { "off" })?;
        direction(f, "input", input, self.0.incoming())?;
        if let Some(irq) = self.0.irq() {
            core::writeln!(f, "  irq:      {} (vector {})", irq.number, irq.vector)?;
        }
        direction(f, "output", output, self.0.outgoing())?;
        core::writeln!(f, "received: {} frames, {} bytes", traffic.rx_frames, traffic.rx_bytes)?;
        core::writeln!(f, "sent:     {} frames, {} bytes", traffic.tx_frames, traffic.tx_bytes)?;
        for (name, value) in counters::NAMES.iter().zip(self.0.counters().values()) {
            core::writeln!(f, "{name}: {value}")?;
        }
        Ok(())
    }
}

fn text(text: &CStr) -> &str {
    text.to_str().unwrap_or("?")
}

fn direction(
    f: &mut Text,
    which: &str,
    channel: &CStr,
    direction: Option<Direction>,
) -> fmt::Result {
    let Some(direction) = direction else {
        return core::writeln!(f, "{which}: none");
    };
    core::writeln!(f, "{which}: {}", text(channel))?;
    core::writeln!(f, "  protocol: {:#x}", direction.protocol)?;
    match direction.epoch {
        Some(epoch) => core::writeln!(f, "  epoch:    {epoch:#x}")?,
        None => core::writeln!(f, "  epoch:    inactive")?,
    }
    if let Some(geometry) = direction.geometry {
        let (size, elements) = (geometry.element_size(), geometry.elements());
        core::writeln!(f, "  elements: {elements} of {size} bytes")?;
    }
    if let Some(fault) = direction.fault {
        core::writeln!(f, "  unusable: {fault}")?;
    }
    Ok(())
}
