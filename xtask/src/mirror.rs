// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where this machine gets Debian's packages from: the root tree's come from there too.

use anyhow::{Context, Result};
use std::{fs, path::Path};

/// The address of the machine's own Debian mirror.
pub fn find() -> Result<String> {
    address(is_release)
        .context("no Debian mirror in /etc/apt; add a line \"deb <mirror> <release> main\"")
}

/// The address of Debian's security updates: the machine's own, or the one beside the
/// mirror, where Debian's servers have it.
pub fn security() -> Result<String> {
    match address(is_security) {
        Some(address) => Ok(address),
        None => Ok(beside(&find()?)),
    }
}

/// The address of the security updates that goes with a mirror's.
fn beside(mirror: &str) -> String {
    format!("{}-security", mirror.trim_end_matches('/'))
}

/// The first address in the machine's own lists that has a `wanted` suite.
fn address(wanted: fn(&str) -> bool) -> Option<String> {
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
    texts.iter().find_map(|(deb822, text)| {
        if *deb822 {
            from_deb822(text, wanted)
        } else {
            from_lines(text, wanted)
        }
    })
}

/// Debian's releases by name, without their security and update suites.
fn is_release(suite: &str) -> bool {
    [
        "bookworm", "trixie", "forky", "sid", "stable", "testing", "unstable",
    ]
    .contains(&suite)
}

/// The suites with the releases' security updates, as they are named since 2021.
fn is_security(suite: &str) -> bool {
    suite.strip_suffix("-security").is_some_and(is_release)
}

fn is_main(components: &str) -> bool {
    components
        .split_whitespace()
        .any(|component| component == "main")
}

fn from_deb822(text: &str, wanted: fn(&str) -> bool) -> Option<String> {
    text.split("\n\n").find_map(|stanza| {
        let field = |name: &str| {
            stanza.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.trim()
                    .eq_ignore_ascii_case(name)
                    .then_some(value.trim())
            })
        };
        let released = field("Suites")?.split_whitespace().any(wanted);
        (released && is_main(field("Components")?)).then_some(())?;
        Some(field("URIs")?.split_whitespace().next()?.to_owned())
    })
}

fn from_lines(text: &str, wanted: fn(&str) -> bool) -> Option<String> {
    text.lines().find_map(|line| {
        let rest = line.trim().strip_prefix("deb ")?.trim_start();
        let rest = match rest.strip_prefix('[') {
            Some(options) => options.split_once(']')?.1.trim_start(),
            None => rest,
        };
        let mut words = rest.splitn(3, char::is_whitespace);
        let (mirror, suite, components) = (words.next()?, words.next()?, words.next()?);
        (wanted(suite) && is_main(components)).then(|| mirror.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_grammars() {
        let deb822 = "Types: deb\nURIs: http://mirror.example/security\nSuites: bookworm-security\n                      Components: main\n\nTypes: deb\n# a remark: yes\nURIs: http://mirror.example/debian\n                      Suites: bookworm bookworm-updates\nComponents: main contrib\n";
        assert_eq!(
            from_deb822(deb822, is_release).unwrap(),
            "http://mirror.example/debian"
        );
        let security = from_deb822(deb822, is_security);
        assert_eq!(security.unwrap(), "http://mirror.example/security");
        let lines = "# deb http://no.example trixie main\n                     deb http://other.example nodistro main\n                     deb [signed-by=/a arch=amd64] http://mirror.example/debian trixie main\n";
        assert_eq!(
            from_lines(lines, is_release).unwrap(),
            "http://mirror.example/debian"
        );
        assert_eq!(
            from_lines("deb http://mirror.example trixie contrib", is_release),
            None
        );
    }

    #[test]
    fn security_updates_lie_beside_the_mirror() {
        for mirror in [
            "http://mirror.example/debian",
            "http://mirror.example/debian/",
        ] {
            assert_eq!(beside(mirror), "http://mirror.example/debian-security");
        }
        let lines = "deb http://mirror.example/debian bookworm main\n\
                     deb http://mirror.example/own bookworm-security main\n";
        let found = from_lines(lines, is_security);
        assert_eq!(found.unwrap(), "http://mirror.example/own");
        assert_eq!(
            from_lines("deb http://a.example trixie main", is_security),
            None
        );
    }
}
