// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything comes and goes at once, under traffic both ways: the interface goes down
//! and up, children are made and deleted, the peer begins anew, and the module is
//! loaded and unloaded.

use crate::{lab::Lab, target::Flavour, vm::Vm};
use anyhow::{ensure, Context, Result};

/// Rounds of each, if MUENNET_ROUNDS does not say: on Debian's kernel, and on the one
/// that looks for mistakes.
const ROUNDS: usize = 200;
const DEBUG_ROUNDS: usize = 1000;
/// Rounds for one command in the VM.
const PIECE: usize = 50;

/// The interface goes down and up, told to `ip -batch`: one process does it all.
const LINK: &str = "link set net0 down\\naddr replace 10.0.0.1/32 dev net0\\n\
                    link set net0 up\\nroute replace 10.0.0.0/16 dev net0\\n";
/// A child with a mark and traffic comes and goes.
const CHILD: &str = "link add link net0 name c9 type muennet mark 60\\nlink set c9 up\\n\
                     link set c9 down\\nlink del c9\\n";
/// The same by the family of old.
const OLD_CHILD: &str = "muennet_cfg add_child net0 c8 && muennet_cfg add_mark c8 61 && \
                         ip link set c8 up && muennet_cfg del_child c8";
/// The module's parameters.
const PARAMETERS: &str = "name=net0 reader_protocol=2 writer_protocol=2 in=b_to_a out=a_to_b \
                          flags=net_hdr";

/// A VM with two processors, since what races must run at once, and a peer that comes
/// and goes all the time and sends with the marks of the children.
pub fn churn(lab: &Lab) -> Result<()> {
    let rounds = match (std::env::var("MUENNET_ROUNDS"), lab.tree.flavour()) {
        (Ok(number), _) => number.parse().context("MUENNET_ROUNDS is no number")?,
        (Err(_), Flavour::Debug) => DEBUG_ROUNDS,
        (Err(_), _) => ROUNDS,
    };
    let wire = lab.serve("children.toml")?;
    let mut vm = wire.vm_with("linux-a", &["-smp", "2"])?;
    let processors = vm.ok("nproc")?;
    ensure!(
        processors.trim() == "2",
        "the VM has {processors} processors"
    );
    let times = rounds.to_string();
    let mut arguments = vec!["come-and-go", "b_to_a", "--mode", "net-hdr"];
    arguments.extend([
        "--times", &times, "--mark", "0", "--mark", "60", "--mark", "61",
    ]);
    let mut peer = wire.peer_that_stays("linux-b", &arguments)?;
    for (file, lines) in [("links", LINK), ("children", CHILD)] {
        vm.ok(&format!(
            "printf '{lines}' >/tmp/{file}; for i in $(seq {PIECE}); do cat /tmp/{file}; done \
             >/tmp/{file}.all"
        ))?;
    }
    vm.ok(&format!("modprobe muennet {PARAMETERS}"))?;
    vm.ok("ip -batch /tmp/links")?;
    vm.ok(
        "( until [ -e /tmp/quiet ]; do ping -q -c 1000 -i 0.01 10.0.0.2; done ) >/dev/null 2>&1 &",
    )?;

    for done in (0..rounds).step_by(PIECE) {
        at_once(&mut vm).with_context(|| format!("after {done} rounds of links and children"))?;
    }
    for done in (0..rounds).step_by(PIECE) {
        loads(&mut vm).with_context(|| format!("after {done} loads"))?;
    }

    ensure!(peer.is_running()?, "the peer failed:\n{}", peer.said());
    let said = peer.said();
    ensure!(
        said.contains(&format!("came {times} times")),
        "the peer has not begun anew {times} times:\n{said}"
    );
    // What it sends still arrives.
    vm.ok("ip link add link net0 name c9 type muennet mark 60 && ip link set c9 up")?;
    vm.until("[ $(cat /sys/class/net/c9/statistics/rx_packets) -gt 0 ]")?;
    vm.ok("touch /tmp/quiet; killall ping || true")?;
    vm.finish()
}

/// Links and children, a piece of each.
fn at_once(vm: &mut Vm) -> Result<()> {
    vm.ok(&format!(
        "ip -batch /tmp/links.all & links=$!; ip -batch /tmp/children.all & children=$!; \
         for i in $(seq {}); do {OLD_CHILD} || exit; done; wait $links && wait $children",
        PIECE / 10
    ))
    .map(drop)
}

/// A piece of loads and unloads, while links and children do what they can.
fn loads(vm: &mut Vm) -> Result<()> {
    let meanwhile = |file: &str| {
        format!(
            "( until [ -e /tmp/done ]; do ip -force -batch /tmp/{file}; done ) >/dev/null 2>&1 &"
        )
    };
    // Readers of the files, and dumps: the module is asked again when they keep it.
    let readers = "( until [ -e /tmp/done ]; do cat /sys/kernel/debug/muennet/net*/info; \
                   muennet_cfg list; ethtool -S net0; done ) >/dev/null 2>&1 &";
    vm.ok(&format!(
        "rm -f /tmp/done; {readers} {} {} reload muennet /lib/modules/*/extra/muennet.ko --times {PIECE} \
         -- {PARAMETERS} || exit; touch /tmp/done; wait; ip -batch /tmp/links",
        meanwhile("links"),
        meanwhile("children")
    ))
    .map(drop)
}
