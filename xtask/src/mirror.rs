// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where this machine gets Debian's packages from: the root tree's come from there too.

use anyhow::{Context, Result};
use std::{fs, path::Path};

/// The address of the machine's own Debian mirror.
pub fn find() -> Result<String> {
    let mut texts = vec![];
    let mut read = |path: &Path| {
        if let Ok(text) = fs::read_to_string(path) {
            texts.push((path.extension().is_some_and(|end| end == "sources"), text));
        }
    };
    read(Path::new("/etc/apt/sources.list"));
    let mut files: Vec<_> = fs::read_dir("/etc/apt/sources.list.d")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files.iter().for_each(|path| read(path));
    texts
        .iter()
        .find_map(|(deb822, text)| {
            if *deb822 {
                from_deb822(text)
            } else {
                from_lines(text)
            }
        })
        .context("no Debian mirror in /etc/apt; add a line \"deb <mirror> <release> main\"")
}

/// Debian's releases by name, without their security and update suites.
fn is_release(suite: &str) -> bool {
    [
        "bookworm", "trixie", "forky", "sid", "stable", "testing", "unstable",
    ]
    .contains(&suite)
}

fn is_main(components: &str) -> bool {
    components
        .split_whitespace()
        .any(|component| component == "main")
}

fn from_deb822(text: &str) -> Option<String> {
    text.split("\n\n").find_map(|stanza| {
        let field = |name: &str| {
            stanza.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.trim()
                    .eq_ignore_ascii_case(name)
                    .then_some(value.trim())
            })
        };
        let released = field("Suites")?.split_whitespace().any(is_release);
        (released && is_main(field("Components")?)).then_some(())?;
        Some(field("URIs")?.split_whitespace().next()?.to_owned())
    })
}

fn from_lines(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let rest = line.trim().strip_prefix("deb ")?.trim_start();
        let rest = match rest.strip_prefix('[') {
            Some(options) => options.split_once(']')?.1.trim_start(),
            None => rest,
        };
        let mut words = rest.splitn(3, char::is_whitespace);
        let (mirror, suite, components) = (words.next()?, words.next()?, words.next()?);
        (is_release(suite) && is_main(components)).then(|| mirror.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_grammars() {
        let deb822 = "Types: deb\nURIs: http://mirror.example/security\nSuites: bookworm-security\n                      Components: main\n\nTypes: deb\n# a remark: yes\nURIs: http://mirror.example/debian\n                      Suites: bookworm bookworm-updates\nComponents: main contrib\n";
        assert_eq!(from_deb822(deb822).unwrap(), "http://mirror.example/debian");
        let lines = "# deb http://no.example trixie main\n                     deb http://other.example nodistro main\n                     deb [signed-by=/a arch=amd64] http://mirror.example/debian trixie main\n";
        assert_eq!(from_lines(lines).unwrap(), "http://mirror.example/debian");
        assert_eq!(from_lines("deb http://mirror.example trixie contrib"), None);
    }
}
