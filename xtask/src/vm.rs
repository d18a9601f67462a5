// SPDX-License-Identifier: MIT OR Apache-2.0
//! A virtual machine under QEMU, and running commands in it.

use crate::{
    process::Process,
    run, splat,
    target::{Arch, Flavour},
    tree::Tree,
};
use anyhow::{bail, ensure, Context, Result};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// No command takes longer, and no boot.
fn patience(flavour: Flavour) -> Duration {
    match flavour {
        Flavour::Debug => Duration::from_secs(900),
        _ => Duration::from_secs(240),
    }
}

/// A VM that is up.
#[derive(Debug)]
pub struct Vm {
    name: String,
    console: PathBuf,
    agent: BufReader<UnixStream>,
    qemu: Process,
    flavour: Flavour,
}

/// The result of a command in a VM.
#[derive(Debug)]
pub struct Output {
    /// Its exit status.
    pub status: i32,
    /// Its output, errors included.
    pub text: String,
}

/// The arguments of QEMU for a machine with `memory` MiB whose ivshmem socket is
/// `socket`, a path inside of the tree.
pub fn machine(memory: usize, socket: &str, vectors: usize) -> Vec<String> {
    let accelerator = std::env::var("MUENNET_ACCEL").unwrap_or_else(|_| "tcg".to_owned());
    machine_of(
        &format!("q35,accel={accelerator}"),
        "max",
        memory,
        socket,
        vectors,
    )
}

fn machine_of(kind: &str, cpu: &str, memory: usize, socket: &str, vectors: usize) -> Vec<String> {
    let words = [
        "-machine",
        kind,
        "-cpu",
        cpu,
        "-m",
        &memory.to_string(),
        "-nic",
        "none",
        "-display",
        "none",
        "-no-reboot",
        "-chardev",
        &format!("socket,path={socket},id=ivshmem"),
        "-device",
        &format!("ivshmem-doorbell,chardev=ivshmem,vectors={vectors}"),
    ];
    words.map(str::to_owned).to_vec()
}

/// The arguments of QEMU for a Linux VM whose ivshmem socket is `socket`.
fn arguments(
    tree: &Tree,
    initramfs: &str,
    socket: &str,
    vectors: usize,
    append: &str,
) -> Vec<String> {
    // The shadow of KASAN is an eighth of the memory. While the kernel looks at its
    // processor, it forgets for a moment that pages have five levels: KASAN would report
    // an interrupt that comes just then.
    let (memory, more) = match tree.flavour() {
        Flavour::Debug => (1024, " watchdog_thresh=60 no5lvl"),
        _ => (512, ""),
    };
    let arch = tree.arch();
    let console = match arch {
        Arch::Amd64 => "ttyS0",
        Arch::Arm64 => "ttyAMA0",
    };
    let words = [
        "-kernel",
        &tree.kernel(),
        "-initrd",
        initramfs,
        "-append",
        &format!("console={console} panic=-1 quiet{more} {append}"),
    ];
    let mut arguments = match arch {
        Arch::Amd64 => machine(memory, socket, vectors),
        // Signing pointers as the architecture proposes takes an emulator too long.
        Arch::Arm64 => machine_of(
            "virt,gic-version=3",
            "max,pauth-impdef=on",
            memory,
            socket,
            vectors,
        ),
    };
    arguments.extend(words.map(str::to_owned));
    arguments
}

/// The program that emulates the machine.
fn emulator(tree: &Tree) -> &'static str {
    match tree.arch() {
        Arch::Amd64 => "qemu-system-x86_64",
        Arch::Arm64 => "qemu-system-aarch64",
    }
}

/// A VM with a shell on the first serial port, which is this process's input and output.
pub fn on_terminal(tree: &Tree, initramfs: &str, socket: &str, vectors: usize) -> Command {
    let mut command = tree.command(emulator(tree));
    command
        .args(arguments(tree, initramfs, socket, vectors, "muennet.shell"))
        .args(["-serial", "mon:stdio"]);
    command
}

impl Vm {
    /// Boots a VM with the name of a subject, whose socket lies in `folder`, a
    /// folder of the tree by its path inside.
    pub fn boot(
        tree: &Tree,
        initramfs: &str,
        folder: &str,
        name: &str,
        vectors: usize,
        more: &[&str],
    ) -> Result<Self> {
        let outside = tree.root().join(&folder[1..]);
        let agent = outside.join(format!("{name}.agent"));
        let console = outside.join(format!("{name}.console"));
        let _ = fs::remove_file(&agent);
        let mut command = tree.command(emulator(tree));
        command
            .args(arguments(
                tree,
                initramfs,
                &format!("{folder}/{name}.sock"),
                vectors,
                "",
            ))
            .args(more)
            .args(["-serial", &format!("file:{folder}/{name}.console")])
            .args([
                "-serial",
                &format!("unix:{folder}/{name}.agent,server=on,wait=off"),
            ]);
        let mut qemu = Process::start(&mut command, &outside.join(format!("{name}.qemu")))?;
        let flavour = tree.flavour();
        let start = Instant::now();
        let stream = loop {
            match UnixStream::connect(&agent) {
                Ok(stream) => break stream,
                Err(_) if start.elapsed() < patience(flavour) && qemu.is_running()? => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(error) => {
                    bail!("QEMU for {name} does not start: {error}\n{}", qemu.said());
                }
            }
        };
        stream.set_read_timeout(Some(patience(flavour)))?;
        let mut vm = Self {
            name: name.to_owned(),
            console,
            agent: BufReader::new(stream),
            qemu,
            flavour,
        };
        let mut line = String::new();
        while !line.contains("@@ ready") {
            line.clear();
            let read = vm.agent.read_line(&mut line);
            ensure!(
                matches!(read, Ok(count) if count > 0),
                "{name} does not boot:\n{}\n{}",
                run::tail(&vm.console(), 30),
                vm.qemu.said()
            );
        }
        Ok(vm)
    }

