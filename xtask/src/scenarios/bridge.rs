// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bridge before virtual machines: programs of this host, in a network namespace,
//! reach a unikernel and a Linux that know nothing of it.

use crate::{
    cache::need_program,
    host::{megabits, said, RECOVERED},
    lab::{carrier, load, program, Lab, Wire},
    netns::Netns,
    process::Process,
    unikernel::Image,
};
use anyhow::{ensure, Result};
use std::time::{Duration, Instant};

/// Restarts of each side, of which the fastest counts.
const RESTARTS: usize = 3;

/// All of it.
pub fn bridge(lab: &Lab) -> Result<()> {
    for (name, package) in [
        ("ip", "iproute2"),
        ("ping", "iputils-ping"),
        ("curl", "curl"),
        ("iperf3", "iperf3"),
    ] {
        need_program(name, package)?;
    }
    unikernel(lab)?;
    linux(lab)
}

/// A bridge as the subject `subject`, in a namespace.
fn start(wire: &Wire<'_>, netns: &Netns, [subject, input, output]: [&str; 3]) -> Result<Process> {
    let mut command = netns.command(program("muennet-host")?);
    command
        .args(["bridge", "--tap", "tap0", "--ivshmem"])
        .arg(wire.folder().join(format!("{subject}.sock")))
        .args(["--in", input, "--out", output]);
    let bridge = Process::start(&mut command, &wire.folder().join("bridge"))?;
    bridge.until_said("bridged")?;
    Ok(bridge)
}

fn unikernel(lab: &Lab) -> Result<()> {
    let image = Image::Qemu.build()?;
    let wire = lab.serve("one-wire.toml")?;
    let netns = Netns::new("bridge")?;
    netns.interface("tap", "tap0", &["192.168.7.1/24"])?;
    let bridge = || start(&wire, &netns, ["linux", "testchannel_2", "testchannel_1"]);
    let boot = || wire.unikernel(&image, "echo", "in=testchannel_1 out=testchannel_2");
    let answers = || -> Result<()> {
        netns.up("tap0")?;
        netns.until("ping -c 1 -W 1 192.168.7.2").map(drop)
    };
    let mut bridging = bridge()?;
    let mut running = boot()?;
    answers()?;
    netns.ok("ping -c 5 -i 0.05 192.168.7.2")?;
    let page = netns.ok("curl --silent --show-error --fail http://192.168.7.2/")?;
    ensure!(page.contains("peer      192.168.7.1:"), "{page}");
    let probe = program("probe")?;
    let probe = probe.display();
    netns.ok(&format!("{probe} tcp 192.168.7.2:7 --bytes 1000000"))?;
    netns.ok(&format!("{probe} udp 192.168.7.2:7 --to 200"))?;
    iperf3(&netns, "a unikernel", [5201; 2])?;
    let refused = |line: &str, words: &str| {
        let said = netns.ok(&format!("iperf3 -c 192.168.7.2 {line} 2>&1 || true"))?;
        ensure!(said.contains(words), "iperf3 {line} says:\n{said}");
        Ok::<_, anyhow::Error>(())
    };
    for line in ["-u", "--bidir", "-P 2", "-R -b 1M"] {
        refused(line, "not implemented yet")?;
    }
    let mut long = netns.command("iperf3");
    long.args(["-c", "192.168.7.2", "-t", "30", "--forceflush"]);
    let long = Process::start(&mut long, &wire.folder().join("iperf3"))?;
    long.until_said("connected to")?;
    refused("", "the server is busy running a test")?;
    // It ends without taking leave; the next is served.
    drop(long);
    netns.until("iperf3 -c 192.168.7.2 -n 100K")?;

    let mut took = [Duration::MAX; 2];
    for _ in 0..RESTARTS {
        drop(bridging);
        netns.down("tap0")?;
        let start = Instant::now();
        bridging = bridge()?;
        answers()?;
        took[0] = took[0].min(start.elapsed());

        drop(running);
        netns.down("tap0")?;
        running = boot()?;
        answers()?;
        took[1] = took[1].min(running.started().elapsed());
    }
    ensure!(
        took.iter().all(|took| *took <= RECOVERED),
        "killed and started again, it takes {took:?} until ping is answered"
    );
    said(&format!(
        "killed and started again, ping is answered after {} ms (bridge), {} ms (unikernel, its \
         boot included)",
        took[0].as_millis(),
        took[1].as_millis()
    ));
    bridging.end().map(drop)
}

/// Both directions, each to the port that serves it; says how fast they are.
fn iperf3(netns: &Netns, whom: &str, ports: [u16; 2]) -> Result<()> {
    let mut rates = [0.0; 2];
    for ((rate, port), way) in rates.iter_mut().zip(ports).zip(["", "-R"]) {
        let line = format!("iperf3 -c 192.168.7.2 -p {port} -t 2 -f m {way}");
        *rate = megabits(&netns.ok(&line)?)?;
    }
    said(&format!(
        "iperf3 to {whom} by the bridge: {:.0} Mbit/s, back {:.0} Mbit/s",
        rates[0], rates[1]
    ));
    Ok(())
}

fn linux(lab: &Lab) -> Result<()> {
    let wire = lab.serve("two-linux.toml")?;
    let netns = Netns::new("bridge")?;
    netns.interface("tap", "tap0", &["192.168.7.1/24"])?;
    let bridging = start(&wire, &netns, ["linux-a", "b_to_a", "a_to_b"])?;
    let mut vm = wire.vm("linux-b")?;
    load(&mut vm, "a_to_b", "b_to_a", "192.168.7.2/24", "")?;
    carrier(&mut vm)?;
    netns.up("tap0")?;
    netns.until("ping -c 1 -W 1 192.168.7.2")?;
    // A server each: after a test iperf3 closes its port for a moment.
    let ports = [5201, 5202];
    for port in ports {
        vm.ok(&format!("iperf3 -s -D -p {port}"))?;
        vm.until(&format!("netstat -ltn | grep -q :{port}"))?;
    }
    iperf3(&netns, "a Linux VM", ports)?;
    bridging.end()?;
    vm.until("grep -q 0 /sys/class/net/net0/carrier")?;
    vm.finish()
}
