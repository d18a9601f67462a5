// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the command line to a device.

use crate::args::Args;
use anyhow::{Context, Result};
use muennet_core::{
    framing::Ethernet,
    link::{Link, Receiver, Sender},
};
use muennet_host::{
    ivshmem::client::{Client, Ringer, Vector},
    mapping::{Input, Output},
};
use std::{fs::OpenOptions, path::Path};

/// The device of this process.
pub type Device = smoltcp_device::Device<Input, Output, Ethernet, Option<Ringer>>;

/// The channels, attached.
pub struct Attachment {
    pub device: Device,
    /// What to wait for, if the input has an event.
    pub vector: Option<Vector>,
    /// Keeps this process the subject.
    _client: Option<Client>,
}

/// Attaches to the channels.
pub fn attach(args: &Args) -> Result<Attachment> {
    let mut kept = None;
    let (input, output, ringer, vector) = match (&args.ivshmem, &args.in_file, &args.out_file) {
        (Some(socket), _, _) => {
            let client = kept.insert(Client::connect(socket)?);
            let (input, output) = (args.input.as_deref(), args.output.as_deref());
            let input = input.context("name the channel to read: --in")?;
            let output = output.context("name the channel to write: --out")?;
            (
                client.input(input)?,
                client.output(output)?,
                client.notifier(output)?,
                client.vector(input)?,
            )
        }
        (None, Some(input), Some(output)) => (read_file(input)?, write_file(output)?, None, None),
        _ => anyhow::bail!("give --ivshmem, or --in-file and --out-file"),
    };
    let framing = Ethernet::new(args.mtu)?;
    let rx = Receiver::new(input, args.reader_protocol, framing).context("channel to read")?;
    let tx =
        Sender::new(output, args.writer_protocol, framing, ringer).context("channel to write")?;
    Ok(Attachment {
        device: Device::new(Link { rx, tx }),
        vector,
        _client: kept,
    })
}

fn read_file(path: &Path) -> Result<Input> {
    let map = || {
        let file = OpenOptions::new().read(true).open(path)?;
        let len = file.metadata()?.len();
        Input::new(&file, 0, len as usize)
    };
    map().with_context(|| format!("cannot map {}", path.display()))
}

fn write_file(path: &Path) -> Result<Output> {
    let map = || {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let len = file.metadata()?.len();
        Output::new(&file, 0, len as usize)
    };
    map().with_context(|| format!("cannot map {}", path.display()))
}
