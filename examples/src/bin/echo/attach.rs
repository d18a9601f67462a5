// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the command line to a device.

use crate::args::Args;
use anyhow::{Context, Result};
use muennet_core::{
    framing::Ethernet,
    link::{Link, Receiver, Sender},
};
use muennet_host::{
    attach::Attachment,
    ivshmem::client::{Connection, Ringer, Vector},
    mapping::{Input, Output},
};

/// The device of this process.
pub type Device = smoltcp_device::Device<Input, Output, Ethernet, Option<Ringer>>;

/// The memory and the event of the device.
pub struct Ground {
    /// The event to wait for, if the input has one.
    pub vector: Option<Vector>,
    /// The device's channels are this process's while the connection lives.
    pub _connection: Option<Connection>,
}

/// Attaches to the channels.
pub fn attach(args: &Args) -> Result<(Device, Ground)> {
    let Attachment {
        input,
        output,
        ringer,
        vector,
        connection: _connection,
    } = args.channels.attach()?;
    let framing = Ethernet::new(args.mtu)?;
    let (reading, writing) = (args.channels.reader_protocol, args.channels.writer_protocol);
    let rx = Receiver::new(input, reading, framing).context("channel to read")?;
    let tx = Sender::new(output, writing, framing, ringer).context("channel to write")?;
    let ground = Ground {
        vector,
        _connection,
    };
    Ok((Device::new(Link { rx, tx }), ground))
}
