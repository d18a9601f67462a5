// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command lines in the documents have options that the programs know.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const PROGRAMS: [(&str, &str); 2] = [
    ("muennet-host", env!("CARGO_BIN_EXE_muennet-host")),
    ("muen-ivshmem", env!("CARGO_BIN_EXE_muen-ivshmem")),
];

fn pages() -> Vec<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let docs = fs::read_dir(workspace.join("docs")).unwrap();
    let mut pages: Vec<_> = docs.map(|entry| entry.unwrap().path()).collect();
    pages.retain(|path| path.extension().is_some_and(|end| end == "md"));
    pages.push(workspace.join("README.md"));
    pages.push(workspace.join("muennet-host/README.md"));
    pages
}

fn help(program: &str, subcommand: Option<&str>) -> String {
    let output = Command::new(program)
        .args(subcommand)
        .arg("--help")
        .output()
        .unwrap();
    assert!(output.status.success(), "{program} {subcommand:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn command_lines_are_known() {
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap().replace("\\\n", " ");
        for line in text.lines() {
            for (name, program) in PROGRAMS {
                let Some(arguments) = line.strip_prefix(name).filter(|it| it.starts_with(' '))
                else {
                    continue;
                };
                let words: Vec<_> = arguments
                    .split_whitespace()
                    .take_while(|word| *word != "#")
                    .collect();
                if !words.iter().any(|word| word.starts_with("--")) {
                    continue;
                }
                let subcommand = (name == "muennet-host").then_some(words[0]);
                let known = help(program, subcommand);
                for word in words.iter().filter(|word| word.starts_with("--")) {
                    assert!(known.contains(word), "{page:?}: {line}: {word}");
                    count += 1;
                }
            }
        }
    }
    assert!(count > 15);
}
