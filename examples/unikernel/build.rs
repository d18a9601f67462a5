// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names the platform, and gives the linker its script.

fn main() {
    let of = |name: &str| std::env::var(name).unwrap_or_default();
    let feature = |name: &str| std::env::var_os(format!("CARGO_FEATURE_{name}")).is_some();
    let platform = match (
        of("CARGO_CFG_TARGET_ARCH").as_str(),
        of("CARGO_CFG_TARGET_OS").as_str(),
    ) {
        ("x86_64" | "aarch64", "none") if feature("MUEN") => "muen",
        ("x86_64", "none") => "qemu",
        ("aarch64", "none") => "virt",
        (arch, os) => panic!(
            "the unikernel is not for {arch} with system \"{os}\"; build it with \
             --target x86_64-unknown-none or aarch64-unknown-none"
        ),
    };
    let folder = format!("{}/src/platform/{platform}", of("CARGO_MANIFEST_DIR"));
    println!("cargo::rustc-check-cfg=cfg(platform, values(\"muen\", \"qemu\", \"virt\"))");
    println!("cargo::rustc-cfg=platform=\"{platform}\"");
    println!("cargo::rustc-link-arg-bins=-T{folder}/link.ld");
    println!("cargo::rerun-if-changed={folder}/link.ld");
    println!("cargo::rerun-if-changed=build.rs");
}
