// SPDX-License-Identifier: MIT OR Apache-2.0
//! The pages make a book, and each of them is in it.

use mdbook_driver::MDBook;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn pages() -> BTreeSet<String> {
    let folder = fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| name.ends_with(".md") && name != "SUMMARY.md")
        .collect()
}

#[test]
fn every_page_is_built() {
    let book = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("book");
    let _ = fs::remove_dir_all(&book);
    let mut source = MDBook::load(env!("CARGO_MANIFEST_DIR")).unwrap();
    source.config.build.build_dir.clone_from(&book);
    source.build().unwrap();
    let pages = pages();
    assert!(pages.len() > 8, "{pages:?}");
    for page in pages {
        let built = match page.as_str() {
            "README.md" => "index.html".to_owned(),
            page => page.replace(".md", ".html"),
        };
        let text = fs::read_to_string(book.join(&built))
            .unwrap_or_else(|error| panic!("{page} is not in SUMMARY.md: {error}"));
        let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&page)).unwrap();
        let title = source
            .lines()
            .find_map(|line| line.strip_prefix("# "))
            .unwrap();
        assert!(text.contains(title), "{built} lacks the title {title}");
    }
}
