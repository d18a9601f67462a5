// SPDX-License-Identifier: MIT OR Apache-2.0
//! One entry for people and CI: builds the root tree, the modules and the VMs,
//! shows the demo and runs the checks.

mod aarch64;
mod bench;
mod cache;
mod deb;
mod debug_kernel;
mod demo;
mod habits;
mod host;
mod initramfs;
mod kmod;
mod lab;
mod layers;
mod libnl;
mod libraries;
mod matrix;
mod mirror;
mod muen;
mod mutants;
mod netns;
mod packaging;
mod process;
mod progress;
mod proofs;
mod rehearsal;
mod run;
mod rust_src;
mod scenarios;
mod seeded;
mod settings;
mod shell;
mod splat;
mod stock;
mod target;
mod tools;
mod tree;
mod unikernel;
mod upstream;
mod vm;

use clap::{Parser, Subcommand};
use matrix::Record;
use std::process::ExitCode;
use target::{Arch, Flavour, Target};
use tree::Tree;

#[derive(Parser)]
#[command(name = "cargo xtask", about, version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show a Linux VM and a Rust component, or two Linux VMs, on one wire.
    Demo {
        /// Two Linux VMs: ping and iperf3 both ways.
        #[arg(long)]
        linux: bool,
        /// A Linux VM and a unikernel: ping, TCP and UDP echo, a status page.
        #[arg(long, conflicts_with = "linux")]
        unikernel: bool,
    },
    /// Measure, beside a baseline in the same run.
    Bench {
        /// Guest instructions per packet, beside virtio-net in the same VM.
        #[arg(long, required_unless_present = "native")]
        vm: bool,
        /// Two processes of this host, beside a queue, TAPs and a cache line.
        #[arg(long)]
        native: bool,
        /// The kernel of the VM.
        #[arg(long, value_enum, default_value_t)]
        kernel: Flavour,
    },
    /// Run the fuzzers, one after the other; findings go to target/fuzz/artifacts.
    Fuzz {
        /// Seconds for each.
        #[arg(long, default_value_t = 600)]
        seconds: u32,
        /// Lay the fewest files that reach what the corpus reaches into target/fuzz/minimal.
        #[arg(long, conflicts_with = "seconds")]
        minimize: bool,
    },
    /// Race a reader and a sender against hostile threads, in each framing.
    Race {
        /// Seconds for each.
        #[arg(long, default_value_t = 600)]
        seconds: u32,
    },
    /// Put faults into the code, one at a time: the tests must notice each. Takes hours.
    Mutants(mutants::Choice),
    /// Build the kernel modules.
    Kmod {
        /// The kernel to build for.
        #[arg(long, value_enum, default_value_t)]
        kernel: Flavour,
        /// Its architecture.
        #[arg(long, value_enum, default_value_t)]
        arch: Arch,
    },
    /// Write target/muen: the unikernel's image for Muen, component specifications, a policy.
    Muen,
    /// Make the Debian package of the tools.
    Deb,
    /// Open a shell in a VM with the modules, an echo server at the other end.
    Shell,
    /// Run the checks: lints, unit tests, models, documentation, VMs.
    Test {
        /// Run only the layers of these names.
        #[arg(long, value_name = "NAME")]
        layer: Vec<String>,
        /// The kernel of the VMs. With another than the newest only the layers with VMs are run.
        #[arg(long, value_enum, default_value_t)]
        kernel: Flavour,
        /// Its architecture. For arm64 the kernels are 6.1, 6.12, 7.2 and 7.3-compat.
        #[arg(long, value_enum, default_value_t)]
        arch: Arch,
        /// All layers, those of the table in docs/kernels.md on every other kernel, and the
        /// seeded faults.
        #[arg(long, conflicts_with_all = ["layer", "kernel", "arch"])]
        all: bool,
        /// Write into docs/kernels.toml what passed, and its table into docs/kernels.md.
        #[arg(long)]
        record: bool,
        /// List the layers and leave.
        #[arg(long)]
        list: bool,
    },
    /// Run the seeded faults of tests/seeded: the layer that each names must fail on it.
    Seeded {
        /// Run only these.
        name: Vec<String>,
        /// List the faults and leave.
        #[arg(long)]
        list: bool,
    },
    /// Write the table of docs/kernels.toml into docs/kernels.md.
    Kernels,
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Fuzz { minimize: true, .. } => proofs::minimize().map(|()| true),
        Command::Fuzz { seconds, .. } => proofs::fuzz(seconds).map(|()| true),
        Command::Mutants(choice) => mutants::run(&choice).map(|()| true),
        Command::Race { seconds } => proofs::race(seconds).map(|()| true),
        Command::Demo { linux: true, .. } => demo::two_linux().map(|()| true),
        Command::Demo {
            unikernel: true, ..
        } => demo::unikernel().map(|()| true),
        Command::Demo { .. } => demo::one_wire().map(|()| true),
        Command::Bench { vm, native, kernel } => bench(vm, native, kernel).map(|()| true),
        Command::Shell => shell::shell().map(|()| true),
        Command::Kmod { kernel, arch } => kernel.on(arch).and_then(kmods).map(|()| true),
        Command::Muen => muen().map(|()| true),
        Command::Deb => deb().map(|()| true),
        Command::Test { list: true, .. } => {
            layers::list();
            Ok(true)
        }
        Command::Test {
            all: true, record, ..
        } => all(record),
        Command::Test {
            layer,
            kernel,
            arch,
            record,
            ..
        } => kernel
            .on(arch)
            .and_then(|kernel| layers::run(&layer, kernel, record)),
        Command::Seeded { list: true, .. } => seeded::list().map(|()| true),
        Command::Seeded { name, .. } => seeded::run(&name),
        Command::Kernels => Record::open()
            .and_then(|record| record.write())
            .map(|()| true),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// All layers on the newest kernel, those of the table on the others, and the seeded faults.
fn all(record: bool) -> anyhow::Result<bool> {
    let newest = layers::run(&[], Target::default(), record)?;
    let rest = matrix::run_rest(record)?;
    println!();
    Ok(seeded::run(&[])? && newest && rest)
}

fn bench(vm: bool, native: bool, kernel: Flavour) -> anyhow::Result<()> {
    if native {
        bench::native::run()?;
    }
    if vm {
        bench::vm::run(kernel)?;
    }
    Ok(())
}

fn muen() -> anyhow::Result<()> {
    println!("{}", muen::write()?.display());
    Ok(())
}

fn deb() -> anyhow::Result<()> {
    println!("{}", deb::make(&Tree::with(Flavour::Stock)?)?.display());
    Ok(())
}

fn kmods(kernel: Target) -> anyhow::Result<()> {
    for module in kmod::build(&Tree::with(kernel)?)? {
        println!("{}", module.display());
    }
    Ok(())
}
