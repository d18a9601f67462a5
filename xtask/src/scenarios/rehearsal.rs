// SPDX-License-Identifier: MIT OR Apache-2.0
//! The image for Muen, the very file, in the state that Muen gives it, beside Linux: with
//! every version of subject information, idle, and doing what it must not.

use crate::{
    lab::{load, program, Lab, Wire},
    muen,
    process::Process,
    rehearsal::{build, spoilt},
    unikernel::Unikernel,
    vm::Vm,
};
use anyhow::{ensure, Context, Result};
use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

/// From the start of QEMU to the first ping answered, for the fastest start.
const START: Duration = Duration::from_secs(1);
/// Starts of which the fastest counts, beyond those that are made anyway.
const MORE_STARTS: usize = 3;
/// Wake-ups in a second, of an idle image.
const WAKES: u64 = 4;
/// Seconds that are watched for it, and how often it may be too busy yet: Linux asks for
/// neighbours, and smoltcp ends connections.
const IDLE: u64 = 5;
const IDLE_ATTEMPTS: u64 = 8;
const PATIENCE: Duration = Duration::from_secs(90);

/// All of it.
pub fn rehearsal(lab: &Lab) -> Result<()> {
    let folder = muen::write()?;
    let image = folder.join("unikernel");
    let monitor = build()?;
    let debuglog = muen::symbol(&std::fs::read(&image)?, "debuglog_address")?;
    let stage = Stage {
        wire: lab.serve("rehearsal.toml")?,
        monitor,
        debuglog: format!("debuglog={debuglog:x}"),
    };
    refusals(&stage, &image)?;

    let mut logger = stage.logger()?;
    let mut vm = stage.wire.vm("linux")?;
    load(&mut vm, "net_from_uni", "net_to_uni", "192.168.7.1/24", "")?;
    vm.ok("echo 1 >/proc/sys/net/ipv6/conf/net0/disable_ipv6")?;
    let mut fastest = Duration::MAX;
    for version in [3, 4, 5] {
        // The command line of one comes by Solo5's boot information.
        let (words, address) = match version {
            4 => (
                "-- address=192.168.7.4/24 mac=02:00:00:00:00:04",
                "192.168.7.4",
            ),
            _ => ("", "192.168.7.2"),
        };
        let words = format!("sinfo={version} {words}");
        let (mut unikernel, took) = stage.first_ping(&mut vm, &image, &words, address)?;
        fastest = fastest.min(took);
        ensure!(logger.is_running()?, "{}", logger.said());
        logger.until_said("unikernel: link up, epoch")?;
        logger.until_said(&format!("unikernel: at {address}/24, up after"))?;
        answers(&mut vm, address)?;
        idle(&mut unikernel)?;
        ensure!(
            !unikernel.console().contains("exception"),
            "{}",
            unikernel.console()
        );
    }
    for _ in 0..MORE_STARTS {
        if fastest < START {
            break;
        }
        let (_unikernel, took) = stage.first_ping(&mut vm, &image, "sinfo=3", "192.168.7.2")?;
        fastest = fastest.min(took);
    }
    ensure!(
        fastest < START,
        "the first ping was answered {} ms after the start",
        fastest.as_millis()
    );
    vm.finish()
}

/// Wire, images and Linux VM of all rehearsals.
struct Stage<'a> {
    wire: Wire<'a>,
    monitor: std::path::PathBuf,
    /// Where the component specification maps the log.
    debuglog: String,
}

impl Stage<'_> {
    fn boot(&self, image: &Path, words: &str) -> Result<Unikernel> {
        let words = format!("{} {words}", self.debuglog);
        self.wire.rehearsal(&self.monitor, image, &words)
    }

    /// The reader of the log.
    fn logger(&self) -> Result<Process> {
        let folder = self.wire.folder();
        let mut command = Command::new(program("debuglog")?);
        command.arg("--ivshmem").arg(folder.join("logger.sock"));
        let logger = Process::start(&mut command, &folder.join("debuglog"))?;
        logger.until_said("reading")?;
        Ok(logger)
    }

    /// Starts the image while Linux pings it; how long the first answer took.
    fn first_ping(
        &self,
        vm: &mut Vm,
        image: &Path,
        words: &str,
        address: &str,
    ) -> Result<(Unikernel, Duration)> {
        // Linux would ask for the hardware address once a second.
        let mac = format!("02:00:00:00:00:0{}", &address[address.len() - 1..]);
        vm.ok(&format!("ip neigh replace {address} lladdr {mac} dev net0"))?;
        let (unikernel, answered) = std::thread::scope(|scope| -> Result<_> {
            let ping = scope.spawn(|| {
                let once = format!("ping -q -n -c 1 -W 0.05 {address}");
                vm.ok(&format!("until {once} >/dev/null 2>&1; do :; done"))
                    .map(|_| Instant::now())
            });
            let unikernel = self.boot(image, words)?;
            let answered = ping
                .join()
                .map_err(|_| anyhow::anyhow!("the ping failed"))??;
            Ok((unikernel, answered))
        })?;
        vm.ok(&format!("ip neigh del {address} dev net0"))?;
        let took = answered.duration_since(unikernel.started());
        Ok((unikernel, took))
    }
}

