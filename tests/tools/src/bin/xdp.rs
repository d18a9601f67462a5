// SPDX-License-Identifier: MIT OR Apache-2.0
//! Drops, by generic XDP, the packets of an interface whose first byte is that of an
//! IPv4 header, for as long as it runs. A program of ten instructions needs neither a
//! compiler nor a loader.
#![expect(unsafe_code, reason = "no safe crate has the bpf system call")]

use anyhow::{bail, Context, Result};
use clap::Parser;
use std::{
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    process::ExitCode,
    thread,
};

/// Drops what begins with an IPv4 header, by generic XDP, until it is killed.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The interface.
    interface: String,
}

/// `struct bpf_insn`.
#[repr(C)]
struct Instruction {
    code: u8,
    /// The destination register, and in the upper four bits the source register.
    registers: u8,
    offset: i16,
    immediate: i32,
}

const fn instruction(code: u8, registers: u8, offset: i16, immediate: i32) -> Instruction {
    Instruction {
        code,
        registers,
        offset,
        immediate,
    }
}

/// Drops the packet (1) if its first byte is 0x45, else passes it (2).
const DROP_IPV4: [Instruction; 10] = [
    // r2 = data; r3 = data_end
    instruction(0x61, 0x12, 0, 0),
    instruction(0x61, 0x13, 4, 0),
    // if r2 + 1 > r3 goto pass
    instruction(0xbf, 0x24, 0, 0),
    instruction(0x07, 0x04, 0, 1),
    instruction(0x2d, 0x34, 3, 0),
    // r5 = the first byte
    instruction(0x71, 0x25, 0, 0),
    instruction(0xb7, 0x00, 0, 1),
    instruction(0x15, 0x05, 1, 0x45),
    // pass:
    instruction(0xb7, 0x00, 0, 2),
    instruction(0x95, 0x00, 0, 0),
];

/// The part of `union bpf_attr` for BPF_PROG_LOAD that is used.
#[repr(C)]
struct Load {
    kind: u32,
    count: u32,
    instructions: u64,
    license: u64,
    rest: [u64; 8],
}

/// The part of `union bpf_attr` for BPF_LINK_CREATE that is used.
#[repr(C)]
struct Attach {
    program: i32,
    interface: u32,
    kind: u32,
    flags: u32,
}

const BPF_PROG_LOAD: libc::c_int = 5;
const BPF_LINK_CREATE: libc::c_int = 28;
const BPF_PROG_TYPE_XDP: u32 = 6;
const BPF_XDP: u32 = 37;
const XDP_FLAGS_SKB_MODE: u32 = 1 << 1;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xdp: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let index = format!("/sys/class/net/{}/ifindex", args.interface);
    let index = std::fs::read_to_string(&index).with_context(|| format!("cannot read {index}"))?;
    let load = Load {
        kind: BPF_PROG_TYPE_XDP,
        count: DROP_IPV4.len() as u32,
        instructions: DROP_IPV4.as_ptr() as u64,
        license: c"GPL".as_ptr() as u64,
        rest: [0; 8],
    };
    // SAFETY: the attributes of this command, whose pointers lead to constants.
    let program = unsafe { bpf(BPF_PROG_LOAD, &load) }.context("the kernel takes no program")?;
    let attach = Attach {
        program: program.as_raw_fd(),
        interface: index.trim().parse()?,
        kind: BPF_XDP,
        flags: XDP_FLAGS_SKB_MODE,
    };
    // SAFETY: the attributes of this command, without pointers.
    let _link = unsafe { bpf(BPF_LINK_CREATE, &attach) }.context("cannot attach the program")?;
    println!("attached");
    loop {
        thread::park();
    }
}

/// The system call.
///
/// # Safety
///
/// `attributes` are those of `command`, which gives a descriptor.
unsafe fn bpf<T>(command: libc::c_int, attributes: &T) -> Result<OwnedFd> {
    // SAFETY: valid for its size; the rest as promised by the caller.
    let descriptor = unsafe { libc::syscall(libc::SYS_bpf, command, attributes, size_of::<T>()) };
    match i32::try_from(descriptor) {
        // SAFETY: the kernel just made this descriptor for us.
        Ok(descriptor @ 0..) => Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }),
        _ => bail!(io::Error::last_os_error()),
    }
}
