// SPDX-License-Identifier: MIT OR Apache-2.0
//! Either end starts again, slowly or quickly, beside a silent or a busy peer: no frame from
//! before is received or counted, every frame from after arrives, and nothing twice.

use super::{
    again::{Again, AGAIN},
    ethtool::statistic,
    pings,
};
use crate::{
    lab::{carrier, Lab},
    vm::Vm,
};
use anyhow::{ensure, Context, Result};

/// Frames that lie in the channel when a reader starts again.
const BEFORE: u64 = 500;
/// Frames that must arrive after a start.
const AFTER: u64 = 10;
/// Starts under traffic, of each kind and end.
const TIMES: usize = 3;

/// An end of the wire.
struct End {
    vm: Vm,
    input: &'static str,
    output: &'static str,
    /// The last number of its address.
    own: u8,
    peer: u8,
}

impl End {
    /// Loads the module. No frame is sent unasked but an announcement by ARP: there is no
    /// IPv6, and the peer's hardware address is known.
    fn load(&mut self) -> Result<()> {
        self.start(Again::Reload)
    }

    /// Starts again, and waits for the peer.
    fn restart(&mut self, way: Again) -> Result<()> {
        way.stop(&mut self.vm)?;
        self.start(way)?;
        carrier(&mut self.vm)
    }

    fn start(&mut self, way: Again) -> Result<()> {
        let Self {
            vm,
            input,
            output,
            own,
            peer,
        } = self;
        way.start(vm, |vm| {
            vm.ok(&format!(
                "modprobe muennet name=net0 reader_protocol=1 writer_protocol=1 in={input} \
                 out={output} flags=eth_dev && sysctl -qw net.ipv6.conf.net0.disable_ipv6=1 && \
                 ip link set net0 address 02:00:00:00:00:0{own} && \
                 ip addr add 192.168.7.{own}/24 dev net0 && ip link set net0 up"
            ))
            .map(drop)
        })?;
        vm.ok(&format!(
            "ip neigh replace 192.168.7.{peer} lladdr 02:00:00:00:00:0{peer} dev net0 \
             nud permanent"
        ))
        .map(drop)
    }

    /// The peer's address.
    fn peer(&self) -> String {
        format!("192.168.7.{}", self.peer)
    }

    /// Pings of which each is answered exactly once.
    fn pings(&mut self, number: u64) -> Result<()> {
        let peer = self.peer();
        pings::each_answered(&mut self.vm, &peer, number)
    }

    /// Frames received, lost and missed.
    fn received(&mut self) -> Result<[u64; 3]> {
        let missed = "cat /sys/class/net/net0/statistics/rx_missed_errors";
        Ok([
            statistic(&mut self.vm, "rx_frames")?,
            statistic(&mut self.vm, "rx_lost")?,
            self.vm.ok(missed)?.trim().parse()?,
        ])
    }

    /// Waits for as many frames as `expected`; then there are no more.
    fn has_received(&mut self, expected: [u64; 3]) -> Result<()> {
        self.vm.until(&format!(
            "test $(ethtool -S net0 | grep -w rx_frames | cut -d: -f2) -ge {}",
            expected[0]
        ))?;
        let received = self.received()?;
        ensure!(
            received == expected,
            "{} received, lost and missed {received:?} frames instead of {expected:?}",
            self.vm.name()
        );
        Ok(())
    }
}

/// The restart matrix, between two Linux VMs.
pub fn restarts(lab: &Lab) -> Result<()> {
    let wire = lab.serve("two-linux.toml")?;
    let end = |name: &str, input, output, own, peer| -> Result<End> {
        Ok(End {
            vm: wire.vm(name)?,
            input,
            output,
            own,
            peer,
        })
    };
    let mut a = end("linux-a", "b_to_a", "a_to_b", 1, 2)?;
    let mut b = end("linux-b", "a_to_b", "b_to_a", 2, 1)?;
    first(&mut a, &mut b).context("both came up for the first time")?;
    unseen(&mut a, &mut b).context("while the peer did not run")?;
    silent(&mut a, &mut b).context("beside a silent peer")?;
    silent(&mut b, &mut a).context("the other end, beside a silent peer")?;
    moved(&mut a, &mut b).context("moved to another network namespace")?;
    for way in AGAIN {
        busy(&mut a, &mut b, way).with_context(|| format!("{way:?}, under traffic"))?;
    }
    announced(&mut a, &mut b).context("announced when the peer comes up")?;
    addressed(&mut a).context("the address over a reload")?;
    a.vm.finish()?;
    b.vm.finish()
}

/// An end comes up for the first time beside a silent peer, and then with the module loaded
/// anew beside one that pings without pause.
fn first(a: &mut End, b: &mut End) -> Result<()> {
    b.load()?;
    a.load()?;
    exactly(a, b, [[0; 3]; 2])?;
    for end in [&mut *a, &mut *b] {
        Again::Reload.stop(&mut end.vm)?;
    }
    b.load()?;
    b.vm.ok("rm -f /tmp/pings")?;
    let peer = b.peer();
    pings::begin(&mut b.vm, &peer)?;
    a.load()?;
    pings::answered(&mut b.vm, AFTER)?;
    pings::end(&mut b.vm)?;
    pings::none_twice(&mut b.vm)?;
    a.pings(AFTER)
}

/// `a` goes down and up while `b` does not run: another epoch is all that `b` sees of it, and
/// it shows a loss of the carrier.
fn unseen(a: &mut End, b: &mut End) -> Result<()> {
    carrier(&mut b.vm)?;
    let losses = "cat /sys/class/net/net0/carrier_down_count";
    let before = b.vm.ok(losses)?;
    b.vm.paused(|| a.start(Again::Quick))?;
    b.vm.until(&format!("[ $({losses}) -gt {} ]", before.trim()))?;
    carrier(&mut a.vm)?;
    carrier(&mut b.vm)?;
    a.pings(AFTER)
}