/// Ping, TCP and UDP echo, and HTTP.
fn answers(vm: &mut Vm, address: &str) -> Result<()> {
    let ping = vm.ok(&format!("ping -c 10 -i 0.1 {address}"))?;
    ensure!(ping.contains(" 0% packet loss"), "{ping}");
    let tcp = vm.ok(&format!("probe tcp {address}:7 --bytes 10485760"))?;
    ensure!(tcp.contains("sha256"), "{tcp}");
    vm.ok(&format!("probe udp {address}:7 --to 1472"))?;
    let page = vm.ok(&format!(
        "curl --silent --show-error --fail http://{address}/"
    ))?;
    for word in ["subject   uni", "in net_in, out net_out", "link      up"] {
        ensure!(page.contains(word), "the page lacks \"{word}\":\n{page}");
    }
    Ok(())
}

/// Time in microseconds, and wake-ups until then, of the last line that tells.
fn told(console: &str) -> Option<(u64, u64)> {
    let line = console.lines().rfind(|line| line.contains(" wakes, "))?;
    let words: Vec<_> = line.split_whitespace().collect();
    let before = |word: &str| {
        let at = words.iter().position(|found| *found == word)?;
        words.get(at.checked_sub(1)?)?.parse().ok()
    };
    Some((before("us:")?, before("wakes,")?))
}

/// Sees to it that the image sleeps while there is nothing to do, and wakes for its timer.
fn idle(unikernel: &mut Unikernel) -> Result<()> {
    let start = Instant::now();
    let mut first = None;
    let mut attempts = 0;
    loop {
        ensure!(
            start.elapsed() < PATIENCE,
            "nothing is told of wake-ups:\n{}",
            unikernel.console()
        );
        std::thread::sleep(Duration::from_millis(100));
        let Some((now, wakes)) = told(&unikernel.console()) else {
            continue;
        };
        let (then, before) = *first.get_or_insert((now, wakes));
        if now - then < IDLE * 1_000_000 {
            continue;
        }
        let rate = (wakes - before) * 1_000_000 / (now - then);
        if (1..=WAKES).contains(&rate) {
            return Ok(());
        }
        attempts += 1;
        first = None;
        ensure!(
            attempts < IDLE_ATTEMPTS,
            "the idle image wakes {rate} times a second:\n{}",
            unikernel.console()
        );
    }
}

/// Forbidden accesses of a subject are noticed, and errors are logged that occur before
/// the subject information is understood.
fn refusals(stage: &Stage<'_>, image: &Path) -> Result<()> {
    // mov rax, the input channel; mov byte [rax], 1
    let write = [0x48, 0xb8, 0, 0, 0, 0, 1, 0, 0, 0, 0xc6, 0x00, 0x01];
    for (name, code, said) in [
        ("cpuid", &[0x0f, 0xa2][..], "VIOLATION at 0x200000: CPUID"),
        (
            "write",
            &write,
            "a write to the input channel, to 0x100000000",
        ),
        ("port", &[0xec], "VIOLATION at 0x200000: a port"),
        (
            "register",
            &[0x0f, 0x32],
            "VIOLATION at 0x200000: a model-specific register",
        ),
    ] {
        let spoilt = spoilt(image, name, code)?;
        let mut unikernel = stage.boot(&spoilt, "sinfo=3")?;
        unikernel
            .until_said(said)
            .with_context(|| name.to_owned())?;
    }
    let logger = stage.logger()?;
    let mut unikernel = stage.boot(image, "sinfo=0")?;
    // The line is longer than a message.
    logger.until_said(
        "unikernel: cannot run: subject information has magic 0x0000000000000000, not",
    )?;
    unikernel.until_said("halted")?;
    drop(unikernel);
    // A fault reaches the image's own handler.
    let mut unikernel = stage.boot(image, "unmapped=net_out")?;
    logger.until_said("page fault at ")?;
    logger.until_said("for address 0x100400008")?;
    unikernel.until_said("exception 14, code 0x2, address 0x100400008")
}
