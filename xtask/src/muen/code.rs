// SPDX-License-Identifier: MIT OR Apache-2.0
//! The image's instructions: none that stops a subject of Muen, or its system.

use super::elf_file::functions;
use anyhow::{bail, ensure, Result};
use iced_x86::{Decoder, DecoderOptions, Mnemonic};

/// The function that reads the time stamp counter, in a mangled name.
const CLOCK: &str = "3tsc7counter";
/// Instructions that make a subject exit for good.
const FORBIDDEN: &[Mnemonic] = &[
    Mnemonic::Cpuid,
    Mnemonic::Rdtscp,
    Mnemonic::Rdpmc,
    Mnemonic::Rdmsr,
    Mnemonic::Wrmsr,
    Mnemonic::In,
    Mnemonic::Out,
    Mnemonic::Insb,
    Mnemonic::Outsb,
    Mnemonic::Invlpg,
    Mnemonic::Monitor,
    Mnemonic::Mwait,
    Mnemonic::Xsetbv,
    Mnemonic::Wbinvd,
];

/// Sees to it that the image holds none of them, and RDTSC in the clock alone.
pub fn check(image: &[u8]) -> Result<()> {
    let (mut reads, mut calls, mut halts) = (0, 0, 0);
    for (name, address, code) in functions(image)? {
        let decoder = Decoder::with_ip(64, code, address, DecoderOptions::NONE);
        for instruction in decoder {
            let at = instruction.ip();
            ensure!(
                !instruction.is_invalid(),
                "no instruction at {at:#x}, in {name}"
            );
            match instruction.mnemonic() {
                Mnemonic::Rdtsc if name.contains(CLOCK) => reads += 1,
                Mnemonic::Rdtsc => bail!("rdtsc at {at:#x}, in {name}"),
                Mnemonic::Vmcall => calls += 1,
                Mnemonic::Hlt => halts += 1,
                mnemonic if FORBIDDEN.contains(&mnemonic) => {
                    bail!("{mnemonic:?} at {at:#x}, in {name}");
                }
                _ => {}
            }
        }
    }
    ensure!(
        reads == 1 && calls > 0 && halts > 0,
        "{reads} rdtsc, {calls} vmcall, {halts} hlt: that is not the image's code"
    );
    Ok(())
}

/// Sees to it that the image for arm64 rings by Muen's hypercall.
pub fn check_arm64(image: &[u8]) -> Result<()> {
    /// `hvc #1`.
    const CALL: [u8; 4] = 0xd400_0022_u32.to_le_bytes();
    let calls = |code: &[u8]| code.chunks_exact(4).any(|word| word == CALL);
    ensure!(
        functions(image)?.iter().any(|(_, _, code)| calls(code)),
        "the image for arm64 has no hvc #1"
    );
    Ok(())
}

/// Sees to it that such an instruction would be found: the unikernel for QEMU asks the
/// processor for its features.
pub fn check_finds() -> Result<()> {
    let image = crate::unikernel::Image::Qemu.build()?;
    match check(&std::fs::read(image)?) {
        Ok(()) => bail!("the instructions of the unikernel for QEMU are not noticed"),
        Err(_) => Ok(()),
    }
}
