// SPDX-License-Identifier: MIT OR Apache-2.0
//! docs/kernels.toml: what each layer came to on each kernel.

use super::{table, COLUMNS};
use crate::{run::workspace, target::Target};
use anyhow::{bail, ensure, Context, Result};
use std::{collections::BTreeMap, fmt, fs, path::PathBuf};

const HEAD: &str = "\
# SPDX-License-Identifier: MIT OR Apache-2.0
# What each layer came to on each kernel: \"passed on RELEASE\", \"failed on RELEASE: WHY\" or
# \"not run: WHY\". `cargo xtask test --record --kernel=… --arch=… --layer …` writes the first
# two, `cargo xtask kernels` makes the table of kernels.md of it.
";

/// The result of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// It passed on a kernel of this release.
    Passed(String),
    /// It failed on a kernel of this release, with this error.
    Failed(String, String),
    /// It was not run, for this reason.
    NotRun(String),
}

/// The file's content: rows by their names, cells by their columns.
#[derive(Debug, Default)]
pub struct Record {
    pub(super) rows: BTreeMap<String, BTreeMap<String, Cell>>,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed(release) => write!(f, "passed on {release}"),
            Self::Failed(release, why) => write!(f, "failed on {release}: {why}"),
            Self::NotRun(why) => write!(f, "not run: {why}"),
        }
    }
}

impl Cell {
    fn parse(text: &str) -> Result<Self> {
        if let Some(release) = text.strip_prefix("passed on ") {
            return Ok(Self::Passed(release.to_owned()));
        }
        if let Some(why) = text.strip_prefix("not run: ") {
            return Ok(Self::NotRun(why.to_owned()));
        }
        let failed = text.strip_prefix("failed on ");
        let (release, why) = failed
            .and_then(|rest| rest.split_once(": "))
            .with_context(|| format!("\"{text}\" says neither passed, failed nor not run"))?;
        Ok(Self::Failed(release.to_owned(), why.to_owned()))
    }
}

impl Record {
    fn path() -> PathBuf {
        workspace().join("docs/kernels.toml")
    }

    /// Reads the file.
    pub fn open() -> Result<Self> {
        let path = Self::path();
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut rows = BTreeMap::new();
        for (name, cells) in text.parse::<toml::Table>()? {
            let mut row = BTreeMap::new();
            for (column, cell) in cells.as_table().context("a row is a table")? {
                ensure!(
                    COLUMNS.contains(&column.as_str()),
                    "{name}: there is no column \"{column}\""
                );
                let Some(text) = cell.as_str() else {
                    bail!("{name}: \"{column}\" is no text");
                };
                row.insert(column.clone(), Cell::parse(text)?);
            }
            rows.insert(name, row);
        }
        Ok(Self { rows })
    }

    /// Notes what a layer came to, if the table has a column for it.
    pub fn note(&mut self, target: Target, layer: &str, release: &str, result: &Result<()>) {
        if !COLUMNS.contains(&layer) {
            return;
        }
        let cell = match result {
            Ok(()) => Cell::Passed(release.to_owned()),
            Err(error) => {
                let why = format!("{error:#}");
                let line = why.lines().next().unwrap_or_default();
                Cell::Failed(release.to_owned(), line.trim_end_matches(':').to_owned())
            }
        };
        let row = self.rows.entry(target.to_string()).or_default();
        row.insert(layer.to_owned(), cell);
    }

    /// Writes the file, and the table of the page.
    pub fn write(&self) -> Result<()> {
        fs::write(Self::path(), self.to_string())?;
        table::write(self)
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        for (name, row) in &self.rows {
            writeln!(f, "\n[\"{name}\"]")?;
            for (column, cell) in COLUMNS
                .iter()
                .filter_map(|column| Some((column, row.get(*column)?)))
            {
                let text = toml::Value::String(cell.to_string());
                writeln!(f, "{column} = {text}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{Arch, Flavour};

    #[test]
    fn a_run_is_noted_and_read_again() {
        let target = Flavour::Linux61.on(Arch::Arm64).unwrap();
        let mut record = Record::default();
        record.note(target, "demo", "6.1.0-5-arm64", &Ok(()));
        let error = Err(anyhow::anyhow!("waited for \"net0\":\nin vain"));
        record.note(target, "modes", "6.1.0-5-arm64", &error);
        record.note(target, "clippy", "6.1.0-5-arm64", &Ok(()));
        let text = record.to_string();
        assert!(
            text.ends_with(
                "\n[\"6.1 arm64 compat\"]\ndemo = \"passed on 6.1.0-5-arm64\"\n\
                 modes = 'failed on 6.1.0-5-arm64: waited for \"net0\"'\n"
            ),
            "{text}"
        );
        let read = Record::parse(&text).unwrap();
        assert_eq!(read.rows, record.rows);
    }

    #[test]
    fn a_wrong_file_is_refused() {
        for (text, words) in [
            (
                "[\"6.1 amd64 compat\"]\nclippy = \"passed on 6.1\"",
                "no column \"clippy\"",
            ),
            ("[\"6.1 amd64 compat\"]\ndemo = 1", "\"demo\" is no text"),
            (
                "[\"6.1 amd64 compat\"]\ndemo = \"passed\"",
                "neither passed, failed nor not run",
            ),
        ] {
            let error = Record::parse(text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