    /// The subject that the VM is.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The console's text until now.
    pub fn console(&self) -> String {
        let bytes = fs::read(&self.console).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Does something while the VM does not run, and so sees nothing of it.
    pub fn paused<T>(&self, work: impl FnOnce() -> T) -> T {
        self.qemu.pause();
        let done = work();
        self.qemu.resume();
        done
    }

    /// Runs a shell command of one line to its end.
    pub fn run(&mut self, command: &str) -> Result<Output> {
        ensure!(!command.contains('\n'), "one line is one command");
        let result = self.ask(command);
        if result.is_err() {
            // If it has ended, let it say so.
            self.qemu.wait(Duration::from_millis(500));
        }
        result.with_context(|| {
            format!(
                "{}: \"{command}\" does not end; QEMU {}; the console says:\n{}\n{}",
                self.name,
                self.qemu.state(),
                run::tail(&self.console(), 30),
                self.qemu.said()
            )
        })
    }

    fn ask(&mut self, command: &str) -> Result<Output> {
        let stream = self.agent.get_mut();
        stream.write_all(command.as_bytes())?;
        stream.write_all(b"\n")?;
        let mut header = String::new();
        self.agent.read_line(&mut header)?;
        let mut words = header.split_whitespace();
        ensure!(words.next() == Some("@@"), "unexpected answer {header:?}");
        let status = words.next().context("no status")?.parse()?;
        let mut bytes = vec![0; words.next().context("no length")?.parse()?];
        self.agent.read_exact(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Output { status, text })
    }

    /// Runs a command that must succeed; gives what it printed.
    pub fn ok(&mut self, command: &str) -> Result<String> {
        let output = self.run(command)?;
        ensure!(
            output.status == 0,
            "{}: \"{command}\" ended with {}:\n{}",
            self.name,
            output.status,
            output.text
        );
        Ok(output.text)
    }

    /// Runs a command that must fail and say `why`.
    pub fn fails(&mut self, command: &str, why: &str) -> Result<()> {
        let output = self.run(command)?;
        ensure!(
            output.status != 0 && output.text.contains(why),
            "{}: \"{command}\" ended with {}, without \"{why}\":\n{}",
            self.name,
            output.status,
            output.text
        );
        Ok(())
    }

    /// Asks again and again until the command succeeds.
    pub fn until(&mut self, command: &str) -> Result<String> {
        let start = Instant::now();
        loop {
            let output = self.run(command)?;
            if output.status == 0 {
                return Ok(output.text);
            }
            ensure!(
                start.elapsed() < patience(self.flavour) / 4,
                "{}: waited in vain for \"{command}\":\n{}",
                self.name,
                output.text
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends the VM; an error if the kernel complained of anything.
    pub fn finish(mut self) -> Result<()> {
        if self.flavour == Flavour::Debug {
            self.leaks()?;
        }
        let log = self.ok("dmesg")?;
        if let Some(report) = splat::first(&log) {
            bail!("{}: the kernel complains:\n{report}", self.name);
        }
        // It is gone before it can answer. A reboot, as QEMU ends with it and no kernel
        // needs ACPI for it.
        let _ = self.agent.get_mut().write_all(b"reboot -f\n");
        self.qemu.wait(Duration::from_secs(20));
        Ok(())
    }
}

impl Vm {
    /// Unloads the modules and asks kmemleak what nobody points to any more.
    fn leaks(&mut self) -> Result<()> {
        self.ok("for module in muennet muen_ivshmem; do ! test -e /sys/module/$module || rmmod $module || exit; done")?;
        // What is younger than five seconds is not reported, nor what one look misses.
        let scan = "echo scan >/sys/kernel/debug/kmemleak";
        self.ok(&format!("{scan}; sleep 6; {scan}; {scan}"))?;
        let leaks = self.ok("cat /sys/kernel/debug/kmemleak")?;
        ensure!(
            leaks.is_empty(),
            "{}: kmemleak found:\n{}",
            self.name,
            run::tail(&leaks, 80)
        );
        Ok(())
    }
}

/// Removes what VMs left in `folder`.
pub fn clean(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        fs::remove_file(entry?.path())?;
    }
    Ok(())
}
