// SPDX-License-Identifier: MIT OR Apache-2.0
//! Chooses the unikernel's platform for QEMU's PC, and its linker script.

fn main() {
    let folder = format!(
        "{}/../../examples/unikernel/src/platform/qemu",
        env!("CARGO_MANIFEST_DIR")
    );
    println!("cargo::rustc-check-cfg=cfg(platform, values(\"muen\", \"qemu\", \"virt\"))");
    println!("cargo::rustc-cfg=platform=\"qemu\"");
    println!("cargo::rustc-link-arg-bins=-T{folder}/link.ld");
    println!("cargo::rerun-if-changed={folder}/link.ld");
    println!("cargo::rerun-if-changed=build.rs");
}
