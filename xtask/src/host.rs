// SPDX-License-Identifier: MIT OR Apache-2.0
//! The programs for Linux hosts, with real interfaces in network namespaces: the
//! bridge, and looking on.

mod pings;
mod restarts;
mod ring;

use crate::{
    cache::{need_program, need_root},
    lab::{build_programs, program},
    netns::{until, Netns},
    process::Process,
    run::{quietly, workspace},
};
use anyhow::{bail, ensure, Context, Result};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// Restarts of each side; the fastest counts, since others use the machine too.
const RESTARTS: usize = 3;
/// Within so long the fastest restart has recovered.
pub const RECOVERED: Duration = Duration::from_secs(1);
/// An ordinary user, by number.
const USER: u32 = 65534;
/// The protocol of the peer for tests, hexadecimal.
const PROTOCOL_OF_PEER: &str = "2";
/// Bytes of a channel file.
const CHANNEL: u64 = 4 << 20;

/// All of it.
pub fn check() -> Result<()> {
    need_root()?;
    for (name, package) in [
        ("ip", "iproute2"),
        ("ping", "iputils-ping"),
        ("iperf3", "iperf3"),
        ("tcpdump", "tcpdump"),
        ("tshark", "tshark"),
        ("setpriv", "util-linux"),
    ] {
        need_program(name, package)?;
    }
    build_programs()?;
    let stage = Stage::new()?;
    component(&stage).context("a component behind a bridge")?;
    restarts::check(&stage).context("either end starts again")?;
    ring::check(&stage).context("a bridge beside a peer like the original")?;
    frames_by_file(&stage).context("two bridges over files")?;
    long_frames(&stage).context("frames longer than an element")?;
    ordinary_user(&stage).context("a bridge of an ordinary user")?;
    recorded_to_a_pipe(&stage).context("a capture on the standard output")?;
    packets(&stage).context("two bridges for IP packets")?;
    refusals(&stage).context("what cannot be is refused")
}

/// A folder in memory for sockets, channels and logs; gone with the value.
struct Stage {
    folder: PathBuf,
}

