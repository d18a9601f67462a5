// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every public type and trait of the libraries shows an example, which `cargo test` compiles.

use muennet_docs::{texts, workspace};
use syn::{Attribute, Expr, Item, Lit, Meta, Visibility};

/// The crates whose types are meant.
const CRATES: [&str; 2] = ["muennet-core/src", "smoltcp-device/src"];

/// The name of a public type or trait, and its attributes.
fn public(item: &Item) -> Option<(String, &[Attribute])> {
    let (visibility, name, attributes) = match item {
        Item::Struct(item) => (&item.vis, &item.ident, &item.attrs),
        Item::Enum(item) => (&item.vis, &item.ident, &item.attrs),
        Item::Trait(item) => (&item.vis, &item.ident, &item.attrs),
        _ => return None,
    };
    matches!(visibility, Visibility::Public(_)).then(|| (name.to_string(), &**attributes))
}

fn is_example(attribute: &Attribute) -> bool {
    let Meta::NameValue(pair) = &attribute.meta else {
        return false;
    };
    let Expr::Lit(literal) = &pair.value else {
        return false;
    };
    let Lit::Str(text) = &literal.lit else {
        return false;
    };
    pair.path.is_ident("doc") && text.value().trim_start().starts_with("```")
}

#[test]
fn every_public_type_has_an_example() {
    let folders = CRATES.map(|folder| workspace().join(folder));
    let (mut seen, mut missing) = (0, vec![]);
    for (path, text) in texts(".rs") {
        if !folders.iter().any(|folder| path.starts_with(folder)) {
            continue;
        }
        for item in &syn::parse_file(&text).unwrap().items {
            let Some((name, attributes)) = public(item) else {
                continue;
            };
            seen += 1;
            if !attributes.iter().any(is_example) {
                missing.push(format!("{name} in {}", path.display()));
            }
        }
    }
    assert!(seen > 90, "{seen}");
    assert!(missing.is_empty(), "without an example: {missing:#?}");
}
