// SPDX-License-Identifier: MIT OR Apache-2.0
//! A Rust component on a Muen channel: answers ping, TCP echo, UDP echo and iperf3.

mod args;
mod attach;
mod servers;

use anyhow::Result;
use args::Args;
use clap::Parser;
use muennet_core::channel::Peer;
use muennet_host::wait::{self, Stop};
use smoltcp::{
    iface::{Config, Interface, SocketSet},
    time::Instant,
    wire::{EthernetAddress, IpCidr},
};
use std::{os::fd::AsFd, process::ExitCode, time::Duration};

/// The pause between two looks at the peer's epoch when nothing else happens.
const WATCH: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let stop = Stop::on_signals()?;
    let (mut device, ground) = attach::attach(args)?;
    let mut config = Config::new(EthernetAddress(args.mac.0).into());
    config.random_seed = muennet_host::epoch::random().get();
    let mut interface = Interface::new(config, &mut device, Instant::now());
    interface.update_ip_addrs(|addresses| {
        // The list of a fresh interface has room for one.
        let _ = addresses.push(IpCidr::Ipv4(args.address));
    });
    let mut sockets = SocketSet::new(Vec::new());
    let mut servers = servers::Servers::new(&mut sockets);
    device.activate(muennet_host::epoch::random());
    println!(
        "echo: {} at {}, port {}, iperf3 on port {}",
        args.address,
        args.mac,
        muennet_servers::echo::PORT,
        muennet_servers::iperf3::PORT
    );

    let mut peer = Peer::Down;
    while !stop.is_set() {
        let now = device.peer();
        if now != peer {
            match now {
                Peer::Up { .. } => println!("echo: link up"),
                Peer::Down => println!("echo: link down"),
                Peer::Faulty(fault) => {
                    println!("echo: link down, the peer's channel is unusable: {fault}")
                }
            }
            peer = now;
        }
        interface.poll(Instant::now(), &mut device, &mut sockets);
        let busy = servers.serve(&mut sockets);
        if busy {
            interface.poll(Instant::now(), &mut device, &mut sockets);
        }
        device.flush();
        // What came with that poll is not served yet.
        if !busy && !device.has_pending() {
            let delay = interface.poll_delay(Instant::now(), &sockets);
            let limit = delay.map_or(WATCH, |delay| WATCH.min(delay.into()));
            match &ground.vector {
                Some(vector) => {
                    wait::until(&[vector.as_fd(), stop.as_fd()], limit)?;
                    vector.clear();
                }
                None => wait::until(&[stop.as_fd()], limit.min(args.channels.poll()))?,
            }
        }
    }
    device.deactivate();
    println!("echo: {}", device.counters());
    Ok(())
}
