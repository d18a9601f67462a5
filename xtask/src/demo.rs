// SPDX-License-Identifier: MIT OR Apache-2.0
//! The demos: two ends on one wire.

use crate::{
    lab::{carrier, load, Lab, Wire},
    progress::{self, Seconds},
    unikernel::{Image, Unikernel},
    vm::Vm,
};
use anyhow::{ensure, Context, Result};
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// Lines of a summary, said as they become true.
struct Summary {
    step: Instant,
}

impl Summary {
    fn start() -> Self {
        Self {
            step: Instant::now(),
        }
    }

    fn line(&mut self, what: &str, result: &str) {
        println!("  {what:<28} {result:<52} {}", Seconds(self.step.elapsed()));
        self.step = Instant::now();
    }
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or_default().trim()
}

/// A Linux VM and a Rust component.
pub fn one_wire() -> Result<()> {
    let lab = Lab::open()?;
    println!("\nA Linux VM (192.168.7.1) and a Rust component (192.168.7.2) on muennet channels");
    one_wire_in(&lab)
}

/// The demo in a laboratory that is there.
pub fn one_wire_in(lab: &Lab) -> Result<()> {
    let mut summary = Summary::start();
    let wire = lab.serve("one-wire.toml")?;
    let echo = wire.echo()?;
    let mut vm = wire.vm("linux")?;
    summary.line("stock Debian kernel", lab.tree.release());

    load(
        &mut vm,
        "testchannel_2",
        "testchannel_1",
        "192.168.7.1/24",
        "",
    )?;
    carrier(&mut vm)?;
    summary.line("modprobe, carrier", "net0 is up");

    answers(&mut vm, &mut summary)?;

    vm.finish()?;
    let said = echo.terminate();
    summary.line("clean end", last_line(&said).trim_start_matches("echo: "));
    println!("\nAll of it works. Next: cargo xtask shell, or the README's \"In a Linux subject\".");
    Ok(())
}

/// Ping, TCP and UDP echo from Linux.
fn answers(vm: &mut Vm, summary: &mut Summary) -> Result<()> {
    let ping = vm.ok("ping -c 10 -i 0.1 192.168.7.2")?;
    ensure!(ping.contains(" 0% packet loss"), "{ping}");
    summary.line("10 pings", last_line(&ping));

    let tcp = vm.ok("probe tcp 192.168.7.2:7 --bytes 10485760")?;
    let (said, hash) = last_line(&tcp)
        .split_once(", sha256 ")
        .context("no checksum")?;
    summary.line("10 MB through TCP echo", &said[5..]);
    summary.line("  checksum there and back", &hash[..40]);

    let udp = vm.ok("probe udp 192.168.7.2:7 --to 1472")?;
    summary.line("UDP echo of 1..1472 bytes", &last_line(&udp)[5..]);
    Ok(())
}

/// iperf3 from Linux, both ways.
fn iperf3(vm: &mut Vm, summary: &mut Summary) -> Result<()> {
    for (what, flag) in [("iperf3 there", ""), ("iperf3 back", "-R")] {
        let said = vm.ok(&format!("iperf3 -c 192.168.7.2 -t 3 -f m {flag}"))?;
        let line = said
            .lines()
            .rfind(|line| line.contains("receiver"))
            .with_context(|| format!("no result of iperf3:\n{said}"))?;
        let words: Vec<_> = line.split_whitespace().skip(2).collect();
        summary.line(what, &words.join(" "));
    }
    Ok(())
}

/// Two Linux VMs.
pub fn two_linux() -> Result<()> {
    let lab = Lab::open()?;
    println!("\nTwo Linux VMs (192.168.7.1, 192.168.7.2) on muennet channels");
    two_linux_in(&lab)
}