impl Stage {
    fn new() -> Result<Self> {
        let folder = PathBuf::from(format!("/dev/shm/muennet-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn start(&self, command: &mut Command, log: &str) -> Result<Process> {
        Process::start(command, &self.path(log))
    }

    /// Serves a policy of tests/policies.
    fn serve(&self, policy: &str) -> Result<Process> {
        let mut command = Command::new(program("muen-ivshmem")?);
        command
            .arg("--policy")
            .arg(workspace().join("tests/policies").join(policy))
            .arg("--dir")
            .arg(&self.folder)
            .arg("--observe");
        let server = self.start(&mut command, "server")?;
        server.until_said("-device ivshmem-doorbell")?;
        Ok(server)
    }

    /// The echo server as the subject of one-wire.toml, at 192.168.7.2.
    fn echo(&self) -> Result<Process> {
        let mut command = Command::new(program("echo")?);
        command
            .arg("--ivshmem")
            .arg(self.path("echo.sock"))
            .args(["--in", "testchannel_1", "--out", "testchannel_2"])
            .args(["--address", "192.168.7.2/24"]);
        self.start(&mut command, "echo")
    }

    /// A bridge command as a subject: `interface` is its option and value.
    fn bridge(
        &self,
        netns: &Netns,
        interface: [&str; 2],
        (subject, input, output): (&str, &str, &str),
    ) -> Result<Command> {
        let mut command = netns.command(program("muennet-host")?);
        command
            .arg("bridge")
            .args(interface)
            .arg("--ivshmem")
            .arg(self.path(&format!("{subject}.sock")))
            .args(["--in", input, "--out", output]);
        Ok(command)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A TAP in a namespace and the echo server, as the subjects of a policy: traffic,
/// what a recorder and tcpdump see of it, and restarts of all parts.
fn component(stage: &Stage) -> Result<()> {
    let server = stage.serve("one-wire.toml")?;
    let netns = Netns::new("tap")?;
    // Both captures are to hold the same, so Linux itself is to be silent.
    netns.ok("sysctl -qw net.ipv6.conf.default.disable_ipv6=1")?;
    netns.interface("tap", "tap0", &["192.168.7.1/24"])?;
    let linux = ("linux", "testchannel_2", "testchannel_1");
    let bridge = || {
        let bridge = stage.start(
            &mut stage.bridge(&netns, ["--tap", "tap0"], linux)?,
            "bridge",
        )?;
        bridge.until_said("bridged")?;
        Ok::<_, anyhow::Error>(bridge)
    };
    let echo = || stage.echo();
    let answers = || netns.until("ping -c 1 -W 1 192.168.7.2");

    let mut bridging = bridge()?;
    netns.down("tap0")?;
    let recorders = Recorders::start(stage, &netns)?;
    let mut echoing = echo()?;
    netns.up("tap0")?;
    answers()?;
    let probe = program("probe")?;
    let probe = probe.display();
    // In all fewer frames than a channel holds: the recorder loses none, however
    // slow it is.
    netns.ok("ping -c 5 -i 0.05 192.168.7.2")?;
    netns.ok(&format!("{probe} tcp 192.168.7.2:7 --bytes 300000"))?;
    netns.ok(&format!("{probe} udp 192.168.7.2:7 --to 1472"))?;
    let frames = recorders.compare(stage)?;
    said(&format!(
        "inspect and tcpdump recorded the same {frames} frames"
    ));

    let mut took = [Duration::MAX; 3];
    for _ in 0..RESTARTS {
        drop(echoing);
        netns.down("tap0")?;
        let start = Instant::now();
        echoing = echo()?;
        netns.up("tap0")?;
        answers()?;
        took[0] = took[0].min(start.elapsed());

        drop(bridging);
        netns.down("tap0")?;
        let start = Instant::now();
        bridging = bridge()?;
        netns.up("tap0")?;
        answers()?;
        took[1] = took[1].min(start.elapsed());
    }
    // Without pause, so that requests lie in the channel at each start.
    let pings = pings::begin(stage, &netns)?;
    for _ in 0..RESTARTS {
        drop(echoing);
        netns.down("tap0")?;
        echoing = echo()?;
        netns.up("tap0")?;
        answers()?;
        drop(bridging);
        netns.down("tap0")?;
        bridging = bridge()?;
        netns.up("tap0")?;
        answers()?;
    }
    pings::end(pings)?;
    // Beside a component that is silent now: its old frames stay old.
    drop(bridging);
    netns.down("tap0")?;
    netns.ok("ip neigh replace 192.168.7.2 lladdr 02:00:00:00:00:02 dev tap0 nud permanent")?;
    bridging = bridge()?;
    netns.up("tap0")?;
    let ended = bridging.end()?;
    ensure!(
        ended.contains("0 frames received, ") && ended.contains(" sent, 0 lost, "),
        "a bridge beside a silent component:\n{ended}"
    );
    netns.down("tap0")?;
    bridging = bridge()?;
    netns.up("tap0")?;
    answers()?;
    // The server: the bridge finds it again by itself.
    drop(server);
    netns.down("tap0")?;
    drop(echoing);
    let start = Instant::now();
    let server = stage.serve("one-wire.toml")?;
    echoing = echo()?;
    netns.up("tap0")?;
    answers()?;
    took[2] = start.elapsed();
    ensure!(
        took[0] <= RECOVERED && took[1] <= RECOVERED,
        "killed and started again, it takes {took:?} until ping is answered"
    );
    said(&format!(
        "killed and started again, ping is answered after {} ms (component), {} ms (bridge), \
         {} ms (server)",
        took[0].as_millis(),
        took[1].as_millis(),
        took[2].as_millis()
    ));
    let last = bridging.end()?;
    ensure!(last.contains("frames received"), "{last}");
    echoing.end()?;
    server.end().map(drop)
}

/// inspect and tcpdump at work.
struct Recorders {
    inspect: Process,
    tcpdump: Process,
}

impl Recorders {
    const SEEN: &'static str = "seen.pcapng";
    const DUMPED: &'static str = "dumped.pcap";

    fn start(stage: &Stage, netns: &Netns) -> Result<Self> {
        let mut inspect = Command::new(program("muennet-host")?);
        inspect
            .arg("inspect")
            .arg("--observe")
            .arg(stage.path("observe"))
            .args(["--json", "--interval", "100", "--pcap"])
            .arg(stage.path(Self::SEEN));
        let mut tcpdump = netns.command("tcpdump");
        tcpdump
            // Room for all frames, however slow it is.
            .args(["-B", "32768", "-s", "2048", "-U", "--immediate-mode"])
            .args(["-i", "tap0", "-Z", "root", "-w"])
            .arg(stage.path(Self::DUMPED));
        let recorders = Self {
            inspect: stage.start(&mut inspect, "inspect")?,
            tcpdump: stage.start(&mut tcpdump, "tcpdump")?,
        };
        recorders.inspect.until_said("\"state\"")?;
        recorders.tcpdump.until_said("listening on")?;
        Ok(recorders)
    }

    /// Waits until both hold the same; gives the number of frames.
    fn compare(self, stage: &Stage) -> Result<usize> {
        let both = |filter: &str| {
            let seen = frames(&stage.path(Self::SEEN), filter)?;
            let dumped = frames(&stage.path(Self::DUMPED), filter)?;
            Ok::<_, anyhow::Error>((seen, dumped))
        };
        let (to, from) = (
            "eth.src != 02:00:00:00:00:02",
            "eth.src == 02:00:00:00:00:02",
        );
        let mut count = 0;
        // What is still on its way into a file makes it end in the midst of a frame.
        let same = until("the same frames in both files", || {
            for filter in [to, from] {
                match both(filter) {
                    Ok((seen, dumped)) if seen == dumped => count += seen.len(),
                    _ => {
                        count = 0;
                        return Ok(false);
                    }
                }
            }
            // The last datagram there and back.
            Ok(count > 2 * 1472)
        });
        if same.is_err() {
            let ((to_seen, to_dumped), (from_seen, from_dumped)) = (both(to)?, both(from)?);
            bail!(
                "inspect recorded {} and {} frames, tcpdump {} and {}",
                to_seen.len(),
                from_seen.len(),
                to_dumped.len(),
                from_dumped.len()
            );
        }
        let said = self.inspect.end()?;
        ensure!(said.contains("recorded, 0 lost"), "{said}");
        self.tcpdump.end()?;
        Ok(count)
    }
}

/// The bytes of a capture's frames, in hexadecimal, as tshark reads them.
fn frames(file: &Path, filter: &str) -> Result<Vec<String>> {
    let text = quietly(
        Command::new("tshark")
            .arg("-r")
            .arg(file)
            .args(["-Y", filter, "-x"]),
    )?;
    Ok(text.split("\n\n").map(str::to_owned).collect())
}

/// Two hosts joined by channels that are plain files, without events.
fn frames_by_file(stage: &Stage) -> Result<()> {
    let files = ["a_to_b", "b_to_a"].map(|name| stage.path(name));
    for file in &files {
        File::create(file)?.set_len(CHANNEL)?;
    }
    let [a_to_b, b_to_a] = &files;
    let (a, b) = (Netns::new("a")?, Netns::new("b")?);
    let bridge = |netns: &Netns, input: &Path, output: &Path, log| {
        stage.start(&mut file_bridge(netns, input, output)?, log)
    };
    a.interface("tap", "tap0", &["192.168.7.1/24"])?;
    b.interface("tap", "tap0", &["192.168.7.2/24"])?;
    let one = bridge(&a, b_to_a, a_to_b, "bridge-a")?;
    let other = bridge(&b, a_to_b, b_to_a, "bridge-b")?;
    a.up("tap0")?;
    b.up("tap0")?;
    a.until("ping -c 1 -W 1 192.168.7.2")?;
    let rate = iperf3(stage, &a, &b, "192.168.7.2")?;
    said(&format!(
        "iperf3 across two TAPs and files: {rate:.0} Mbit/s"
    ));
    one.end()?;
    b.down("tap0")?;
    other.end().map(drop)
}

/// A bridge from a TAP to channels in files.
fn file_bridge(netns: &Netns, input: &Path, output: &Path) -> Result<Command> {
    let mut command = netns.command(program("muennet-host")?);
    command
        .args(["bridge", "--tap", "tap0", "--poll", "100", "--in-file"])
        .arg(input)
        .arg("--out-file")
        .arg(output);
    Ok(command)
}

/// TAPs whose MTU is above that of their bridges by a VLAN's tag: their longest frames
/// pass with room for the tag, and without it the bridge says what to do, once.
fn long_frames(stage: &Stage) -> Result<()> {
    let files = ["a_to_b", "b_to_a"].map(|name| stage.path(name));
    let [a_to_b, b_to_a] = &files;
    let (a, b) = (Netns::new("a")?, Netns::new("b")?);
    a.interface("tap", "tap0", &["192.168.7.1/24"])?;
    b.interface("tap", "tap0", &["192.168.7.2/24"])?;
    for room in [&[][..], &["--vlan"]] {
        let bridge = |netns: &Netns, input: &Path, output: &Path, log| {
            stage.start(file_bridge(netns, input, output)?.args(room), log)
        };
        let one = bridge(&a, b_to_a, a_to_b, "bridge-a")?;
        let other = bridge(&b, a_to_b, b_to_a, "bridge-b")?;
        for netns in [&a, &b] {
            netns.up("tap0")?;
            netns.ok("ip link set tap0 mtu 1504")?;
        }
        a.until("ping -c 1 -W 1 192.168.7.2")?;
        let longest = "ping -c 3 -i 0.05 -W 1 -M do -s 1476 192.168.7.2";
        let passed = a.ok(longest).is_ok();
        ensure!(
            passed != room.is_empty(),
            "frames of 1518 bytes with {room:?} passed: {passed}"
        );
        let ended = one.end()?;
        b.down("tap0")?;
        other.end()?;
        let told = ended.matches(
            "not sent: a frame of 1518 bytes is longer than the 1514 that an element takes; \
             for VLANs give both ends room for the tag",
        );
        ensure!(
            told.count() == usize::from(room.is_empty()),
            "with {room:?} the bridge said:\n{ended}"
        );
    }
    Ok(())
}

/// An ordinary user bridges an interface that root made for it: the MTU stays that of the
/// administrator where packets fit, and otherwise the user learns what root is to run.
fn ordinary_user(stage: &Stage) -> Result<()> {
    let files = ["a_to_b", "b_to_a"].map(|name| stage.path(name));
    let [a_to_b, b_to_a] = &files;
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

/// `inspect --pcap -` prints a capture and nothing else, which another program reads as
/// it comes.
fn recorded_to_a_pipe(stage: &Stage) -> Result<()> {
    let server = stage.serve("one-wire.toml")?;
    let netns = Netns::new("pipe")?;
    netns.interface("tap", "tap0", &["192.168.7.1/24"])?;
    let linux = ("linux", "testchannel_2", "testchannel_1");
    let bridge = stage.start(
        &mut stage.bridge(&netns, ["--tap", "tap0"], linux)?,
        "bridge",
    )?;
    bridge.until_said("bridged")?;
    let echo = stage.echo()?;
    netns.up("tap0")?;
    for output in ["-", "/dev/stdout"] {
        // tshark refuses a stream with anything else in it, and ends after one frame.
        let line = format!(
            "{} inspect --observe {} --pcap {output} | \
             timeout 30 tshark -l -i - -c 1 -T fields -e eth.src 2>&1",
            program("muennet-host")?.display(),
            stage.path("observe").display()
        );
        let mut command = netns.command("sh");
        let mut reading = stage.start(command.args(["-c", &line]), "tshark")?;
        reading.until_said("Capturing")?;
        // Seen however late the recorder came up: sent until it is.
        until("a frame that tshark read", || {
            netns.ok("ping -c 1 -W 1 192.168.7.2")?;
            let address = netns.ok("cat /sys/class/net/tap0/address")?;
            Ok(reading.said().contains(address.trim()))
        })
        .with_context(|| reading.said())?;
        // The recorder ends with its reader, also when no more frames come.
        until("the end of the recorder", || Ok(!reading.is_running()?))?;
    }
    echo.end()?;
    bridge.end()?;
    server.end().map(drop)
}

/// Two hosts joined by channels in IP mode, with events.
fn packets(stage: &Stage) -> Result<()> {
    let server = stage.serve("two-linux.toml")?;
    let (a, b) = (Netns::new("a")?, Netns::new("b")?);
    a.interface("tun", "tun0", &["192.168.8.1/24", "fd00::1/64"])?;
    b.interface("tun", "tun0", &["192.168.8.2/24", "fd00::2/64"])?;
    let mut first = stage.bridge(&a, ["--tun", "tun0"], ("linux-a", "b_to_a", "a_to_b"))?;
    let mut second = stage.bridge(&b, ["--tun", "tun0"], ("linux-b", "a_to_b", "b_to_a"))?;
    let one = stage.start(first.args(["--mark", "7"]), "bridge-a")?;
    let other = stage.start(&mut second, "bridge-b")?;
    a.up("tun0")?;
    b.up("tun0")?;
    a.until("ping -c 1 -W 1 192.168.8.2")?;
    a.until("ping -c 1 -W 1 fd00::2")?;
    let seen = quietly(
        Command::new(program("muennet-host")?)
            .args(["inspect", "--mode", "net_hdr", "--once", "--interval", "1"])
            .args(["--channel", "a_to_b", "--observe"])
            .arg(stage.path("observe")),
    )?;
    ensure!(
        seen.contains("mark 7") && seen.contains("IPv6") && seen.contains("linux-a → linux-b"),
        "the mark is not seen:\n{seen}"
    );
    let rate = iperf3(stage, &b, &a, "fd00::1")?;
    said(&format!(
        "iperf3 across two TUNs and events, IPv6: {rate:.0} Mbit/s"
    ));
    one.end()?;
    other.end()?;
    server.end().map(drop)
}

/// Megabits per second from one host to the other, where `address` is.
fn iperf3(stage: &Stage, from: &Netns, to: &Netns, address: &str) -> Result<f64> {
    let mut serving = to.command("iperf3");
    let serving = stage.start(serving.args(["-s", "-1", "--forceflush"]), "iperf3")?;
    serving.until_said("listening")?;
    let said = from.ok(&format!("iperf3 -c {address} -t 2 -f m"))?;
    megabits(&said)
}

/// What iperf3 says that arrived, in megabits per second.
pub fn megabits(said: &str) -> Result<f64> {
    let line = said.lines().rfind(|line| line.contains("receiver"));
    let words: Vec<_> = line.unwrap_or_default().split_whitespace().collect();
    let unit = words.iter().position(|word| *word == "Mbits/sec");
    let rate = unit.and_then(|at| words.get(at.checked_sub(1)?));
    let rate: f64 = rate
        .with_context(|| format!("no result of iperf3:\n{said}"))?
        .parse()?;
    ensure!(rate > 0.0, "nothing arrived:\n{said}");
    Ok(rate)
}

/// Each wrong command line ends at once, and says what is wrong and what to do.
fn refusals(stage: &Stage) -> Result<()> {
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

/// A line below the layer's.
pub fn said(what: &str) {
    println!("      {what}");
}
