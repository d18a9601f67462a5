// SPDX-License-Identifier: MIT OR Apache-2.0
//! Policies in the documents are policies, XML is well formed, and links lead
//! somewhere.

use muennet_docs::texts;

/// The blocks of a page that are marked as `language`, with their line.
fn blocks(text: &str, language: &str) -> Vec<(usize, String)> {
    let mut blocks = vec![];
    let mut open: Option<(usize, String)> = None;
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        if let Some(mark) = line.trim_start().strip_prefix("```") {
            if inside {
                blocks.extend(open.take());
            } else if mark.split(',').next() == Some(language) {
                open = Some((number + 2, String::new()));
            }
            inside = !inside;
        } else if let Some((_, block)) = &mut open {
            block.push_str(line);
            block.push('\n');
        }
    }
    blocks
}

#[test]
fn policies_are_sound() {
    let mut count = 0;
    for (path, text) in texts(".md") {
        for (line, block) in blocks(&text, "toml") {
            if !block.contains("[[subject]]") {
                continue;
            }
            let policy = muennet_host::policy::Policy::parse(&block);
            let policy = policy.unwrap_or_else(|error| panic!("{path:?}:{line}: {error}"));
            muennet_host::layout::Layout::new(&policy).unwrap();
            count += 1;
        }
    }
    assert!(count >= 3);
}

#[test]
fn xml_is_well_formed() {
    let mut count = 0;
    for (path, text) in texts(".md") {
        for (line, block) in blocks(&text, "xml") {
            let parsed = roxmltree::Document::parse(&block);
            assert!(parsed.is_ok(), "{path:?}:{line}: {parsed:?}");
            count += 1;
        }
    }
    assert!(count >= 4);
}

#[test]
fn links_lead_somewhere() {
    let mut count = 0;
    for (path, text) in texts(".md") {
        for part in text.split("](").skip(1) {
            let target = part.split([')', '#']).next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.contains(['`', ' ', '\n']) {
                continue;
            }
            let file = path.parent().unwrap().join(target);
            assert!(file.exists(), "{path:?} links to {target}");
            count += 1;
        }
    }
    assert!(count >= 20);
}
