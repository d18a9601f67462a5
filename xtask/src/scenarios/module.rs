// SPDX-License-Identifier: MIT OR Apache-2.0
//! The module as such: its size, what `modinfo` says of it, and how it is loaded
//! and unloaded.

use crate::{lab::Lab, run, vm::Vm};
use anyhow::{ensure, Context, Result};

/// Bytes of code that the module stays below.
const TEXT: u64 = 100 << 10;
pub(super) const PARAMETERS: [&str; 9] = [
    "name",
    "in",
    "out",
    "reader_protocol",
    "writer_protocol",
    "mtu",
    "pmtu",
    "flags",
    "poll",
];

/// A Linux VM.
pub fn module(lab: &Lab) -> Result<()> {
    let sections = run::quietly(
        lab.tree
            .command("size")
            .arg("-A")
            .arg(format!("{}/linux-kmod/muennet/muennet.ko", lab.tree.work())),
    )?;
    let text: u64 = sections
        .lines()
        .filter(|line| line.starts_with(".text"))
        .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
        .sum();
    println!("      {text} bytes of code");
    ensure!(
        (1..TEXT).contains(&text),
        "the module has {text} bytes of code, the limit is {TEXT}:\n{sections}"
    );

    let wire = lab.serve("one-wire.toml")?;
    let mut vm = wire.vm("linux")?;
    let about = vm.ok("modinfo muennet")?;
    for parameter in PARAMETERS {
        let line = about
            .lines()
            .find(|line| line.starts_with("parm:") && line.contains(&format!(" {parameter}:")))
            .with_context(|| format!("modinfo describes no {parameter}:\n{about}"))?;
        ensure!(line.len() > 30, "modinfo says nothing of it: {line}");
    }
    ensure!(about.contains("license:        GPL"), "{about}");

    not_unbound(&mut vm)?;
    let line = "muennet name=net0,,net%d in=testchannel_2 out=,,testchannel_1 \
                reader_protocol=1 writer_protocol=,,1";
    // Loaded, shown, in use by nobody, and gone.
    for load in ["modprobe", "insmod"] {
        let command = match load {
            "modprobe" => format!("modprobe {line}"),
            // By path; what it needs went with the last one.
            _ => format!(
                "modprobe muen_ivshmem && cd /lib/modules/*/extra && insmod ./{}",
                line.replacen("muennet ", "muennet.ko ", 1)
            ),
        };
        vm.ok(&command)?;
        let again = vm.run(&command)?;
        ensure!(
            (load == "modprobe") == (again.status == 0),
            "a second \"{command}\" ended with {}:\n{}",
            again.status,
            again.text
        );
        interfaces(&mut vm)?;
        vm.ok("modprobe -r muennet")?;
        let left = vm.run("ls -d /sys/module/muennet /sys/class/net/net*")?;
        ensure!(
            !left.text.contains("/net0") && !left.text.contains("module/muennet\n"),
            "modprobe -r left:\n{}",
            left.text
        );
    }
    vm.finish()
}

/// The stand-in for the Muen kernel cannot be unbound under an interface; if its device is
/// taken away all the same, what the interface was given stays.
fn not_unbound(vm: &mut Vm) -> Result<()> {
    let driver = "/sys/bus/pci/drivers/muen_ivshmem";
    vm.ok(&format!(
        "modprobe muen_ivshmem && ls {driver} && ! ls {driver}/bind && ! ls {driver}/unbind && \
         rmmod muen_ivshmem"
    ))?;
    let device = format!("$(ls -d {driver}/0000:*)");
    // The subject of the first binding is gone, that of the second serves.
    vm.ok(&format!(
        "modprobe muen_ivshmem && echo 1 >{device}/remove && ! ls -d {driver}/0000:* && \
         echo 1 >/sys/bus/pci/rescan && ls -d {driver}/0000:* && \
         modprobe muennet name=net0 in=testchannel_2 out=testchannel_1 reader_protocol=1 \
         writer_protocol=1 && ip link set net0 up && ip link set net0 down && \
         modprobe -r muennet && ! [ -e /sys/module/muen_ivshmem ]"
    ))
    .map(drop)
}

/// The second entry has no name and is skipped; the third takes the next free number.
fn interfaces(vm: &mut Vm) -> Result<()> {
    vm.ok("ip link show net0 && ip link show net1")?;
    let values =
        vm.ok("cat /sys/module/muennet/parameters/name; ls -l /sys/module/muennet/parameters")?;
    ensure!(
        values.starts_with("net0,,net%d\n")
            && values.matches("-r--r--r--").count() == PARAMETERS.len(),
        "the parameters in sysfs:\n{values}"
    );
    Ok(())
}
