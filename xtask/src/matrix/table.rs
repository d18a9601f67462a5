// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table of docs/kernels.md, made of docs/kernels.toml.

use super::{
    record::{Cell, Record},
    rest, COLUMNS,
};
use crate::{
    run::workspace,
    target::{Flavour, Target},
};
use anyhow::{ensure, Context, Result};
use std::{fmt::Write, fs, path::PathBuf};

const BEGIN: &str = "<!-- The table of kernels.toml, by cargo xtask kernels: begin -->\n";
const END: &str = "<!-- The table of kernels.toml: end -->\n";

fn path() -> PathBuf {
    workspace().join("docs/kernels.md")
}

/// Writes the table of `record` into the page.
pub fn write(record: &Record) -> Result<()> {
    let page = fs::read_to_string(path())?;
    let (before, _, after) = parts(&page)?;
    let table = table(record)?;
    Ok(fs::write(path(), format!("{before}{table}{after}"))?)
}

/// The page holds the table of the file.
pub fn check() -> Result<()> {
    let page = fs::read_to_string(path())?;
    let (_, found, _) = parts(&page)?;
    let made = table(&Record::open()?)?;
    ensure!(
        found == made,
        "the table in {} is not that of kernels.toml; run cargo xtask kernels",
        path().display()
    );
    Ok(())
}

/// The page's text up to the table, the table, and the text after it.
fn parts(page: &str) -> Result<(&str, &str, &str)> {
    let cut = || {
        let begin = page.find(BEGIN)? + BEGIN.len();
        let end = begin + page[begin..].find(END)?;
        Some((&page[..begin], &page[begin..end], &page[end..]))
    };
    cut().with_context(|| format!("{} lacks the marks around its table", path().display()))
}

/// The names of the rows, and no other: first the newest kernel, which all layers are for.
fn rows() -> Vec<String> {
    let newest = Target::from(Flavour::Stock);
    let mut rows: Vec<_> = rest().map(|target| target.to_string()).collect();
    rows.push(newest.to_string());
    rows
}

/// The table with the reasons below it.
fn table(record: &Record) -> Result<String> {
    let names = rows();
    if let Some(other) = record.rows.keys().find(|name| !names.contains(name)) {
        anyhow::bail!("kernels.toml has a row \"{other}\" that is no kernel of the matrix");
    }
    let mut text = format!("\n| kernel | release | {} |\n", COLUMNS.join(" | "));
    writeln!(text, "|---|---|{}", ":-:|".repeat(COLUMNS.len()))?;
    let mut reasons: Vec<String> = vec![];
    for name in names {
        let row = record.rows.get(&name);
        let cell = |column: &str| {
            row.and_then(|row| row.get(column)).with_context(|| {
                format!("kernels.toml says nothing of \"{column}\" on \"{name}\": a run or why not")
            })
        };
        let built = match cell("builds")? {
            Cell::Passed(release) | Cell::Failed(release, _) => release.as_str(),
            Cell::NotRun(_) => "",
        };
        write!(text, "| {name} | {built} |")?;
        for column in COLUMNS {
            let mut noted = |why: String| {
                let at = reasons.iter().position(|reason| *reason == why);
                at.unwrap_or_else(|| {
                    reasons.push(why);
                    reasons.len() - 1
                }) + 1
            };
            match cell(column)? {
                Cell::Passed(release) if release == built => write!(text, " ✓ |")?,
                Cell::Passed(release) => {
                    write!(text, " ✓ ({}) |", noted(format!("passed on {release}")))?;
                }
                other => write!(text, " – ({}) |", noted(other.to_string()))?,
            }
        }
        text.push('\n');
    }
    text.push('\n');
    for (number, why) in (1..).zip(&reasons) {
        writeln!(text, "{number}. {why}")?;
    }
    if !reasons.is_empty() {
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file in which all is as it should be.
    fn sound() -> Record {
        let mut record = Record::default();
        for name in rows() {
            let row = record.rows.entry(name).or_default();
            for column in COLUMNS {
                row.insert(column.to_owned(), Cell::Passed("6.1.9".to_owned()));
            }
        }
        record
    }

    fn with(row: &str, column: &str, cell: Cell) -> Record {
        let mut record = sound();
        let row = record.rows.entry(row.to_owned()).or_default();
        row.insert(column.to_owned(), cell);
        record
    }

    #[test]
    fn a_cell_is_a_run_or_says_why_not() {
        let all = table(&sound()).unwrap();
        assert_eq!(all.matches(" ✓ |").count(), rows().len() * COLUMNS.len());
        let why = || Cell::NotRun("too slow".to_owned());
        let mut record = with("6.1 arm64 compat", "churn", why());
        let row = record.rows.get_mut("6.12 arm64 compat").unwrap();
        row.insert("churn".to_owned(), why());
        row.insert("demo".to_owned(), Cell::Passed("6.1.8".to_owned()));
        let text = table(&record).unwrap();
        assert!(
            text.contains("\n1. not run: too slow\n2. passed on 6.1.8\n"),
            "{text}"
        );
        assert_eq!(text.matches(" – (1) |").count(), 2, "{text}");
        assert_eq!(text.matches(" ✓ (2) |").count(), 1, "{text}");
    }

    #[test]
    fn what_is_missing_is_an_error() {
        let mut record = sound();
        record
            .rows
            .get_mut("6.1 amd64 compat")
            .unwrap()
            .remove("demo");
        let error = table(&record).unwrap_err().to_string();
        assert!(
            error.contains("nothing of \"demo\" on \"6.1 amd64 compat\""),
            "{error}"
        );
        let other = with("5.10 amd64 compat", "demo", Cell::NotRun("old".to_owned()));
        assert!(table(&other)
            .unwrap_err()
            .to_string()
            .contains("no kernel of the matrix"));
    }
}
