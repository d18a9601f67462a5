// SPDX-License-Identifier: MIT OR Apache-2.0
//! `muennet-host bridge`.

use anyhow::{Context, Result};
use muennet_core::{
    config::Mode,
    framing::{Dynamic, Ethernet, Meta},
};
use muennet_host::{
    attach::{Attachment, ChannelArgs},
    bridge::{Bridge, Counters, End, Settings},
    log::{Log, RateLimit},
    printable::printable,
    tap::{Kind, Tap},
    wait::{self, Stop},
};
use std::{
    io::{self, Write},
    os::fd::AsFd,
    time::{Duration, Instant},
};

/// Time between attempts to find the server again.
const RETRY: Duration = Duration::from_millis(100);

/// Join a pair of channels to an interface of this host.
///
/// The interface is made, or taken over if it persists; its carrier follows the
/// peer. Give it an address and set it up with `ip`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("interface").required(true).args(["tap", "tun"]))]
#[command(after_help = "Examples:\n  \
    muennet-host bridge --tap tap0 --ivshmem /run/muen/linux.sock --in testchannel_2 --out testchannel_1\n  \
    muennet-host bridge --tun tun0 --in-file /muenfs/net_in --out-file /muenfs/net_out")]
pub struct Args {
    /// Name of a TAP interface: Ethernet frames (flags=eth_dev).
    #[arg(long, value_name = "NAME")]
    tap: Option<String>,

    /// Name of a TUN interface: IP packets (flags=net_hdr).
    #[arg(long, value_name = "NAME")]
    tun: Option<String>,

    #[command(flatten)]
    channels: ChannelArgs,

    /// Longest IP packet in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 1500,
          value_parser = clap::value_parser!(u16).range(68..))]
    mtu: u16,

    /// Room for a VLAN's tag beside the MTU, as flags=eth_dev+vlan has it.
    #[arg(long, requires = "tap")]
    vlan: bool,

    /// Mark of the packets that are sent; frames carry none.
    #[arg(long, default_value_t = 0, requires = "tun")]
    mark: u32,

    /// At the end leave the epoch in the channel, so that a slow peer can read the last
    /// frames; its carrier stays on. Files only: muen-ivshmem ends the epoch of its subjects.
    #[arg(long, requires = "out_file")]
    keep_epoch: bool,
}

/// Lines that the log holds until somebody reads them.
const ROOM: usize = 1000;

/// Runs the bridge until a signal comes.
pub fn run(args: &Args) -> Result<()> {
    let stop = Stop::on_signals()?;
    let (kind, mode, name) = match (&args.tap, &args.tun) {
        (Some(name), _) => (Kind::Frames, Mode::Ethernet, name),
        (None, Some(name)) => (Kind::Packets, Mode::NetHdr, name),
        (None, None) => anyhow::bail!("give --tap or --tun"),
    };
    let settings = Settings {
        framing: match args.vlan {
            true => Ethernet::with_vlan(args.mtu).map(Dynamic::Ethernet),
            false => Dynamic::new(mode, args.mtu),
        }
        .context("--mtu")?,
        protocols: (args.channels.reader_protocol, args.channels.writer_protocol),
        meta: Meta { mark: args.mark },
        poll: args.channels.poll(),
        keep_epoch: args.keep_epoch,
    };
    let log = Log::new(io::stdout(), ROOM);
    let mut limit = RateLimit::default();
    let mut attachment = args.channels.attach()?;
    let tap = Tap::open(kind, name)?;
    tap.fit_mtu(args.mtu)?;
    log.say(&format!("{}: bridged", tap.name()));

    let mut counters = Counters::default();
    loop {
        let mut bridge = Bridge::new(&tap, attachment, settings, &mut counters)?;
        let end = bridge.run(&stop, |what| {
            let line = format!("{}: {what}", tap.name());
            limit.say(Instant::now(), (), &line, |line| log.say(line));
        })?;
        if end == End::Stopped {
            break;
        }
        drop(bridge);
        log.say(&format!(
            "{}: carrier off, muen-ivshmem ended; waiting for it",
            tap.name()
        ));
        match attach_again(args, &stop)? {
            Some(again) => attachment = again,
            None => break,
        }
    }
    log.say(&format!("{}: {counters}", tap.name()));
    Ok(())
}

/// Attaches once more when that is possible; `None` when it is to end instead.
fn attach_again(args: &Args, stop: &Stop) -> Result<Option<Attachment>> {
    let mut told = String::new();
    while !stop.is_set() {
        wait::until(&[stop.as_fd()], RETRY)?;
        match args.channels.attach() {
            Ok(attachment) => return Ok(Some(attachment)),
            Err(error) => {
                let error = error.to_string();
                if error != told {
                    // A closed stream is no reason to end.
                    let _ = writeln!(io::stderr(), "muennet-host: {}", printable(&error));
                    told = error;
                }
            }
        }
    }
    Ok(None)
}
