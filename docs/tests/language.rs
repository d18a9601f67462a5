// SPDX-License-Identifier: MIT OR Apache-2.0
//! Documents and doc comments begin with the noun or verb that a reader searches for.

use muennet_docs::texts;

/// Words that no doc comment, heading or paragraph begins with.
const RIDDLES: [&str; 6] = ["What ", "Who ", "Whoever ", "Whose ", "How ", "So long "];

/// The lines of `text` that begin with one of them behind one of `marks`, and do not continue
/// a sentence: headings and items never do.
fn riddles(text: &str, marks: &[&str]) -> Vec<usize> {
    let mut open = false;
    let mut found = vec![];
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start();
        let Some((mark, rest)) = marks
            .iter()
            .find_map(|mark| Some((mark, line.strip_prefix(mark)?)))
        else {
            open = false;
            continue;
        };
        let heading = mark.starts_with('#');
        let continues = open && !heading && !mark.starts_with('-');
        if !continues && RIDDLES.iter().any(|word| rest.starts_with(word)) {
            found.push(number + 1);
        }
        open = !heading && !rest.trim_end().is_empty() && !rest.ends_with(['.', ':']);
    }
    found
}

fn none(ending: &str, marks: &[&str]) {
    let found: Vec<_> = texts(ending)
        .iter()
        .flat_map(|(path, text)| {
            let lines = riddles(text, marks).into_iter();
            lines.map(|line| format!("{}:{line}", path.display()))
        })
        .collect();
    assert!(found.is_empty(), "these begin with {RIDDLES:?}: {found:#?}");
}

#[test]
fn no_doc_comment_is_a_riddle() {
    none(".rs", &["/// ", "//! "]);
}

#[test]
fn no_paragraph_or_heading_is_a_riddle() {
    none(".md", &["# ", "## ", "### ", "- ", ""]);
}

#[test]
fn riddles_are_found() {
    let text = "# Head\n\nA sentence that says\nWhat follows.\n## How it works\n- What is left\n";
    assert_eq!(riddles(text, &["# ", "## ", "- ", ""]), [5, 6]);
    assert_eq!(riddles("/// What it is.\nfn f() {}\n", &["/// "]), [1]);
}
