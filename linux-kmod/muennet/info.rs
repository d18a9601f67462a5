// SPDX-License-Identifier: GPL-2.0-only

//! The file `muennet/<interface>/info` in debugfs, for people to read.

use crate::{
    counters,
    interface::{Direction, Interface},
    net::driver::HeldOf,
};
use kernel::{
    debugfs::{Dir, File, Writer},
    fmt,
    prelude::*,
};

/// The folder, and a file for each interface; gone when dropped.
pub(crate) struct Info {
    files: KVec<Pin<KBox<File<Shown>>>>,
    folders: KVec<Dir>,
    root: Dir,
}

/// An interface as its file shows it.
struct Shown(HeldOf<Interface>);

impl Info {
    pub(crate) fn new() -> Self {
        Self {
            files: KVec::new(),
            folders: KVec::new(),
            root: Dir::new(c"muennet"),
        }
    }

    /// Makes the file of an interface, under the name that it was given.
    pub(crate) fn add(&mut self, interface: &HeldOf<Interface>) -> Result {
        let folder = self.root.subdir(interface.device().name());
        let shown = Shown(interface.clone());
        let file = KBox::pin_init(folder.read_only_file(c"info", shown), GFP_KERNEL)?;
        self.files.push(file, GFP_KERNEL)?;
        self.folders.push(folder, GFP_KERNEL)?;
        Ok(())
    }
}

impl Writer for Shown {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let device = self.0.device();
        let (input, output) = self.0.channels();
        let traffic = device.traffic();
        // The folder keeps the name that the interface had when the module was loaded.
        core::writeln!(f, "name:     {}", text(device.name()))?;
        core::writeln!(f, "mode:     {}", text(self.0.mode_name()))?;
        core::writeln!(f, "mtu:      {}", device.mtu())?;
        core::writeln!(f, "carrier:  {}", if device.carrier() { "on" } else { "off" })?;
        direction(f, "input", input, self.0.incoming())?;
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
    f: &mut fmt::Formatter<'_>,
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
