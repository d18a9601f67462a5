// SPDX-License-Identifier: MIT OR Apache-2.0
//! Command lines that are refused, and the rights that a bridge needs.

use super::stage::Stage;
use crate::{lab::program, netns::Netns};
use anyhow::{bail, ensure, Result};

/// An ordinary user, by number.
const USER: u32 = 65534;

/// An ordinary user bridges an interface that root made for it: the MTU stays that of the
/// administrator where packets fit, and otherwise the user learns what root is to run.
pub(super) fn ordinary_user(stage: &Stage) -> Result<()> {
    let [a_to_b, b_to_a] = &stage.channels()?;
    let netns = Netns::new("user")?;
    netns.ok(&format!(
        "ip tuntap add dev tap0 mode tap user {USER} && chown {USER} {} {}",
        a_to_b.display(),
        b_to_a.display()
    ))?;
    // In a container /dev/net/tun may be for root alone; Debian lets everybody open it. The
    // folder that is laid over it is seen by this command alone.
    let debian = "mount -t tmpfs none /dev/net && mknod -m 666 /dev/net/tun c 10 200 &&";
    let user = format!("setpriv --reuid {USER} --regid {USER} --clear-groups --inh-caps=-all --");
    let arguments = format!(
        "bridge --tap tap0 --poll 100 --in-file {} --out-file {}",
        b_to_a.display(),
        a_to_b.display()
    );
    let line = format!(
        "{debian} exec {user} {} {arguments}",
        program("muennet-host")?.display()
    );
    for mtu in [1500, 1400] {
        netns.ok(&format!("ip link set tap0 mtu {mtu}"))?;
        let mut command = netns.command("sh");
        let bridge = stage.start(command.args(["-c", &line]), "bridge")?;
        bridge.until_said("bridged")?;
        netns.ok(&format!("ip link show tap0 | grep -q 'mtu {mtu} '"))?;
        bridge.end()?;
    }
    netns.ok("ip link set tap0 mtu 9000")?;
    refused(
        &netns,
        &format!("{debian} {user}"),
        &arguments,
        "have root run: ip link set dev tap0 mtu 1500",
    )?;
    netns
        .ok("ip link show tap0 | grep -q 'mtu 9000 '")
        .map(drop)
}

/// Each wrong command line ends at once, and says what is wrong and what to do.
pub(super) fn command_lines(stage: &Stage) -> Result<()> {
    let server = stage.serve("one-wire.toml")?;
    let netns = Netns::new("refusals")?;
    netns.ok("ip link add veth0 type veth peer name veth1")?;
    let subject = format!("--ivshmem {}", stage.path("linux.sock").display());
    let good = format!("{subject} --in testchannel_2 --out testchannel_1");
    let observe = format!("inspect --observe {}", stage.path("observe").display());
    for (arguments, words) in [
        (
            format!("bridge --tap sixteen-bytes-xx {good}"),
            "\"sixteen-bytes-xx\" is not between 1 and 15 bytes long",
        ),
        (
            format!("bridge --tap veth0 {good}"),
            "veth0: there is an interface of this name that is no tap; take another name",
        ),
        (
            format!("bridge --tap tap0 {subject} --in nowhere --out testchannel_1"),
            "channel \"nowhere\"",
        ),
        (
            format!("bridge --tap tap0 {subject} --in testchannel_1 --out testchannel_2"),
            "channel \"testchannel_1\"",
        ),
        (
            "bridge --tap tap0 --ivshmem /nowhere --in a --out b".to_owned(),
            "is muen-ivshmem running?",
        ),
        (
            "bridge --tap tap0 --in-file /dev/null --out-file /dev/null".to_owned(),
            "cannot map /dev/null",
        ),
        (
            format!("bridge --tap tap0 --tun tun0 {good}"),
            "cannot be used with",
        ),
        (
            format!("bridge --tap tap0 --reader-protocol 0 {good}"),
            "give a hexadecimal number",
        ),
        (
            format!("{observe} --channel nowhere"),
            "there is no channel \"nowhere\"; there are testchannel_1, testchannel_2",
        ),
        (
            format!("{observe} --pcap /nowhere/file"),
            "cannot record to /nowhere/file",
        ),
        (
            "inspect --observe /nowhere".to_owned(),
            "if muen-ivshmem was started with --observe",
        ),
    ] {
        refused(&netns, "", &arguments, words)?;
    }
    // Not root any more, but able to connect.
    let nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --";
    netns.ok(&format!("chmod 666 {}", stage.path("linux.sock").display()))?;
    let arguments = format!("bridge --tap tap0 {good}");
    refused(
        &netns,
        nobody,
        &arguments,
        "ip tuntap add dev tap0 mode tap user NAME",
    )?;

    // The interface is another program's, and then it is deleted under its hands.
    netns.interface("tap", "tap0", &[])?;
    let holding = stage.start(
        &mut stage.bridge(
            &netns,
            ["--tap", "tap0"],
            ("linux", "testchannel_2", "testchannel_1"),
        )?,
        "bridge",
    )?;
    holding.until_said("bridged")?;
    let other = format!(
        "bridge --tap tap0 --ivshmem {} --in testchannel_1 --out testchannel_2",
        stage.path("echo.sock").display()
    );
    refused(
        &netns,
        "",
        &other,
        "tap0: another program uses this interface",
    )?;
    netns.ok("ip link del tap0")?;
    holding.until_said("cannot read from it")?;
    server.end().map(drop)
}

fn refused(netns: &Netns, prefix: &str, arguments: &str, words: &str) -> Result<()> {
    let program = program("muennet-host")?;
    let line = format!("{prefix} timeout 10 {} {arguments}", program.display());
    match netns.ok(&line) {
        Ok(said) => bail!("\"{arguments}\" is taken:\n{said}"),
        Err(error) => {
            let error = format!("{error:#}");
            ensure!(
                error.contains(words),
                "\"{arguments}\" does not say \"{words}\":\n{error}"
            );
            Ok(())
        }
    }
}
