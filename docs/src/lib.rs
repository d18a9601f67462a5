// SPDX-License-Identifier: MIT OR Apache-2.0
//! The documents beside this crate, so that their Rust is compiled by `cargo test`.
//! Its tests hold the other snippets to what programs take, and links to files.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The folder of the workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// The files of the workspace with this ending, and their text. Hidden folders and those of
/// builds are left out.
pub fn texts(ending: &str) -> Vec<(PathBuf, String)> {
    let mut folders = vec![workspace()];
    let mut texts = vec![];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(path);
            } else if name.ends_with(ending) {
                let text = fs::read_to_string(&path).unwrap();
                texts.push((path, text));
            }
        }
    }
    assert!(texts.len() > 8, "{ending}");
    texts
}

#[cfg(doctest)]
#[doc = include_str!("../first-component.md")]
pub mod first_component {}

#[cfg(doctest)]
#[doc = include_str!("../protocol.md")]
pub mod protocol {}
