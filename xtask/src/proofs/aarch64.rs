// SPDX-License-Identifier: MIT OR Apache-2.0
//! The unit tests of muennet-core on aarch64, in QEMU's user mode.

use crate::{aarch64, cache::need_program, run::quietly};
use anyhow::Result;

/// Runs the unit tests, the images and the messages. The properties, thousands of cases,
/// take too long in an emulator.
pub fn unit_tests() -> Result<()> {
    need_program("qemu-aarch64", "qemu-user")?;
    let runner = "qemu-aarch64 -L /usr/aarch64-linux-gnu";
    quietly(
        aarch64::cargo_linux(
            &[
                "test",
                "--package",
                "muennet-core",
                "--features",
                "builder,log",
                "--lib",
                "--test",
                "vectors",
                "--test",
                "messages",
            ],
            "std,panic_unwind,test",
        )?
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", runner),
    )
    .map(drop)
}
