// SPDX-License-Identifier: MIT OR Apache-2.0
//! The XML: files and snippets of the documents against the schema in tests/muen, which is
//! written from what Muen v1.1.1's tools took.

use crate::{
    cache::need_program,
    run::{quietly, workspace},
};
use anyhow::{bail, ensure, Context, Result};
use std::{fs, path::Path, process::Command};

/// Documents with snippets.
const DOCUMENTS: &[&str] = &["docs/muen-policy.md", "examples/unikernel/muen/README.md"];
/// Mistakes that the schema must refuse, as Muen's tools do.
const WRONG: &str = "tests/muen/wrong.xml";

/// Validates a file.
fn validate(file: &Path) -> Result<()> {
    let schema = workspace().join("tests/muen/policy.xsd");
    quietly(
        Command::new("xmllint")
            .args(["--noout", "--nonet", "--schema"])
            .arg(schema)
            .arg(file),
    )
    .map(drop)
}

/// The blocks of a document that are marked as XML.
fn snippets(text: &str) -> impl Iterator<Item = &str> {
    text.split("```xml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
}

/// All XML is valid, and the mistakes are not.
pub fn check(folder: &Path) -> Result<()> {
    need_program("xmllint", "libxml2-utils")?;
    for name in ["unikernel.xml", "unikernel-sections.xml", "policy.xml"] {
        validate(&folder.join(name))?;
    }
    let snippet = folder.join("snippet.xml");
    let mut count = 0;
    for document in DOCUMENTS {
        let text = fs::read_to_string(workspace().join(document))?;
        for block in snippets(&text) {
            fs::write(&snippet, block)?;
            validate(&snippet).with_context(|| format!("{document}:\n{block}"))?;
            count += 1;
        }
    }
    ensure!(count >= 5, "the documents have only {count} snippets");
    let wrong = fs::read_to_string(workspace().join(WRONG))?;
    for block in wrong.split("<!-- next -->").skip(1) {
        fs::write(&snippet, block.trim())?;
        if validate(&snippet).is_ok() {
            bail!("the schema takes what Muen's tools refuse:\n{block}");
        }
    }
    Ok(fs::remove_file(snippet)?)
}
