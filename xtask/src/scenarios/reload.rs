// SPDX-License-Identifier: MIT OR Apache-2.0
//! A hundred loads and unloads under a flood of pings from the other side: nothing
//! is said in the log, nothing leaks.

use crate::{
    lab::{carrier, load, Lab},
    tree::Flavour,
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