/// `a` starts again while `b` has sent much and is silent now: nothing old is received by
/// either, and everything that is sent then arrives.
fn silent(a: &mut End, b: &mut End) -> Result<()> {
    for way in AGAIN {
        b.pings(BEFORE)?;
        let stayed = b.received()?;
        way.stop(&mut a.vm)?;
        let restarted = match way {
            Again::Reload => [0; 3],
            Again::Restart | Again::Quick => a.received()?,
        };
        a.start(way)?;
        exactly(a, b, [restarted, stayed]).with_context(|| format!("after {way:?}"))?;
        let skipped = statistic(&mut a.vm, "rx_skipped")?;
        ensure!(skipped > 0, "after {way:?}, no frame was passed over");
    }
    Ok(())
}

/// Beside the frames, losses and misses that the ends had, each receives one announcement of
/// the other's address, and then a request or an answer for each ping of either.
fn exactly(a: &mut End, b: &mut End, had: [[u64; 3]; 2]) -> Result<()> {
    carrier(&mut a.vm)?;
    carrier(&mut b.vm)?;
    let announced = had.map(|[frames, lost, missed]| [frames + 1, lost, missed]);
    a.has_received(announced[0])?;
    b.has_received(announced[1])?;
    a.pings(AFTER)?;
    b.pings(AFTER)?;
    let sent = 2 * AFTER;
    let all = announced.map(|[frames, lost, missed]| [frames + sent, lost, missed]);
    a.has_received(all[0])?;
    b.has_received(all[1])
}

/// An interface that is moved shows nothing there of the namespace that it was in.
fn moved(a: &mut End, b: &mut End) -> Result<()> {
    b.pings(BEFORE)?;
    a.vm.ok(
        "ip netns add other && ip link set net0 down && ip link set net0 netns other && \
         ip netns exec other tcpdump -i any -n -l -Q in icmp >/tmp/moved 2>/tmp/looking & \
         until grep -q listening /tmp/looking; do sleep 0.1; done",
    )?;
    a.vm.ok(
        "ip netns exec other sysctl -qw net.ipv6.conf.net0.disable_ipv6=1 && \
         ip -n other addr add 192.168.7.1/24 dev net0 && ip -n other link set net0 up && \
         ip -n other neigh replace 192.168.7.2 lladdr 02:00:00:00:00:02 dev net0 nud permanent",
    )?;
    a.vm.until("ip netns exec other grep -q 1 /sys/class/net/net0/carrier")?;
    carrier(&mut b.vm)?;
    b.pings(AFTER)?;
    // Later frames are seen later.
    a.vm.until(&format!(
        "test $(grep -c 'echo request' /tmp/moved) -ge {AFTER}"
    ))?;
    let seen = a.vm.ok("killall tcpdump; grep -c . /tmp/moved")?;
    ensure!(
        seen.trim() == AFTER.to_string(),
        "the new namespace saw {} packets instead of {AFTER}",
        seen.trim()
    );
    a.vm.ok("ip -n other link set net0 down && ip netns del other")?;
    // A namespace that ends gives the interface back.
    a.vm.until("ip link show net0")?;
    Again::Reload.stop(&mut a.vm)?;
    a.start(Again::Reload)?;
    carrier(&mut a.vm)?;
    carrier(&mut b.vm)
}

/// Both ends start again while they ping each other without pause.
fn busy(a: &mut End, b: &mut End, way: Again) -> Result<()> {
    for end in [&mut *a, &mut *b] {
        end.vm.ok("rm -f /tmp/pings")?;
        let peer = end.peer();
        pings::begin(&mut end.vm, &peer)?;
    }
    for _ in 0..TIMES {
        a.restart(way)?;
        b.restart(way)?;
    }
    carrier(&mut a.vm)?;
    carrier(&mut b.vm)?;
    for end in [a, b] {
        pings::end(&mut end.vm)?;
        pings::none_twice(&mut end.vm)?;
        end.pings(AFTER)?;
    }
    Ok(())
}

/// An end tells its addresses when its peer comes up, by ARP and by neighbour discovery.
fn announced(a: &mut End, b: &mut End) -> Result<()> {
    b.vm.ok("sysctl -qw net.ipv6.conf.net0.disable_ipv6=0 && \
         ip addr add fd00::2/64 dev net0 nodad")?;
    a.vm.ok(
        "tcpdump -i any -n -l -Q in 'arp or icmp6' >/tmp/told 2>/tmp/looking & \
         until grep -q listening /tmp/looking; do sleep 0.1; done",
    )?;
    a.restart(Again::Restart)?;
    for told in [
        "192.168.7.2 tell 192.168.7.2",
        "neighbor advertisement, tgt is fd00::2",
    ] {
        a.vm.until(&format!("grep -q '{told}' /tmp/told"))
            .with_context(|| told.to_owned())?;
    }
    a.vm.ok("killall tcpdump").map(drop)
}

/// The hardware address is the same at each load, and said to be a permanent one.
fn addressed(a: &mut End) -> Result<()> {
    let mut address = || -> Result<String> {
        a.vm.ok(&format!(
            "rmmod muennet; modprobe muennet name=net0 reader_protocol=1 writer_protocol=1 \
             in={} out={} flags=eth_dev && cd /sys/class/net/net0 && \
             cat address addr_assign_type",
            a.input, a.output
        ))
    };
    let (first, second) = (address()?, address()?);
    ensure!(first == second, "{first} became {second}");
    ensure!(
        first.trim().ends_with("\n0"),
        "it is not permanent: {first}"
    );
    Ok(())
}
