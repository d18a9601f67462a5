// SPDX-License-Identifier: MIT OR Apache-2.0
//! smoltcp's example server on the device, asked by Linux on all its ports.

use crate::{
    lab::{carrier, load, Lab},
    upstream,
};
use anyhow::{ensure, Result};

/// Bytes of the sinkhole and the fountain.
const BYTES: usize = 1 << 20;

/// All of it.
pub fn upstream(lab: &Lab) -> Result<()> {
    let program = upstream::server()?;
    let wire = lab.serve("one-wire.toml")?;
    let server = wire.component(&program)?;
    let mut vm = wire.vm("linux")?;
    load(
        &mut vm,
        "testchannel_2",
        "testchannel_1",
        "192.168.69.100/24",
        "",
    )?;
    vm.ok("ip addr add fdaa::100/64 dev net0 nodad")?;
    carrier(&mut vm)?;
    for address in ["192.168.69.1", "fdaa::1"] {
        let ping = vm.ok(&format!("ping -c 5 -i 0.1 {address}"))?;
        ensure!(ping.contains(" 0% packet loss"), "{ping}");
        let mut ask = |what: &str, port: u16, then: &str| {
            let said = vm.ok(&format!(
                "timeout 20 bash -c 'exec 3<>/dev/{what}/{address}/{port}; {then}'"
            ))?;
            Ok::<_, anyhow::Error>(said.trim().to_owned())
        };
        for (what, port, then, expected) in [
            ("tcp", 6969, "head -n 1 <&3", "hello"),
            ("udp", 6969, "echo anybody >&3; head -c 8 <&3", "ydobyna"),
            ("tcp", 6970, "echo smoltcp >&3; head -n 1 <&3", "pctloms"),
            (
                "tcp",
                6971,
                &format!("head -c {BYTES} /dev/zero >&3; echo $?"),
                "0",
            ),
            (
                "tcp",
                6972,
                &format!("head -c {BYTES} <&3 | wc -c"),
                &BYTES.to_string(),
            ),
        ] {
            let said = ask(what, port, then)?;
            ensure!(
                said == expected,
                "{address}, {what} port {port}: \"{said}\" instead of \"{expected}\"; the server \
                 says:\n{}",
                server.said()
            );
        }
    }
    drop(server);
    vm.finish()
}
