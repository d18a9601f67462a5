// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cost of a packet in a guest, in instructions, beside virtio-net in the same VM.
//!
//! QEMU counts instructions (`-icount shift=0,sleep=off`): a nanosecond of the guest's
//! clock is one, so that the noise of the host does not count.
//!
//! - Transmit: the kernel's packet generator, few enough packets at a time that no
//!   ring is full; what it needs itself is the same for both.
//! - Receive: the host sends many frames at once, and `meter` measures for how long
//!   interrupts and softirqs take the CPU away.

use crate::{
    lab::{self, Lab},
    process::Process,
    progress::{self, Seconds},
    target::Flavour,
    vm::Vm,
};
use anyhow::{ensure, Context, Result};
use std::{
    io::Write,
    process::{ChildStdin, Command, Stdio},
    time::Instant,
};

/// Frame lengths in bytes: the shortest, and the longest of an MTU of 1500.
const LENGTHS: [usize; 2] = [64, 1514];
/// Packets of the generator at a time: fewer than virtio-net's ring has room for.
const AT_A_TIME: usize = 100;
const TURNS: usize = 20;
/// Frames of the host at a time: fewer than the channel has room for.
const FRAMES: usize = 4000;
/// Rounds of which the median counts.
const ROUNDS: usize = 5;
/// Rounds that may be disturbed before it is given up.
const DISTURBED: usize = 10;

/// A CPU whose copies the kernel does by words: QEMU counts one instruction for each
/// byte that `rep movsb` moves, which no processor takes.
const CPU: &str = "max,erms=off,fsrm=off";

const SOCKET: &str = "virtio.sock";
const MUENNET: &str = "net0";

/// Costs in instructions a packet.
pub struct Row {
    pub direction: &'static str,
    pub len: usize,
    pub muennet: f64,
    pub virtio: f64,
}

impl Row {
    pub fn ratio(&self) -> f64 {
        self.muennet / self.virtio
    }
}

/// Measures and prints the table.
pub fn run(kernel: Flavour) -> Result<()> {
    let lab = Lab::with(kernel)?;
    let start = Instant::now();
    let rows = progress::step("measuring", || measure(&lab))?;
    println!(
        "\nGuest instructions per packet (QEMU -icount), {}, {}",
        lab.tree.release(),
        lab.tree.crates()
    );
    println!("\n| direction | frame | muennet | virtio-net | ratio |");
    println!("|-----------|------:|--------:|-----------:|------:|");
    for row in &rows {
        println!(
            "| {:<9} | {:>5} | {:>7.0} | {:>10.0} | {:>5.2} |",
            row.direction,
            row.len,
            row.muennet,
            row.virtio,
            row.ratio()
        );
    }
    println!("\nmeasured in {}", Seconds(start.elapsed()));
    Ok(())
}

/// Measures in a laboratory that is there.
pub fn measure(lab: &Lab) -> Result<Vec<Row>> {
    let wire = lab.serve("bench.toml")?;
    let socket = format!("{}/{SOCKET}", lab::FOLDER);
    let sender = format!("{}/host.sock", lab::FOLDER);
    let mut vm = wire.vm_with(
        "linux",
        &[
            "-icount",
            "shift=0,sleep=off",
            "-cpu",
            CPU,
            "-netdev",
            &format!(
                "dgram,id=virtio,local.type=unix,local.path={socket},\
                 remote.type=unix,remote.path={sender}"
            ),
            "-device",
            "virtio-net-pci,netdev=virtio,mac=02:00:00:00:00:11",
        ],
    )?;
    // The generator's frames need somebody to take them.
    let sink = std::os::unix::net::UnixDatagram::bind(wire.folder().join("host.sock"))?;
    let taker = std::thread::spawn(move || {
        let mut buffer = [0; 2048];
        while sink.recv(&mut buffer).is_ok_and(|len| len > 1) {}
    });
    let result = rows(lab, &wire, &mut vm);
    std::os::unix::net::UnixDatagram::unbound()?.send_to(&[0], wire.folder().join("host.sock"))?;
    let _ = taker.join();
    let rows = result?;
    vm.finish()?;
    Ok(rows)
}

