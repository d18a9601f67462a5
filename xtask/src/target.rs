// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernels that VMs run and modules are built for, each for an architecture.

use anyhow::{ensure, Result};
use std::fmt;

/// Which kernel, and by which way modules are built for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Flavour {
    /// Debian's newest, on the kernel's own Rust.
    #[default]
    #[value(name = "7.3", alias = "stock")]
    Stock,
    /// The same, on the crates of linux-kmod/compat.
    #[value(name = "7.3-compat")]
    Compat,
    /// Debian's 7.2.
    #[value(name = "7.2")]
    Linux72,
    /// Debian's 6.12.
    #[value(name = "6.12")]
    Linux612,
    /// Debian's 6.1.
    #[value(name = "6.1")]
    Linux61,
    /// Of the sources of the newest, with KASAN, lockdep and kmemleak.
    Debug,
}

/// A processor architecture, by Debian's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Arch {
    /// x86-64
    #[default]
    Amd64,
    /// AArch64: modules are cross-built, and QEMU emulates the machine "virt".
    Arm64,
}

/// A kernel for an architecture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Which kernel.
    pub flavour: Flavour,
    /// Its architecture.
    pub arch: Arch,
}

impl Flavour {
    /// The kernel for an architecture; an error where modules cannot be built for it.
    pub fn on(self, arch: Arch) -> Result<Target> {
        ensure!(
            arch == Arch::Amd64 || !self.is_built_here(),
            "for arm64 there are the kernels 6.1, 6.12, 7.2 and 7.3-compat"
        );
        Ok(Target {
            flavour: self,
            arch,
        })
    }

    /// Whether the kernel's own Rust is built in the tree, for the tree's architecture.
    fn is_built_here(self) -> bool {
        self.way() == Way::Kernel
    }

    /// The way by which modules are built for it.
    pub fn way(self) -> Way {
        match self {
            Self::Stock | Self::Debug => Way::Kernel,
            _ => Way::Compat,
        }
    }
}

/// The crate `kernel` that modules are built on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The kernel's own.
    Kernel,
    /// That of linux-kmod/compat.
    Compat,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kernel => "kernel",
            Self::Compat => "compat",
        })
    }
}

impl Arch {
    /// Debian's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// The name of folders with libraries and of cross tools.
    pub fn triple(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64-linux-gnu",
            Self::Arm64 => "aarch64-linux-gnu",
        }
    }
}

/// The name of the kernel's row in docs/kernels.toml.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = match self.flavour {
            Flavour::Stock | Flavour::Compat => "7.3",
            Flavour::Linux72 => "7.2",
            Flavour::Linux612 => "6.12",
            Flavour::Linux61 => "6.1",
            Flavour::Debug => "7.3-debug",
        };
        write!(f, "{version} {} {}", self.arch.name(), self.flavour.way())
    }
}

impl From<Flavour> for Target {
    fn from(flavour: Flavour) -> Self {
        Self {
            flavour,
            arch: Arch::Amd64,
        }
    }
}

impl Target {
    /// The end of the names of folders where things are made for this kernel.
    pub fn suffix(self) -> String {
        let kernel = match self.flavour {
            Flavour::Stock => "",
            Flavour::Compat => "-7.3-compat",
            Flavour::Linux72 => "-7.2",
            Flavour::Linux612 => "-6.12",
            Flavour::Linux61 => "-6.1",
            Flavour::Debug => "-debug",
        };
        match self.arch {
            Arch::Amd64 => kernel.to_owned(),
            Arch::Arm64 => format!("{kernel}-{}", self.arch.name()),
        }
    }
}