/// The demo between two Linux VMs in a laboratory that is there.
pub fn two_linux_in(lab: &Lab) -> Result<()> {
    let mut summary = Summary::start();
    let wire = lab.serve("two-linux.toml")?;
    let (mut a, mut b) = std::thread::scope(|scope| -> Result<_> {
        let b = scope.spawn(|| wire.vm("linux-b"));
        let a = wire.vm("linux-a")?;
        let b = b
            .join()
            .map_err(|_| anyhow::anyhow!("booting linux-b failed"))??;
        Ok((a, b))
    })?;
    summary.line("two stock Debian kernels", lab.tree.release());
    load(&mut a, "b_to_a", "a_to_b", "192.168.7.1/24", "")?;
    load(&mut b, "a_to_b", "b_to_a", "192.168.7.2/24", "")?;
    carrier(&mut a)?;
    carrier(&mut b)?;
    summary.line("modprobe, carrier", "net0 is up on both");
    let ping = a.ok("ping -c 10 -i 0.1 192.168.7.2")?;
    ensure!(ping.contains(" 0% packet loss"), "{ping}");
    summary.line("10 pings", last_line(&ping));
    b.ok("iperf3 -s -D")?;
    b.until("netstat -ltn | grep -q :5201")?;
    iperf3(&mut a, &mut summary)?;
    a.finish()?;
    b.finish()?;
    println!("\nAll of it works.");
    Ok(())
}

/// A Linux VM and a VM without an operating system.
pub fn unikernel() -> Result<()> {
    let lab = Lab::open()?;
    let image = progress::step("unikernel", || Image::Qemu.build())?;
    println!("\nA Linux VM (192.168.7.1) and a unikernel (192.168.7.2) on muennet channels");
    unikernel_in(&lab, &image)
}

/// The demo in a laboratory that is there.
pub fn unikernel_in(lab: &Lab, image: &Path) -> Result<()> {
    let mut summary = Summary::start();
    let wire = lab.serve("one-wire.toml")?;
    let mut vm = wire.vm("linux")?;
    summary.line("stock Debian kernel", lab.tree.release());
    load(
        &mut vm,
        "testchannel_2",
        "testchannel_1",
        "192.168.7.1/24",
        "",
    )?;
    let size = std::fs::metadata(image)?.len();
    let (mut unikernel, took) = first_ping(&wire, &mut vm, image)?;
    summary.line(
        "unikernel, first ping",
        &format!(
            "{} KiB, {} ms after its start",
            size / 1024,
            took.as_millis()
        ),
    );
    unikernel.until_said("link up")?;

    answers(&mut vm, &mut summary)?;
    iperf3(&mut vm, &mut summary)?;

    let page = vm.ok("curl --silent --show-error --fail http://192.168.7.2/")?;
    for word in ["subject   echo", "link      up", "peer      192.168.7.1:"] {
        ensure!(page.contains(word), "the page lacks \"{word}\":\n{page}");
    }
    summary.line("curl of the status page", &format!("{} bytes:", page.len()));
    for line in page.lines() {
        println!("    {line}");
    }

    vm.ok("curl --silent --show-error --fail --data '' http://192.168.7.2/shutdown")?;
    let said = unikernel.ended()?;
    ensure!(said.contains("unikernel: the end"), "{said}");
    vm.until("grep -q 0 /sys/class/net/net0/carrier")?;
    vm.finish()?;
    summary.line("clean end", "both machines powered off");
    println!("\nAll of it works.");
    Ok(())
}

/// The unikernel's command line on the wire to Linux.
pub const WORDS: &str = "in=testchannel_1 out=testchannel_2 shutdown=allowed";

/// Starts the unikernel while Linux pings it; how long after QEMU's start the first
/// answer came.
pub fn first_ping(wire: &Wire<'_>, vm: &mut Vm, image: &Path) -> Result<(Unikernel, Duration)> {
    // Linux would ask for the hardware address once a second.
    vm.ok("ip neigh replace 192.168.7.2 lladdr 02:00:00:00:00:02 dev net0")?;
    let (unikernel, answered) = std::thread::scope(|scope| -> Result<_> {
        let ping = scope.spawn(|| {
            let answer = "until ping -q -n -c 1 -W 0.05 192.168.7.2 >/dev/null 2>&1; do :; done";
            vm.ok(answer).map(|_| Instant::now())
        });
        let unikernel = wire.unikernel(image, "echo", WORDS)?;
        let answered = ping
            .join()
            .map_err(|_| anyhow::anyhow!("pinging the unikernel failed"))??;
        Ok((unikernel, answered))
    })?;
    let took = answered.duration_since(unikernel.started());
    vm.ok("ip neigh del 192.168.7.2 dev net0")?;
    Ok((unikernel, took))
}
