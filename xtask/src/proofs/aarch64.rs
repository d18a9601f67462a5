// SPDX-License-Identifier: MIT OR Apache-2.0
//! The unit tests of muennet-core on aarch64, in QEMU's user mode.

use crate::{
    cache::{need_file, need_program},
    run::{cargo, quietly, target},
    rust_src,
};
use anyhow::Result;

const TARGET: &str = "aarch64-unknown-linux-gnu";

/// Runs the unit tests, the images and the messages, with a standard library built
/// for them. The properties, thousands of cases, take too long in an emulator.
pub fn unit_tests() -> Result<()> {
    rust_src::provide()?;
    need_program("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu")?;
    need_program("qemu-aarch64", "qemu-user")?;
    // The compiler's package only recommends its C library.
    need_file(
        "/usr/aarch64-linux-gnu/lib/libc.so",
        "libc6-dev-arm64-cross",
    )?;
    let runner = "qemu-aarch64 -L /usr/aarch64-linux-gnu";
    quietly(
        cargo(&[
            "test",
            "-Zbuild-std=std,panic_unwind,test",
            "--target",
            TARGET,
            "--package",
            "muennet-core",
            "--features",
            "builder,log",
            "--lib",
            "--test",
            "vectors",
            "--test",
            "messages",
        ])
        .arg("--target-dir")
        .arg(target("aarch64")?)
        .env("RUSTC_BOOTSTRAP", "1")
        .env(
            "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER",
            "aarch64-linux-gnu-gcc",
        )
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", runner),
    )
    .map(drop)
}
