// SPDX-License-Identifier: MIT OR Apache-2.0
//! A hundred loads and unloads under a flood of pings from the other side: nothing
//! is said in the log, nothing leaks.

use crate::{
    lab::{carrier, load, Lab},
    target::Flavour,
    vm::Vm,
};
use anyhow::{ensure, Context, Result};

const TIMES: usize = 100;
/// Before the counting starts, what is made once has been made.
const WARM: usize = 5;

/// Two Linux VMs; one of them pings without pause, the other comes and goes.
pub fn reload(lab: &Lab) -> Result<()> {
    let wire = lab.serve("two-linux.toml")?;
    let mut a = wire.vm("linux-a")?;
    let mut b = wire.vm("linux-b")?;
    load(&mut b, "a_to_b", "b_to_a", "192.168.7.2/24", "")?;
    load_a(&mut a)?;
    carrier(&mut a)?;
    open_file(&mut a)?;
    open_sockets(&mut a)?;
    // A known neighbour, so that the flood never pauses to ask who is there.
    b.ok(&format!(
        "ip neigh replace 192.168.7.1 lladdr {ADDRESS} dev net0 nud permanent"
    ))?;
    b.ok("ping -f -q 192.168.7.1 >/dev/null 2>&1 &")?;
    let again = |vm: &mut Vm, times: usize| -> Result<()> {
        for _ in 0..times {
            vm.ok("rmmod muennet")?;
            load_a(vm)?;
        }
        Ok(())
    };
    again(&mut a, WARM)?;
    if lab.tree.flavour() == Flavour::Debug {
        // KASAN keeps what was freed for a while, so that counts say nothing;
        // kmemleak looks at the end.
        again(&mut a, TIMES)?;
    } else {
        counted(&mut a, again)?;
    }
    carrier(&mut a)?;
    b.ok("killall ping; ping -c 1 -W 5 192.168.7.1 || ping -c 3 192.168.7.1")?;
    a.finish()?;
    b.finish()
}

/// While the file in debugfs is open, the module stays; the file can be read to its end
/// and closed.
fn open_file(vm: &mut Vm) -> Result<()> {
    vm.ok(&format!(
        "exec 5<{INFO} && read first <&5 && ! rmmod muennet && cat <&5 | grep -q rx_lost \
         && exec 5<&- && rmmod muennet && ! cat {INFO}"
    ))
    .context("the file in debugfs while the module is asked to go")?;
    load_a(vm)?;
    // Opened by another process, which is killed.
    vm.ok(&format!(
        "sleep 1000 <{INFO} & until [ -e /proc/$!/fd/0 ] && ! rmmod muennet; do :; done; \
         kill $!; wait $!; rmmod muennet"
    ))
    .context("a file that another process keeps open")?;
    load_a(vm)
}

/// Sockets of every kind that know the interface do not keep the module, and end well.
fn open_sockets(vm: &mut Vm) -> Result<()> {
    vm.ok(
        "tcpdump -i net0 -w /tmp/packets 2>/tmp/looking & packets=$!; \
         ip monitor all >/tmp/monitor 2>&1 & monitor=$!; \
         nc -l -p 5000 -s 192.168.7.1 >/tmp/listener 2>&1 & listener=$!; \
         until grep -q listening /tmp/looking; do sleep 0.1; done; \
         muennet_cfg list && rmmod muennet && ethtool -i net0; \
         kill $packets $monitor $listener; wait; ! ip link show net0",
    )
    .context("the module is unloaded under sockets")?;
    load_a(vm)
}

/// Loads again and again; no cache may grow with it.
fn counted(vm: &mut Vm, again: impl Fn(&mut Vm, usize) -> Result<()>) -> Result<()> {
    let before = objects(vm)?;
    again(vm, TIMES)?;
    let after = objects(vm)?;
    for ((cache, before), (_, after)) in before.iter().zip(&after) {
        // Objects on their way are a few; a leak is one per load or more.
        ensure!(
            *after < before + TIMES as i64 / 2,
            "{cache} grew from {before} to {after} objects in {TIMES} loads"
        );
    }
    Ok(())
}

/// The file of the interface in debugfs.
const INFO: &str = "/sys/kernel/debug/muennet/net0/info";

/// The interface's hardware address, the same at every load.
const ADDRESS: &str = "02:00:00:00:00:01";

fn load_a(vm: &mut Vm) -> Result<()> {
    load(vm, "b_to_a", "a_to_b", "192.168.7.1/24", "")?;
    vm.ok(&format!("ip link set net0 address {ADDRESS}"))
        .map(drop)
}

/// Caches that a load takes from, with their objects in use.
fn objects(vm: &mut Vm) -> Result<Vec<(&'static str, i64)>> {
    // Frees what waits for readers to end.
    vm.ok("rmmod muennet && sleep 0.2 && echo 1 >/sys/kernel/slab/kmalloc-8k/shrink")?;
    let slabs = vm.ok("cat /proc/slabinfo")?;
    load_a(vm)?;
    let caches = [
        "skbuff_head_cache",
        "kmalloc-8k",
        "kmalloc-4k",
        "kmalloc-2k",
        "kmalloc-1k",
        "kmalloc-512",
        "inode_cache",
    ];
    caches
        .into_iter()
        .map(|cache| {
            let line = slabs
                .lines()
                .find(|line| line.split_whitespace().next() == Some(cache))
                .with_context(|| format!("no cache {cache} in:\n{slabs}"))?;
            let used = line.split_whitespace().nth(1).context("no count")?;
            Ok((cache, used.parse()?))
        })
        .collect()
}
