// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pings without pause in a VM, of which no answer may come twice: a restarted end that
//! reads old frames would answer again.

use crate::vm::Vm;
use anyhow::{ensure, Result};

/// Begins to ping `address`, and goes on until [`end`].
pub(super) fn begin(vm: &mut Vm, address: &str) -> Result<()> {
    vm.ok(&format!(
        "(until [ -e /tmp/end ]; do ping -n -c 1000 -i 0.002 -W 1 {address}; done) \
         >>/tmp/pings 2>&1 &"
    ))
    .map(drop)
}

/// Forgets the answers so far, and waits for as many as `answers`.
pub(super) fn answered(vm: &mut Vm, answers: u64) -> Result<()> {
    vm.ok(": >/tmp/pings")?;
    vm.until(&format!(
        "test $(grep -c 'bytes from' /tmp/pings) -ge {answers}"
    ))
    .map(drop)
}

/// Pings `address`: each ping is answered, and exactly once.
pub(super) fn each_answered(vm: &mut Vm, address: &str, number: u64) -> Result<()> {
    let said = vm.ok(&format!("ping -n -c {number} -i 0.01 {address}"))?;
    let twice = ["DUP!", "duplicates"]
        .iter()
        .any(|word| said.contains(word));
    ensure!(
        said.contains(&format!("{number} received")) && !twice,
        "{said}"
    );
    Ok(())
}

/// Ends the pings.
pub(super) fn end(vm: &mut Vm) -> Result<()> {
    vm.ok(
        "touch /tmp/end; killall -INT ping; while pidof ping >/dev/null; do sleep 0.1; done; \
         rm /tmp/end",
    )
    .map(drop)
}

/// Fails if an answer came twice since the last [`answered`], or the beginning.
pub(super) fn none_twice(vm: &mut Vm) -> Result<()> {
    let twice = vm.run("grep -m 5 -e 'DUP!' -e duplicates /tmp/pings")?;
    ensure!(twice.status != 0, "answers came twice:\n{}", twice.text);
    vm.ok("grep -q 'bytes from' /tmp/pings").map(drop)
}
