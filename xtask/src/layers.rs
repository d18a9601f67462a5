// SPDX-License-Identifier: MIT OR Apache-2.0
//! The layers of `cargo xtask test`, from the cheapest to the virtual machines.

use crate::{
    bench, habits, host, kmod,
    lab::Lab,
    matrix::{self, Record},
    muen, mutants, packaging,
    progress::Seconds,
    proofs, rehearsal,
    run::{cargo, quietly, target, workspace},
    rust_src, scenarios,
    target::{Arch, Flavour, Target},
    tree::Tree,
    unikernel::Image,
};
use anyhow::{bail, ensure, Context, Result};
use std::{cell::OnceCell, time::Instant};

/// One check with a name.
struct Layer {
    name: &'static str,
    about: &'static str,
    check: Check,
}

/// The kind of a check, by what it needs.
enum Check {
    /// On this machine.
    Host(fn() -> Result<()>),
    /// Inside of the root tree, for Debian's kernel.
    Tree(fn(&Tree) -> Result<()>),
    /// In virtual machines.
    Vm(fn(&Lab) -> Result<()>),
    /// With kernels of its own: the root tree is left to it.
    Kernels(fn() -> Result<()>),
}

const LAYERS: &[Layer] = &[
    Layer {
        name: "format",
        about: "rustfmt finds nothing to change",
        check: Check::Host(|| cargo_ok(&["fmt", "--all", "--check"])),
    },
    Layer {
        name: "clippy",
        about: "clippy finds nothing, warnings denied",
        check: Check::Host(|| {
            cargo_ok(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--all-features",
                "--",
                "-D",
                "warnings",
            ])
        }),
    },
    Layer {
        name: "features",
        about: "each crate with none of its features, each alone, and all",
        check: Check::Host(habits::features),
    },
    Layer {
        name: "packages",
        about: "licences and sources of all packages, as deny.toml demands; advisories",
        check: Check::Host(habits::packages),
    },
    Layer {
        name: "spelling",
        about: "typos finds no misspelt word",
        check: Check::Host(habits::spelling),
    },
    Layer {
        name: "unit",
        about: "unit and integration tests",
        check: Check::Host(|| cargo_ok(&["test", "--workspace", "--all-features"])),
    },
    Layer {
        name: "models",
        about: "memory ordering, as loom models it",
        check: Check::Host(models),
    },
    Layer {
        name: "docs",
        about: "rustdoc without warnings, the table of kernels.md",
        check: Check::Host(docs),
    },
    Layer {
        name: "freestanding",
        about: "core and device without an operating system, x86_64 and aarch64",
        check: Check::Host(freestanding),
    },
    Layer {
        name: "barriers",
        about: "the barriers in muennet-core's code for aarch64",
        check: Check::Host(proofs::barriers),
    },
    Layer {
        name: "unit-aarch64",
        about: "muennet-core's tests on aarch64, in QEMU's user mode",
        check: Check::Host(proofs::on_aarch64),
    },
    Layer {
        name: "coverage",
        about: "muennet-core's tests run at least 95 % of its lines",
        check: Check::Host(proofs::coverage),
    },
    Layer {
        name: "speed",
        about: "a frame beside two memcpys: 1.3 times, in batches 1.15 times",
        check: Check::Host(proofs::speed),
    },
    Layer {
        name: "fuzz",
        about: "hostile peers, pages and parameters under AddressSanitizer, 30 s each",
        check: Check::Host(proofs::fuzz_briefly),
    },
    Layer {
        name: "race",
        about:
            "a reader and a sender against hostile threads, under AddressSanitizer, 10 s a framing",
        check: Check::Host(proofs::race_briefly),
    },
    Layer {
        name: "c-interface",
        about: "muennet-c: two ends in C under sanitizers, an echo, header as C11 and C++, no panic path",
        check: Check::Host(proofs::c_interface),
    },
    Layer {
        name: "mutants",
        about: "faults in functions changed since MUENNET_BASE are noticed; 3 minutes of them",
        check: Check::Host(mutants::changed_briefly),
    },
    Layer {
        name: "panics",
        about: "muennet-core has no panic path",
        check: Check::Host(proofs::no_panic_path),
    },
    Layer {
        name: "components",
        about: "the small components: events, two links, embassy-net, two minutes of loss",
        check: Check::Host(components),
    },
    Layer {
        name: "images",
        about:
            "the unikernel for QEMU and Muen, x86_64 and aarch64, and the rehearsal: clippy, size",
        check: Check::Host(images),
    },
    Layer {
        name: "muen-files",
        about: "the folder for Muen: sections, flags and instructions of the image, XML",
        check: Check::Host(muen::check),
    },
    Layer {
        name: "host",
        about: "bridge and inspect, with interfaces in network namespaces",
        check: Check::Host(host::check),
    },
    Layer {
        name: "msrv",
        about: "muennet-core with Rust 1.85, and as the kernel compiles it",
        check: Check::Vm(proofs::oldest_compiler),
    },
    Layer {
        name: "native",
        about: "two processes beside a queue, TAPs and a cache line, in short",
        check: Check::Host(bench::native::check),
    },
    Layer {
        name: "packaging",
        about: "make install, DKMS, patch series, Debian package, netlink specification",
        check: Check::Tree(packaging::check),
    },
    Layer {
        name: "muen-headers",
        about: "the driver with Muen Linux' own headers, which tell the layouts",
        check: Check::Tree(kmod::with_muen_headers),
    },
    Layer {
        name: "demo",
        about: "the two demos of the README",
        check: Check::Vm(scenarios::demos),
    },
    Layer {
        name: "shell",
        about: "the VM to play in",
        check: Check::Vm(scenarios::shell),
    },
    Layer {
        name: "interrupt",
        about: "one wire with events: starts, restarts, carrier, tcpdump, counters",
        check: Check::Vm(scenarios::interrupt),
    },
    Layer {
        name: "poll",
        about: "the same without events",
        check: Check::Vm(scenarios::poll),
    },
    Layer {
        name: "module",
        about: "its size, modinfo, insmod twice, modprobe -r",
        check: Check::Vm(scenarios::module),
    },
    Layer {
        name: "modes",
        about: "every command line of the original, in every mode",
        check: Check::Vm(scenarios::modes),
    },
    Layer {
        name: "netdev",
        about: "VLANs, a bond, multicast addresses, tc, cBPF and XDP, as on any interface",
        check: Check::Vm(scenarios::netdev),
    },
    Layer {
        name: "many",
        about: "32 interfaces by one line, all of them at once",
        check: Check::Vm(scenarios::many),
    },
    Layer {
        name: "subjects",
        about: "a policy of 500 subjects: a VM has all its interrupts",
        check: Check::Vm(scenarios::subjects),
    },
    Layer {
        name: "children",
        about: "children in namespaces, their marks, links, rights and races",
        check: Check::Vm(scenarios::children),
    },
    Layer {
        name: "path-mtu",
        about: "fragments and ICMP for a mark's path MTU, which may change",
        check: Check::Vm(scenarios::path_mtu),
    },
    Layer {
        name: "ethtool",
        about: "what ethtool and debugfs show and change",
        check: Check::Vm(scenarios::ethtool),
    },
    Layer {
        name: "hostile",
        about: "a peer that lies, in every mode; MUENNET_LIES sets how often",
        check: Check::Vm(scenarios::hostile),
    },
    Layer {
        name: "parameters",
        about: "wrong parameters are refused as documented",
        check: Check::Vm(scenarios::parameters),
    },
    Layer {
        name: "modprobe",
        about: "the example for modprobe.d, unloading in order",
        check: Check::Vm(scenarios::modprobe),
    },
    Layer {
        name: "cfg",
        about: "muennet_cfg: listing, refusals, and the original's program beside it",
        check: Check::Vm(scenarios::cfg),
    },
    Layer {
        name: "netlink",
        about: "random requests of root, a user, a user namespace; MUENNET_MESSAGES sets how many",
        check: Check::Vm(scenarios::netlink),
    },
    Layer {
        name: "reload",
        about: "100 loads and unloads under a flood of pings",
        check: Check::Vm(scenarios::reload),
    },
    Layer {
        name: "restarts",
        about:
            "either end starts again, beside a silent and a busy peer: nothing old, nothing twice",
        check: Check::Vm(scenarios::restarts),
    },
    Layer {
        name: "churn",
        about: "links, children, peers and the module come and go at once, under traffic",
        check: Check::Vm(scenarios::churn),
    },
    Layer {
        name: "storm",
        about: "thousands of epochs, faults and events a second, with up to 250 children",
        check: Check::Vm(scenarios::storm),
    },
    Layer {
        name: "streams",
        about: "two minutes of TCP both ways, every byte compared; MUENNET_SECONDS sets how long",
        check: Check::Vm(scenarios::streams),
    },
    Layer {
        name: "bridge",
        about: "a host's ping, curl and iperf3 reach a unikernel and a Linux VM by a bridge",
        check: Check::Vm(scenarios::bridge),
    },
    Layer {
        name: "unikernel",
        about: "Linux and a unikernel: ping, echo, status page, start below a second",
        check: Check::Vm(scenarios::unikernel),
    },
    Layer {
        name: "muen-rehearsal",
        about: "the image for Muen in the state that Muen gives it, beside Linux",
        check: Check::Vm(scenarios::rehearsal),
    },
    Layer {
        name: "ip-mode",
        about: "Linux and a unikernel in net_hdr mode: IPv4, IPv6, marks both ways",
        check: Check::Vm(scenarios::ip_mode),
    },
    Layer {
        name: "upstream",
        about: "smoltcp's own example server, its device line changed, asked by Linux",
        check: Check::Vm(scenarios::upstream),
    },
    Layer {
        name: "kernels",
        about: "modules for all stock kernels; wires of 6.1, on amd64, arm64 and between them",
        check: Check::Kernels(kernels),
    },
    Layer {
        name: "aarch64",
        about: "the unikernel tests itself under qemu-system-aarch64",
        check: Check::Vm(scenarios::self_test),
    },
];

