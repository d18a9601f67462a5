// SPDX-License-Identifier: MIT OR Apache-2.0
//! A device for programs that know a file descriptor and smoltcp's `Device`, such as
//! smoltcp's own examples: in place of their TAP device.

use crate::PROTOCOL;
use anyhow::{Context, Result};
use muennet_core::{
    framing::Ethernet,
    link::{Link, Receiver, Sender},
};
use muennet_host::{
    epoch,
    ivshmem::client::{Client, Connection, Ringer, Vector},
    mapping::{Input, Output},
};
use smoltcp::{
    phy::{self, DeviceCapabilities},
    time::Instant,
};
use smoltcp_device::{Device, Options, Ring, RxToken, TxToken, MAX_FRAME};
use std::{
    os::fd::{AsFd, AsRawFd, RawFd},
    path::Path,
};

/// A subject of `muen-ivshmem`.
#[derive(Debug)]
pub struct Subject {
    device: Device<Input, Output, Ethernet, Option<Ringer>>,
    vector: Vector,
    /// The channels are this process's while it lives.
    _connection: Connection,
}

/// The subject that the environment names: MUEN_SOCKET is the socket, MUEN_IN and
/// MUEN_OUT are channels with events.
///
/// # Errors
///
/// Errors: a variable that is missing, or a fault of the channels.
pub fn from_environment() -> Result<Subject> {
    let of = |name| std::env::var(name).with_context(|| format!("set {name}"));
    let client = Client::connect(Path::new(&of("MUEN_SOCKET")?))?;
    let (input, output) = (of("MUEN_IN")?, of("MUEN_OUT")?);
    let framing = Ethernet::new(1500)?;
    let link = Link {
        rx: Receiver::new(client.input(&input)?, PROTOCOL, framing)?,
        tx: Sender::new(
            client.output(&output)?,
            PROTOCOL,
            framing,
            client.notifier(&output)?,
        )?,
    };
    let options = Options {
        ring: Ring::EachFrame,
        ..Options::default()
    };
    let mut device = Device::with_options(link, options);
    device.activate(epoch::random());
    Ok(Subject {
        device,
        vector: client
            .vector(&input)?
            .with_context(|| format!("channel {input} has no event"))?,
        _connection: client.into_connection(),
    })
}

/// Readable when the channel's event was rung since the last time that no frame was there.
impl AsRawFd for Subject {
    fn as_raw_fd(&self) -> RawFd {
        self.vector.as_fd().as_raw_fd()
    }
}

impl phy::Device for Subject {
    type RxToken<'a> = RxToken<'a>;
    type TxToken<'a> = TxToken<'a, Output, Ethernet, Option<Ringer>, MAX_FRAME>;

    fn receive(&mut self, now: Instant) -> Option<(Self::RxToken<'_>, Self::TxToken<'_>)> {
        if !self.device.has_pending() {
            // What comes after the look that follows rings again.
            self.vector.clear();
        }
        self.device.receive(now)
    }

    fn transmit(&mut self, now: Instant) -> Option<Self::TxToken<'_>> {
        self.device.transmit(now)
    }

    fn capabilities(&self) -> DeviceCapabilities {
        self.device.capabilities()
    }
}
