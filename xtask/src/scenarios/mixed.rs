// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two architectures on one wire: two memory models, and two kernels' ideas of a packet.

use super::modes::ping;
use crate::{lab::Lab, vm::Vm};
use anyhow::{ensure, Result};

/// Modes in which bytes are compared.
const MODES: [&str; 2] = ["net_hdr", "eth_dev"];
/// MiB that are sent each way, by default.
const MEBIBYTES: u32 = 16;

/// A VM of `lab` and one of `other`; MUENNET_MEBIBYTES sets how much they send.
pub fn mixed(lab: &Lab, other: &Lab) -> Result<()> {
    let mebibytes = match std::env::var("MUENNET_MEBIBYTES") {
        Ok(number) => number.parse()?,
        Err(_) => MEBIBYTES,
    };
    let wire = lab.serve("modes.toml")?;
    let mut a = wire.vm("linux-a")?;
    let mut b = wire.vm_of(other, "linux-b")?;
    for mode in MODES {
        let load = |input: &str, output: &str, address: &str| {
            format!(
                "modprobe muennet name=net0 reader_protocol=2 writer_protocol=2 in={input} \
                 out={output} flags={mode} && ip addr add {address} dev net0 && \
                 ip link set net0 up && ip route replace 10.0.0.0/24 dev net0"
            )
        };
        a.ok(&load("channel_in", "channel_out", "10.0.0.1/32"))?;
        b.ok(&load("channel_out", "channel_in", "10.0.0.2/32"))?;
        ping(&mut a, "10.0.0.2")?;
        copied(&mut a, &mut b, "10.0.0.2", mebibytes)?;
        copied(&mut b, &mut a, "10.0.0.1", mebibytes)?;
        println!("      {mode}: {mebibytes} MiB each way, every byte right");
        a.ok("modprobe -r muennet")?;
        b.ok("modprobe -r muennet")?;
    }
    a.finish()?;
    b.finish()
}

/// Sends random bytes over TCP, and compares their digests at both ends.
fn copied(from: &mut Vm, to: &mut Vm, address: &str, mebibytes: u32) -> Result<()> {
    // Its input stays open: at the end of it nc would close the connection for both.
    to.ok("sleep 900 | nc -l -p 5000 >/tmp/received & echo $! >/tmp/pid")?;
    to.until("netstat -ltn | grep -q :5000")?;
    from.ok(&format!(
        "dd if=/dev/urandom of=/tmp/sent bs=1M count={mebibytes}"
    ))?;
    from.ok(&format!("nc {address} 5000 </tmp/sent"))?;
    to.until("! kill -0 $(cat /tmp/pid)")?;
    let sent = from.ok("sha256sum </tmp/sent; wc -c </tmp/sent; rm /tmp/sent")?;
    let received = to.ok("sha256sum </tmp/received; wc -c </tmp/received; rm /tmp/received")?;
    ensure!(
        sent == received && sent.contains(&(u64::from(mebibytes) << 20).to_string()),
        "sent was\n{sent}received was\n{received}"
    );
    Ok(())
}