/// Prints the layers.
pub fn list() {
    for layer in LAYERS {
        println!("{:<12} {}", layer.name, layer.about);
    }
}

/// The check of a layer that boots VMs.
pub fn of_vms(name: &str) -> Result<fn(&Lab) -> Result<()>> {
    LAYERS
        .iter()
        .find_map(|layer| match layer.check {
            Check::Vm(check) if layer.name == name => Some(check),
            _ => None,
        })
        .with_context(|| format!("there is no layer \"{name}\" with VMs"))
}

/// Runs the layers in `chosen`, or all, with VMs of the kernel `target`; true if all
/// passed. What needs no VM is the same with every kernel, and run with the stock one. With
/// `record`, docs/kernels.toml and its table tell what passed.
pub fn run(chosen: &[String], target: Target, record: bool) -> Result<bool> {
    if let Some(unknown) = chosen
        .iter()
        .find(|name| !LAYERS.iter().any(|layer| layer.name == **name))
    {
        bail!("there is no layer \"{unknown}\"; see cargo xtask test --list");
    }
    let mut lab = OnceCell::new();
    let (mut passed, mut failed) = (0, 0);
    for layer in LAYERS {
        if !chosen.is_empty() && !chosen.iter().any(|name| name == layer.name) {
            continue;
        }
        let start = Instant::now();
        let result = match layer.check {
            Check::Host(_) if target != Target::default() && chosen.is_empty() => continue,
            Check::Tree(_) | Check::Kernels(_) if target != Target::default() => continue,
            Check::Tree(check) => open(&lab, target).and_then(|lab| check(&lab.tree)),
            Check::Host(check) => check(),
            Check::Vm(check) => open(&lab, target).and_then(check),
            Check::Kernels(check) => {
                lab.take();
                check()
            }
        };
        let took = Seconds(start.elapsed());
        if record {
            note(&lab, target, layer.name, &result)?;
        }
        match result {
            Ok(()) => {
                passed += 1;
                println!("ok    {:<12} {} ({took})", layer.name, layer.about);
            }
            Err(error) => {
                failed += 1;
                println!(
                    "FAIL  {:<12} {} ({took})\n{error:#}",
                    layer.name, layer.about
                );
            }
        }
    }
    println!("\n{passed} passed, {failed} failed");
    Ok(failed == 0)
}

