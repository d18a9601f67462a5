// SPDX-License-Identifier: MIT OR Apache-2.0
//! Wrong parameters: the errno of the documents, one line in the log that says what
//! is wrong, and nothing left behind.

use crate::lab::Lab;
use anyhow::{ensure, Context, Result};

const EPERM: &str = "Operation not permitted";
const ENXIO: &str = "No such device or address";
const EINVAL: &str = "Invalid argument";

/// Names and values.
type Parameters = &'static [(&'static str, &'static str)];

/// Parameters that differ from a sound line, the error, and what the log says.
const WRONG: &[(Parameters, &str, &str)] = &[
    (
        &[("name", "a23456789012345b")],
        EINVAL,
        "parameter name, entry 1, value \"a23456789012345b\"",
    ),
    (
        &[("name", "a/b")],
        EINVAL,
        "parameter name, entry 1, value \"a/b\": not an interface name",
    ),
    (
        &[("in", ""), ("out", "")],
        EINVAL,
        "an interface needs a channel",
    ),
    (
        &[("in", "nowhere")],
        ENXIO,
        "parameter in, entry 1, value \"nowhere\": the subject has no memory of this name",
    ),
    (
        &[("out", "nowhere")],
        ENXIO,
        "parameter out, entry 1, value \"nowhere\"",
    ),
    (
        &[("in", "mtus")],
        EPERM,
        "parameter in, entry 1, value \"mtus\": this memory is not a channel",
    ),
    (
        &[("out", "mtus")],
        EPERM,
        "parameter out, entry 1, value \"mtus\": this memory is not a channel",
    ),
    (
        &[("in", "output")],
        EPERM,
        "parameter in, entry 1, value \"output\": this channel is writable",
    ),
    (
        &[("out", "input")],
        EPERM,
        "parameter out, entry 1, value \"input\": this channel is read-only",
    ),
    // A channel has one writer.
    (
        &[
            ("name", "net0,net1"),
            ("in", "input,"),
            ("out", "output,output"),
            ("writer_protocol", "1,1"),
        ],
        EINVAL,
        "parameter out, entry 2, value \"output\": another interface writes this channel",
    ),
    // An interrupt has one interface.
    (
        &[
            ("name", "net0,net1"),
            ("in", "ringing,ringing"),
            ("out", ""),
            ("reader_protocol", "1,1"),
            ("writer_protocol", ""),
        ],
        EINVAL,
        "parameter in, entry 2, value \"ringing\": interrupt ",
    ),
    (
        &[("pmtu", "mtus")],
        EINVAL,
        "parameter pmtu, entry 1, value \"mtus\": path MTUs are for IP packets, and eth_dev carries",
    ),
    (
        &[("reader_protocol", "")],
        EINVAL,
        "parameter reader_protocol, entry 1, value \"\": the channel needs a protocol",
    ),
    (
        &[("writer_protocol", "")],
        EINVAL,
        "parameter writer_protocol, entry 1, value \"\": the channel needs a protocol",
    ),
    (
        &[("reader_protocol", "0x7g")],
        EINVAL,
        "parameter reader_protocol, entry 1, value \"0x7g\": not a hexadecimal number",
    ),
    (
        &[("writer_protocol", "0")],
        EINVAL,
        "parameter writer_protocol, entry 1, value \"0\": a protocol must not be 0",
    ),
    (
        &[("reader_protocol", "10000000000000000")],
        EINVAL,
        "parameter reader_protocol, entry 1",
    ),
    (
        &[("mtu", "many")],
        EINVAL,
        "parameter mtu, entry 1, value \"many\": not a decimal number",
    ),
    (
        &[("mtu", "0")],
        EINVAL,
        "parameter mtu, entry 1, value \"0\": not between 1 and 65521",
    ),
    (
        &[("mtu", "65521")],
        EINVAL,
        "parameter out, entry 1, value \"output\": a region of 65536 bytes has no room for one \
         element of 65537 bytes behind the header; make the channel larger or the MTU smaller",
    ),
    (
        &[("pmtu", "nowhere"), ("flags", "net_hdr")],
        ENXIO,
        "parameter pmtu, entry 1, value \"nowhere\"",
    ),
    (
        &[("flags", "eth_device")],
        EINVAL,
        "parameter flags, entry 1, value \"eth_device\": unknown flag",
    ),
    (
        &[("flags", "eth_dev+net_hdr")],
        EINVAL,
        "parameter flags, entry 1, value \"eth_dev+net_hdr\": net_hdr and eth_dev exclude",
    ),
    (
        &[("flags", "net_hdr+vlan")],
        EINVAL,
        "parameter flags, entry 1, value \"net_hdr+vlan\": vlan goes with Ethernet frames",
    ),
    (
        &[("poll", "4294967296")],
        EINVAL,
        "parameter poll, entry 1, value \"4294967296\": not between",
    ),
    (
        &[("poll", "1,2")],
        EINVAL,
        "parameter poll, entry 1, value \"1,2\": not a decimal number",
    ),
    // The second interface is wrong: the first goes, too.
    (
        &[
            ("name", "net0,net1"),
            ("in", "input,input"),
            ("reader_protocol", "1,1"),
            ("flags", "eth_dev,eth"),
        ],
        EINVAL,
        "parameter flags, entry 2, value \"eth\": unknown flag",
    ),
    // A name that is taken; the loader makes EBUSY of EEXIST.
    (
        &[("name", "lo")],
        "Device or resource busy",
        "parameter name, entry 1, value \"lo\": an interface of this name exists already",
    ),
];

