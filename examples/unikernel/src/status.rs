// SPDX-License-Identifier: MIT OR Apache-2.0
//! The page that says how the unikernel does.

use crate::sockets::Clients;
use core::fmt;
use muennet_core::{channel::Peer, sinfo::Name};
use smoltcp_device::Counters;

/// Contents of the page.
pub struct Report<'a> {
    /// The subject.
    pub subject: Name,
    /// Microseconds since the start.
    pub uptime: u64,
    /// The channels.
    pub channels: (&'a Name, &'a Name),
    /// The link's other end.
    pub peer: Peer,
    /// The device's counters.
    pub counters: Counters,
    /// The clients that are connected.
    pub clients: &'a Clients,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.uptime / 1_000_000, self.uptime % 1_000_000);
        writeln!(f, "subject   {}", self.subject)?;
        writeln!(f, "uptime    {seconds}.{:03} s", micros / 1000)?;
        let (input, output) = self.channels;
        writeln!(f, "channels  in {input}, out {output}")?;
        match self.peer {
            Peer::Up { epoch } => writeln!(f, "link      up, the peer's epoch is {epoch:#018x}")?,
            Peer::Down => writeln!(f, "link      down")?,
            Peer::Faulty(fault) => writeln!(f, "link      down: {fault}")?,
        }
        let counters = &self.counters;
        writeln!(
            f,
            "received  {} frames, {} bytes, {} lost, {} rejected, {} starts of the peer, \
             {} skipped",
            counters.received,
            counters.received_bytes,
            counters.lost,
            counters.rejected,
            counters.epochs,
            counters.skipped
        )?;
        writeln!(
            f,
            "sent      {} frames, {} bytes, {} could not be sent",
            counters.sent, counters.sent_bytes, counters.not_sent
        )?;
        for (port, client) in self.clients.0.iter().flatten() {
            writeln!(f, "peer      {client} on port {port}")?;
        }
        Ok(())
    }
}