/// Notes in docs/kernels.toml what a layer came to, if it was run at all.
fn note(lab: &OnceCell<Lab>, target: Target, layer: &str, result: &Result<()>) -> Result<()> {
    let Some(lab) = lab.get() else {
        return Ok(());
    };
    let mut record = Record::open()?;
    record.note(target, "builds", lab.tree.release(), &Ok(()));
    record.note(target, layer, lab.tree.release(), result);
    record.write()
}

/// The laboratory, made for the first layer that needs it.
fn open(lab: &OnceCell<Lab>, target: Target) -> Result<&Lab> {
    if lab.get().is_none() {
        let _ = lab.set(Lab::with(target)?);
    }
    lab.get().context("the laboratory is not there")
}

fn cargo_ok(arguments: &[&str]) -> Result<()> {
    quietly(&mut cargo(arguments)).map(drop)
}

fn models() -> Result<()> {
    let folder = target("loom")?;
    quietly(
        cargo(&[
            "test",
            "--package",
            "muennet-core",
            "--release",
            "--lib",
            "models",
        ])
        .arg("--target-dir")
        .arg(folder)
        .env("RUSTFLAGS", "--cfg loom"),
    )
    .map(drop)
}

fn docs() -> Result<()> {
    quietly(
        cargo(&["doc", "--workspace", "--all-features", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    matrix::check()
}

fn freestanding() -> Result<()> {
    for target in ["x86_64-unknown-none", "aarch64-unknown-none"] {
        quietly(&mut rust_src::cargo_freestanding(
            &[
                "build",
                "--release",
                "--package",
                "smoltcp-device",
                "--all-features",
            ],
            target,
        )?)?;
    }
    without_64_bit_atomics()
}

/// A target that cannot hold the protocol is refused by name.
fn without_64_bit_atomics() -> Result<()> {
    let said = rust_src::cargo_freestanding(
        &[
            "check",
            "--package",
            "muennet-core",
            "--no-default-features",
        ],
        "thumbv7m-none-eabi",
    )?
    .output()?;
    let said = String::from_utf8_lossy(&said.stderr);
    ensure!(
        said.contains("muennet-core needs 64-bit atomics"),
        "for a target without 64-bit atomics cargo says:\n{said}"
    );
    Ok(())
}

fn images() -> Result<()> {
    let folder = workspace().join("examples/unikernel");
    quietly(cargo(&["fmt", "--check"]).current_dir(folder))?;
    let monitor = workspace().join("tests/rehearsal");
    quietly(cargo(&["fmt", "--check"]).current_dir(monitor))?;
    for image in Image::ALL {
        image.lint()?;
        image.build()?;
    }
    rehearsal::lint()
}

/// Seconds that streams between two architectures run each time.
const BRIEF_STREAMS: u64 = 20;

fn kernels() -> Result<()> {
    for flavour in [Flavour::Linux612, Flavour::Linux72, Flavour::Compat] {
        kmod::build(&Tree::with(flavour)?)?;
    }
    let amd64 = Lab::with(Flavour::Linux61)?;
    scenarios::interrupt(&amd64)?;
    let arm64 = amd64.beside(Flavour::Linux61.on(Arch::Arm64)?)?;
    scenarios::interrupt(&arm64)?;
    scenarios::mixed(&arm64, &amd64, BRIEF_STREAMS)
}

fn components() -> Result<()> {
    for words in [
        &["events"][..],
        &["two_links"],
        &["embassy"],
        &["soak", "--", "--seconds", "120"],
    ] {
        let run = [
            "run",
            "--release",
            "--package",
            "muennet-components",
            "--bin",
        ];
        quietly(&mut cargo(&[&run[..], words].concat()))?;
    }
    Ok(())
}