/// Parameters that the original takes, the MTU that the interface has, and what the log
/// says.
const TAKEN: &[(Parameters, u32, &str)] = &[
    (&[("mtu", "64"), ("flags", "")], 64, ""),
    (&[("mtu", "1"), ("flags", "")], 1, ""),
    (&[("mtu", "60000"), ("flags", "")], 60000, ""),
    (&[("mtu", "50")], 50, ""),
    (&[("mtu", "50"), ("flags", "net_hdr")], 50, ""),
    (&[("mtu", "65400"), ("flags", "net_hdr")], 65400, ""),
    (&[("poll", "0")], 1500, ""),
    (&[("poll", "3600000000")], 1500, ""),
    (&[("flags", "eth_dev+vlan")], 1500, ""),
    (
        &[("in", "input,behind")],
        1500,
        "parameter in, entry 2, value \"behind\": ignored",
    ),
    (
        &[("name", "net0,"), ("mtu", ",,1500")],
        1500,
        "parameter mtu, entry 3, value \"1500\": ignored, as there is no interface name",
    ),
];

/// The reasons of muennet-core (`config::Why`), with the words that tell of them.
const REASONS: &[(&str, &str)] = &[
    ("NameTooLong", "a23456789012345b"),
    ("NameInvalid", "not an interface name"),
    ("NoInterface", "ignored"),
    ("TooMany", "there can be no more than"),
    ("NoChannel", "an interface needs a channel"),
    ("ProtocolMissing", "the channel needs a protocol"),
    ("NotHexadecimal", "not a hexadecimal number"),
    ("ProtocolZero", "a protocol must not be 0"),
    ("NotDecimal", "not a decimal number"),
    ("OutOfRange", "not between"),
    ("UnknownFlag", "unknown flag"),
    ("BothModes", "net_hdr and eth_dev exclude"),
    ("VlanWithoutEthernet", "vlan goes with Ethernet"),
    ("UnknownResource", "the subject has no memory of this name"),
    ("NotAChannel", "this memory is not a channel"),
    ("InputWritable", "this channel is writable"),
    ("OutputReadOnly", "this channel is read-only"),
    ("NoInterrupt", "has no interrupt"),
    ("InterruptTaken", "interrupt "),
    ("TooSmall", "this memory has"),
    ("Misaligned", "the address of this memory"),
    ("WrittenTwice", "another interface writes this channel"),
    ("PathMtuOfEthernet", "path MTUs are for IP packets"),
];

const SOUND: Parameters = &[
    ("name", "net0"),
    ("in", "input"),
    ("out", "output"),
    ("reader_protocol", "1"),
    ("writer_protocol", "1"),
    ("flags", "eth_dev"),
];

