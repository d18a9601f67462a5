// SPDX-License-Identifier: MIT OR Apache-2.0
//! As many interfaces as the module can have, of both modes, with and without events,
//! by one line of modprobe; all of them carry traffic at once.

use crate::{lab::Lab, run::target, vm::Vm};
use anyhow::{ensure, Context, Result};
use std::fmt::Write;

/// The bound of the original's parameters.
const INTERFACES: usize = 32;
/// Pings by each interface.
const PINGS: usize = 5;

/// Two Linux VMs with all their interfaces joined.
pub fn many(lab: &Lab) -> Result<()> {
    let policy = target("many.toml")?;
    std::fs::write(&policy, self::policy()?)?;
    let wire = lab.serve(policy.to_str().context("a path that is no text")?)?;
    let mut a = wire.vm("linux-a")?;
    let mut b = wire.vm("linux-b")?;
    load(&mut a, "b_to_a", "a_to_b", 1)?;
    load(&mut b, "a_to_b", "b_to_a", 2)?;
    for n in 0..INTERFACES {
        a.until(&format!("grep -q 1 /sys/class/net/net{n}/carrier"))?;
    }
    let said = a.ok(&format!(
        "for n in $(seq 0 {}); do ping -c {PINGS} -i 0.1 10.$n.0.2 & done; wait",
        INTERFACES - 1
    ))?;
    let whole = said.matches(" 0% packet loss").count();
    ensure!(
        whole == INTERFACES,
        "{whole} of {INTERFACES} interfaces carried all of their pings:\n{said}"
    );
    let listed = a.ok("muennet_cfg list --json")?;
    let names = listed.matches("\"mode\":").count();
    ensure!(names == INTERFACES, "{names} interfaces are listed");
    for vm in [&mut a, &mut b] {
        vm.ok("modprobe -r muennet")?;
        let left = vm.ok("ip -o link")?;
        ensure!(!left.contains("net0"), "interfaces stay:\n{left}");
    }
    a.finish()?;
    b.finish()
}

/// A pair of channels for each interface; every other pair has events.
fn policy() -> Result<String> {
    let mut text = String::new();
    for subject in ["linux-a", "linux-b"] {
        writeln!(text, "[[subject]]\nname = \"{subject}\"")?;
    }
    for n in 0..INTERFACES {
        for (from, to) in [("a", "b"), ("b", "a")] {
            writeln!(
                text,
                "[[channel]]\nname = \"{from}_to_{to}_{n}\"\nsize = \"64K\"\n\
                 writer = \"linux-{from}\"\nreader = \"linux-{to}\"\nevent = {}",
                n % 2 == 0
            )?;
        }
    }
    Ok(text)
}

/// Loads the module with all interfaces: the parameters are lists.
fn load(vm: &mut Vm, input: &str, output: &str, host: u8) -> Result<()> {
    let list = |what: &dyn Fn(usize) -> String| {
        let items: Vec<_> = (0..INTERFACES).map(what).collect();
        items.join(",")
    };
    let mode = |n: usize| if n % 4 < 2 { "eth_dev" } else { "net_hdr" };
    let protocols = list(&|n| (n + 1).to_string());
    vm.ok(&format!(
        "modprobe muennet name={} reader_protocol={protocols} writer_protocol={protocols} \
         in={} out={} flags={}",
        list(&|n| format!("net{n}")),
        list(&|n| format!("{input}_{n}")),
        list(&|n| format!("{output}_{n}")),
        list(&|n| mode(n).to_owned()),
    ))?;
    vm.ok(&format!(
        "for n in $(seq 0 {}); do \
         ip addr add 10.$n.0.{host}/24 dev net$n && ip link set net$n up || exit; done",
        INTERFACES - 1
    ))
    .map(drop)
}
