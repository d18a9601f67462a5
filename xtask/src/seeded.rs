// SPDX-License-Identifier: MIT OR Apache-2.0
//! Seeded faults of the kernel module: each patch of tests/seeded plays one mistake in a copy
//! of the sources, and the layer that it names must fail by it.

use crate::{
    cache::need_program,
    kmod,
    lab::Lab,
    layers, progress,
    run::{quietly, target, workspace},
};
use anyhow::{bail, ensure, Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The patches, one fault each.
const PATCHES: &str = "tests/seeded";
/// The parts of the workspace that the module is built of.
const PARTS: [&str; 2] = ["linux-kmod", "muennet-core"];

/// One fault. The head of its patch says in comments which mistake it plays, which layer is
/// to fail, and words of the failure.
#[derive(Debug)]
struct Fault {
    name: String,
    patch: PathBuf,
    mistake: String,
    layer: String,
    words: String,
}

/// Lists the faults.
pub fn list() -> Result<()> {
    for fault in all()? {
        println!("{:<30} {:<11} {}", fault.name, fault.layer, fault.mistake);
    }
    Ok(())
}

/// Runs the faults of these names, or all; true if each was caught.
pub fn run(names: &[String]) -> Result<bool> {
    let mut faults = all()?;
    for name in names {
        ensure!(
            faults.iter().any(|fault| fault.name == *name),
            "there is no fault \"{name}\"; see cargo xtask seeded --list"
        );
    }
    faults.retain(|fault| names.is_empty() || names.contains(&fault.name));
    let mut lab = Lab::open()?;
    let mut caught = 0;
    for fault in &faults {
        let (mark, line) = match fault.is_caught(&mut lab) {
            Ok(line) => {
                caught += 1;
                ("caught", line)
            }
            Err(error) => ("FAIL", format!("{error:#}")),
        };
        println!("{mark:<7} {:<30} {:<11} {line}", fault.name, fault.layer);
    }
    println!("\n{caught} of {} seeded faults caught", faults.len());
    Ok(caught == faults.len())
}

/// All faults, by their names.
fn all() -> Result<Vec<Fault>> {
    let folder = workspace().join(PATCHES);
    let mut faults = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {folder:?}"))? {
        let patch = entry?.path();
        if patch.extension().is_some_and(|end| end == "patch") {
            faults.push(Fault::read(patch)?);
        }
    }
    faults.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(faults)
}

impl Fault {
    fn read(patch: PathBuf) -> Result<Self> {
        let text = fs::read_to_string(&patch).with_context(|| format!("cannot read {patch:?}"))?;
        let name = patch.file_stem().context("no name")?.to_string_lossy();
        Self::parse(&name, &patch, &text).with_context(|| format!("the head of {patch:?}"))
    }

    fn parse(name: &str, patch: &Path, text: &str) -> Result<Self> {
        let head = || text.lines().map_while(|line| line.strip_prefix("# "));
        let field = |key: &str| {
            head()
                .find_map(|line| line.strip_prefix(key))
                .map(str::to_owned)
                .with_context(|| format!("no line \"# {key}…\""))
        };
        field("SPDX-License-Identifier: ")?;
        Ok(Self {
            name: name.to_owned(),
            patch: patch.to_owned(),
            mistake: field("mistake: ")?,
            layer: field("layer: ")?,
            words: field("words: ")?,
        })
    }

    /// Builds the module with the fault and runs the layer; gives the line of its failure.
    fn is_caught(&self, lab: &mut Lab) -> Result<String> {
        let check = layers::of_vms(&self.layer)?;
        let copy = target("seeded/sources")?;
        // What an earlier fault changed becomes as it was.
        for part in PARTS {
            kmod::sync(&workspace().join(part), &copy.join(part))?;
        }
        self.apply(&copy, &[])?;
        progress::step(&self.name, || {
            lab.build_from(&copy, &target("seeded/modules")?)
        })
        .context("the module does not build")?;
        self.judge(check(lab))
    }

    /// Applies the patch to the sources in `folder`.
    fn apply(&self, folder: &Path, more: &[&str]) -> Result<()> {
        need_program("patch", "patch")?;
        let mut command = Command::new("patch");
        command
            .current_dir(folder)
            .args(["--strip=1", "--fuzz=0", "--no-backup-if-mismatch"])
            .args(more)
            .arg("--input")
            .arg(&self.patch);
        quietly(&mut command)
            .context("the patch does not apply to the sources any more")
            .map(drop)
    }

    /// The line of the layer's failure that has the fault's words. Any other failure is not of
    /// the fault's making.
    fn judge(&self, result: Result<()>) -> Result<String> {
        let Err(error) = result else {
            bail!("the layer passes: it does not notice that {}", self.mistake);
        };
        let said = format!("{error:#}");
        let line = said.lines().find(|line| line.contains(&self.words));
        line.map(|line| line.trim().to_owned())
            .with_context(|| format!("the layer fails without \"{}\":\n{said}", self.words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    fn fault() -> Fault {
        let text = "# SPDX-License-Identifier: GPL-2.0-only\n# mistake: a lock is left\n\
                    # layer: reload\n# words: soft lockup\n--- a/x\n";
        Fault::parse("lock", Path::new("lock.patch"), text).unwrap()
    }

    #[test]
    fn every_patch_applies_and_names_a_layer() {
        let faults = all().unwrap();
        assert!(faults.len() >= 31, "{} faults", faults.len());
        for fault in faults {
            layers::of_vms(&fault.layer).unwrap();
            fault.apply(&workspace(), &["--dry-run"]).unwrap();
        }
    }

    #[test]
    fn a_head_has_every_field() {
        let fault = fault();
        assert_eq!(
            [&fault.mistake, &fault.layer, &fault.words],
            ["a lock is left", "reload", "soft lockup"]
        );
        let error = Fault::parse("lock", Path::new("lock.patch"), "# layer: reload\n");
        assert!(error.unwrap_err().to_string().contains("SPDX"));
    }

    #[test]
    fn a_fault_is_caught_by_its_own_words_only() {
        let with = |text: &'static str| fault().judge(Err(anyhow!(text)));
        let caught = with("the kernel complains:\n  soft lockup on CPU 0\nmore").unwrap();
        assert_eq!(caught, "soft lockup on CPU 0");
        let other = with("QEMU does not start").unwrap_err();
        assert!(other.to_string().contains("fails without"));
        let passed = fault().judge(Ok(())).unwrap_err();
        assert!(passed.to_string().contains("the layer passes"));
    }
}