/// The parameters of a module's load, those of `wrong` instead of the sound ones.
fn line(wrong: &[(&str, &str)]) -> String {
    let kept = SOUND
        .iter()
        .filter(|(name, _)| !wrong.iter().any(|(other, _)| other == name));
    kept.chain(wrong)
        .map(|(name, value)| format!("{name}='{value}'"))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Every wrong parameter, and a sound line at the end.
pub fn parameters(lab: &Lab) -> Result<()> {
    let wire = lab.serve("parameters.toml")?;
    let mut vm = wire.vm("linux")?;
    vm.ok("modprobe muen_ivshmem")?;
    let before = vm.ok("ls /sys/class/net")?;
    for (wrong, errno, said) in WRONG {
        let line = line(wrong);
        vm.ok("dmesg -c >/dev/null")?;
        let output = vm.run(&format!("modprobe muennet {line}"))?;
        ensure!(
            output.status != 0 && output.text.contains(errno),
            "modprobe muennet {line} does not fail with \"{errno}\":\n{}",
            output.text
        );
        let log = vm.ok("dmesg")?;
        let ours: Vec<_> = log
            .lines()
            .filter(|line| line.contains("muennet: "))
            .collect();
        ensure!(
            ours.len() == 1 && ours[0].contains(said),
            "modprobe muennet {line} should leave one line with \"{said}\" in the log:\n{log}"
        );
        let after = vm.ok("ls /sys/class/net")?;
        ensure!(after == before, "interfaces are left by {line}:\n{after}");
        let modules = vm.ok("cat /proc/modules")?;
        ensure!(
            !modules.contains("muennet "),
            "the module stays after {line}"
        );
    }
    for (parameters, mtu, said) in TAKEN {
        let line = line(parameters);
        vm.ok("dmesg -c >/dev/null")?;
        vm.ok(&format!("modprobe muennet {line} && ip link set net0 up"))
            .with_context(|| format!("modprobe muennet {line}"))?;
        let link = vm.ok("ip link show net0; dmesg")?;
        ensure!(
            link.contains(&format!("mtu {mtu} ")) && link.contains(said),
            "after modprobe muennet {line} the interface is:\n{link}"
        );
        vm.ok("rmmod muennet")?;
    }
    every_reason_was_given()?;
    not_text(&mut vm)?;
    shown(&mut vm)?;
    taken(&mut vm)?;
    vm.finish()
}

/// Every reason of muennet-core was given, except those that no policy file leads to:
/// `muen-ivshmem` refuses such memory itself. Unit tests give these.
fn every_reason_was_given() -> Result<()> {
    const REFUSED_BEFORE: [&str; 4] = ["TooMany", "NoInterrupt", "TooSmall", "Misaligned"];
    let said = || {
        let wrong = WRONG.iter().map(|(_, _, said)| said);
        wrong.chain(TAKEN.iter().map(|(_, _, said)| said))
    };
    for (why, text) in REASONS {
        ensure!(
            REFUSED_BEFORE.contains(why) || said().any(|said| said.contains(text)),
            "no line of parameters leads to the reason {why}"
        );
    }
    Ok(())
}

/// An entry that is no text.
fn not_text(vm: &mut crate::vm::Vm) -> Result<()> {
    vm.ok("dmesg -c >/dev/null")?;
    let line = line(&[("in", "input")]);
    vm.ok(&format!(
        "insmod /lib/modules/*/extra/muennet.ko {line} in=\"$(printf 'input,a\\377')\" && exit 1; true"
    ))?;
    let log = vm.ok("dmesg")?;
    ensure!(
        log.contains("parameter in, entry 2, value \"a\\xff\": not UTF-8"),
        "an entry that is no text leaves:\n{log}"
    );
    Ok(())
}

/// Small and odd sizes that are taken.
fn taken(vm: &mut crate::vm::Vm) -> Result<()> {
    // One path MTU is enough; of 259 the last counts, and each is a mark to give.
    for (region, marks) in [("one", 256), ("odd", 259)] {
        let line = line(&[("pmtu", region), ("flags", "net_hdr")]);
        vm.ok(&format!("modprobe muennet {line}"))?;
        vm.ok(&format!(
            "muennet_cfg add_child net0 c && for i in $(seq {marks}); do \
             muennet_cfg add_mark c $i || exit; done; ! muennet_cfg add_mark c {}",
            marks + 1
        ))?;
        vm.ok("rmmod muennet")?;
    }
    // Without an event a channel may be read by two.
    let line = line(&[
        ("name", "net0,net1"),
        ("in", "input,input"),
        ("reader_protocol", "1,1"),
    ]);
    vm.ok(&format!("modprobe muennet {line} && rmmod muennet"))
        .map(drop)
}

/// A sound line's parameters are readable in sysfs, by everybody.
fn shown(vm: &mut crate::vm::Vm) -> Result<()> {
    vm.ok(&format!("modprobe muennet {} mtu=1400 poll=500", line(&[])))?;
    for name in super::module::PARAMETERS {
        let rights = vm.ok(&format!("stat -c %a /sys/module/muennet/parameters/{name}"))?;
        ensure!(rights.trim() == "444", "{name} has the rights {rights}");
    }
    let values = vm.ok("cd /sys/module/muennet/parameters; cat name in out mtu poll")?;
    let values: Vec<_> = values.split_whitespace().collect();
    ensure!(
        values == ["net0", "input", "output", "1400", "500"],
        "sysfs shows {values:?}"
    );
    let driver = vm.ok("ethtool -i net0")?;
    ensure!(
        driver.contains("driver: muennet") && driver.contains("bus-info: input:output"),
        "ethtool shows:\n{driver}"
    );
    vm.ok("rmmod muennet").map(drop)
}

#[cfg(test)]
mod tests {
    use super::REASONS;

    /// The enumeration's variants, by their indentation.
    #[test]
    fn every_reason_is_listed() {
        let source = include_str!("../../../muennet-core/src/config/error.rs");
        let (_, rest) = source.split_once("pub enum Why {").unwrap();
        let (body, _) = rest.split_once("\n}").unwrap();
        let variants: Vec<_> = body
            .lines()
            .filter_map(|line| line.strip_prefix("    "))
            .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
            .map(|line| line.trim_end_matches([',', ' ', '{']))
            .collect();
        let listed: Vec<_> = REASONS.iter().map(|(why, _)| *why).collect();
        assert_eq!(variants, listed);
    }
}