fn rows(lab: &Lab, wire: &lab::Wire<'_>, vm: &mut Vm) -> Result<Vec<Row>> {
    lab::load(vm, "in", "out", "10.0.0.1/24", "")?;
    vm.ok("modprobe virtio_net && modprobe pktgen")?;
    let virtio = vm
        .ok("basename $(grep -l 02:00:00:00:00:11 /sys/class/net/*/address | cut -d/ -f1-5)")?
        .trim()
        .to_owned();
    // Nothing but what is measured goes over the interfaces.
    vm.ok(&format!(
        "sysctl -q net.ipv6.conf.all.disable_ipv6=1; ip link set {virtio} up; ip addr flush dev net0"
    ))?;
    let mut by_channel = Injector::start(
        Command::new(lab::program("inject")?).args([
            "--ivshmem",
            &wire.folder().join("peer.sock").to_string_lossy(),
            "--channel",
            "in",
        ]),
        wire,
    )?;
    lab::carrier(vm)?;
    let mut by_socket = Injector::start(
        Command::new(lab::program("inject")?)
            .args(["--datagram", &wire.folder().join(SOCKET).to_string_lossy()]),
        wire,
    )?;
    let _ = lab;
    let mut rows = Vec::new();
    for len in LENGTHS {
        rows.push(Row {
            direction: "transmit",
            len,
            muennet: transmit(vm, MUENNET, len)?,
            virtio: transmit(vm, &virtio, len)?,
        });
    }
    for len in LENGTHS {
        rows.push(Row {
            direction: "receive",
            len,
            muennet: receive(vm, MUENNET, len, &mut by_channel)?,
            virtio: receive(vm, &virtio, len, &mut by_socket)?,
        });
    }
    Ok(rows)
}

/// Instructions to send a packet of `len` bytes.
fn transmit(vm: &mut Vm, interface: &str, len: usize) -> Result<f64> {
    let device = format!("/proc/net/pktgen/{interface}");
    vm.ok("echo rem_device_all >/proc/net/pktgen/kpktgend_0")?;
    vm.ok(&format!(
        "echo add_device {interface} >/proc/net/pktgen/kpktgend_0"
    ))?;
    for setting in [
        &format!("count {AT_A_TIME}"),
        &format!("pkt_size {len}"),
        "clone_skb 0",
        "delay 0",
        "dst_mac 02:00:00:00:00:01",
        "dst 10.0.0.2",
    ] {
        vm.ok(&format!("echo {setting} >{device}"))?;
    }
    let mut costs = Vec::new();
    for _ in 0..TURNS {
        vm.ok("echo start >/proc/net/pktgen/pgctrl")?;
        let said = vm.ok(&format!("cat {device}"))?;
        costs.push(generator_cost(&said).with_context(|| said.clone())?);
    }
    Ok(median(costs))
}

/// Nanoseconds a packet of a generator's report: "… OK: 123(c100+d23) usec, 100 (64byte…".
fn generator_cost(said: &str) -> Option<f64> {
    let (_, rest) = said.split_once("OK: ")?;
    let micros: f64 = rest.split_once('(')?.0.parse().ok()?;
    let (_, rest) = rest.split_once("usec, ")?;
    let packets: f64 = rest.split_whitespace().next()?.parse().ok()?;
    Some(micros * 1000.0 / packets)
}

/// Instructions to receive a frame of `len` bytes.
fn receive(vm: &mut Vm, interface: &str, len: usize, injector: &mut Injector) -> Result<f64> {
    let mut costs = Vec::new();
    let mut disturbed = 0;
    while costs.len() < ROUNDS {
        vm.ok(&format!(
            "rm -f /tmp/meter; meter {interface} --packets {FRAMES} >/tmp/meter 2>&1 &"
        ))?;
        vm.until("grep -q ready /tmp/meter")?;
        injector.send(FRAMES, len)?;
        vm.until("test $(wc -l </tmp/meter) -eq 2")?;
        let said = vm.ok("tail -1 /tmp/meter")?;
        if said.trim() == "disturbed" {
            disturbed += 1;
            ensure!(
                disturbed <= DISTURBED,
                "{interface}: {disturbed} rounds were disturbed"
            );
            continue;
        }
        costs.push(said.trim().parse().with_context(|| said.clone())?);
    }
    Ok(median(costs))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The sender of frames on the host.
struct Injector {
    input: ChildStdin,
    _process: Process,
}

impl Injector {
    fn start(command: &mut Command, wire: &lab::Wire<'_>) -> Result<Self> {
        let mut process =
            Process::start_with_input(command, &wire.folder().join("inject"), Stdio::piped())?;
        process.until_said("ready")?;
        Ok(Self {
            input: process.input().context("no input")?,
            _process: process,
        })
    }

    fn send(&mut self, frames: usize, len: usize) -> Result<()> {
        Ok(writeln!(self.input, "{frames} {len}")?)
    }
}
