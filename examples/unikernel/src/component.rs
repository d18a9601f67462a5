// SPDX-License-Identifier: MIT OR Apache-2.0
//! The component: from the platform's channels to servers on the network.

use crate::{
    log,
    platform::{Input, Output, Platform},
    sockets::Servers,
    status::Report,
    trouble::Trouble,
    words::Words,
};
use core::{fmt::Write, num::NonZeroU64, time::Duration};
use muennet_core::{
    channel::Peer,
    config::{self, Access},
    framing::{Ethernet, NetHdr},
    link::{Link, Receiver, Sender},
    sinfo::{Kind, Memory, MemoryKind, Name, Sinfo},
};
use muennet_servers::http;
use smoltcp::{
    iface::{Config, Interface},
    time::Instant,
    wire::HardwareAddress,
};
use smoltcp_device::{Device, Selected, StackFraming};

/// Protocol of both channels: that of Solo5's unikernels.
const PROTOCOL: NonZeroU64 = muennet_core::framing::SOLO5_PROTOCOL;
const MTU: u16 = 1500;

/// The longest time for which the absence of a peer that was reset is unnoticed.
const WATCH: Duration = Duration::from_millis(500);

/// Time between looks at a channel without event.
const LOOK: Duration = Duration::from_millis(1);

/// After `POST /shutdown` the answer has so many microseconds to arrive.
const GRACE: u64 = 1_000_000;

/// Channels with these names are the network's, where none is named.
const INPUT: &str = "net_in";
const OUTPUT: &str = "net_out";
/// Muen's log is a channel as well, and never the network's.
const LOG: &str = "debuglog";

/// A channel that the policy gives: the one `named`, or `net_in` and `net_out`, or the only
/// one with the right access.
fn channel(
    sinfo: &Sinfo<'_>,
    access: Access,
    named: Option<&'static str>,
) -> Result<(Name, Memory), Trouble> {
    let find = |name: &'static str| {
        let found = sinfo.find(name, Kind::Memory)?;
        Some((found.name, found.memory()?))
    };
    if let Some(name) = named {
        let found = find(name);
        let memory = config::channel(access, 1, name, found.map(|(_, memory)| memory))?;
        return found
            .map(|(name, _)| (name, memory))
            .ok_or(Trouble::NoChannel(name));
    }
    let (which, usual, writable) = match access {
        Access::Input => ("in", INPUT, false),
        Access::Output => ("out", OUTPUT, true),
    };
    let fits = |(name, memory): &(Name, Memory)| {
        memory.kind == MemoryKind::Channel && memory.writable == writable && *name != *LOG
    };
    if let Some(found) = find(usual).filter(fits) {
        return Ok(found);
    }
    let mut all = sinfo
        .resources()
        .filter_map(|resource| Some((resource.name, resource.memory()?)))
        .filter(fits);
    match (all.next(), all.next()) {
        (Some(found), None) => Ok(found),
        (None, _) => Err(Trouble::NoChannel(which)),
        (Some(_), Some(_)) => Err(Trouble::ManyChannels(which)),
    }
}

/// The number of the channel's event or vector, if it has one.
fn number(sinfo: &Sinfo<'_>, channel: &Name, kind: Kind) -> Option<u8> {
    sinfo.find(channel.as_str()?, kind)?.number()
}

/// Serves until it is asked to end; gives the machine back.
///
/// # Errors
///
/// Errors of the policy or the command line.
pub fn run<P: Platform>(mut machine: P) -> Result<P, Trouble> {
    let words = Words::parse(machine.command_line())?;
    let sinfo = machine.sinfo()?;
    let subject = sinfo.subject();
    let (input, input_memory) = channel(&sinfo, Access::Input, words.input)?;
    let (output, output_memory) = channel(&sinfo, Access::Output, words.output)?;
    let bell = number(&sinfo, &output, Kind::Event).and_then(|event| machine.bell(event));
    let vector = number(&sinfo, &input, Kind::Vector);

    let framing: Selected = if words.net_hdr {
        NetHdr::new(MTU)?.into()
    } else {
        Ethernet::new(MTU)?.into()
    };
    let rx = Input(machine.channel(&input_memory)?);
    let tx = Output(machine.channel(&output_memory)?);
    let mut device: Device<_, _, _, _> = Device::new(Link {
        rx: Receiver::new(rx, PROTOCOL, framing)?,
        tx: Sender::new(tx, PROTOCOL, framing, bell)?,
    });
    let rings = match vector {
        Some(vector) => machine.listen(vector)?,
        None => false,
    };
    let watch = match rings {
        true => machine.has_timer().then_some(WATCH),
        false => Some(LOOK),
    };

    let address = match framing.medium() {
        smoltcp::phy::Medium::Ip => HardwareAddress::Ip,
        _ => words.mac.into(),
    };
    let mut config = Config::new(address);
    config.random_seed = machine.random().get();
    let now = |machine: &P| Instant::from_micros(machine.now() as i64);
    let mut interface = Interface::new(config, &mut device, now(&machine));
    interface.update_ip_addrs(|list| {
        // The list has room for all that the command line can say.
        let _ = words
            .addresses
            .iter()
            .flatten()
            .try_for_each(|address| list.push(*address));
    });
    let mut servers = Servers::new();
    device.activate(machine.random());
    log!("subject {subject}, in {input}, out {output}");
    for address in words.addresses.iter().flatten() {
        log!("at {address}, up after {} us", machine.now());
    }

    // When to end, once that was asked for.
    let mut end = None;
    while end.is_none_or(|end| machine.now() < end && servers.is_answering()) {
        match device.link_change() {
            Some(Peer::Up { epoch }) => log!("link up, epoch {epoch:#018x}"),
            Some(Peer::Down) => log!("link down"),
            Some(Peer::Faulty(fault)) => {
                log!("link down, the peer's channel is unusable: {fault}");
            }
            None => {}
        }
        interface.poll(now(&machine), &mut device, &mut servers.set);
        let (peer, counters, uptime) = (device.peer(), device.counters(), machine.now());
        let mut busy = servers.serve_echo();
        busy |= servers.serve_iperf3(now(&machine));
        busy |= servers.serve_http(now(&machine), |request, page, clients| match request {
            http::Request::Get("/") => {
                let report = Report {
                    subject,
                    uptime,
                    channels: (&input, &output),
                    peer,
                    counters,
                    clients,
                };
                // A page takes whatever is written.
                let _ = write!(page, "{report}");
                http::Status::Ok
            }
            http::Request::Post("/shutdown") if words.shutdown => {
                end = Some(uptime + GRACE);
                http::Status::Ok
            }
            _ => http::Status::NotFound,
        });
        if busy {
            interface.poll(now(&machine), &mut device, &mut servers.set);
        }
        device.flush();
        if busy {
            // What came with that poll is not served yet.
            continue;
        }
        let delay = interface.poll_delay(now(&machine), &servers.set);
        let Ok(()) = device.next_poll(delay).wait(&mut machine, watch);
    }
    if words.keep_epoch {
        device.detach();
    } else {
        device.deactivate();
    }
    log!("{}", device.counters());
    Ok(machine)
}
