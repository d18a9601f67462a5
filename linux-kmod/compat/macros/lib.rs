// SPDX-License-Identifier: GPL-2.0-only

//! The attributes of pinned types, in the form that the kernel's `pin_init` has them.

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

fn parse(text: &str) -> TokenStream {
    text.parse().expect("Rust source")
}

/// Takes the `#[pin]` attributes out of a type's fields: whoever initialises a value by
/// `pin_init!` or `try_pin_init!` never moves it.
#[proc_macro_attribute]
pub fn pin_data(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    item.into_iter()
        .map(|token| match token {
            TokenTree::Group(fields) if fields.delimiter() == Delimiter::Brace => {
                Group::new(Delimiter::Brace, without_pin(fields.stream())).into()
            }
            token => token,
        })
        .collect()
}

fn without_pin(fields: TokenStream) -> TokenStream {
    let mut kept: Vec<TokenTree> = vec![];
    for token in fields {
        let is_pin = matches!(&token, TokenTree::Group(group)
            if group.delimiter() == Delimiter::Bracket && group.stream().to_string() == "pin");
        let after_hash = matches!(kept.last(), Some(TokenTree::Punct(hash)) if hash.as_char() == '#');
        if is_pin && after_hash {
            kept.pop();
        } else {
            kept.push(token);
        }
    }
    kept.into_iter().collect()
}

/// Makes `impl PinnedDrop for T` what dropping a `T` does.
#[proc_macro_attribute]
pub fn pinned_drop(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    let (mut generics, mut target) = (TokenStream::new(), TokenStream::new());
    let mut body = None;
    // impl <generics> PinnedDrop for <target> { body }
    let mut seen_for = false;
    for token in item {
        match &token {
            TokenTree::Ident(word) if word.to_string() == "impl" && !seen_for => {}
            TokenTree::Ident(word) if word.to_string() == "PinnedDrop" && !seen_for => {}
            TokenTree::Ident(word) if word.to_string() == "for" && !seen_for => seen_for = true,
            TokenTree::Group(group) if seen_for && group.delimiter() == Delimiter::Brace => {
                body = Some(group.stream());
            }
            _ if seen_for => target.extend([token]),
            _ => generics.extend([token]),
        }
    }
    let body = body.expect("impl PinnedDrop for Type { … }");
    let mut made = TokenStream::new();
    let implement = |made: &mut TokenStream, name: &str, body: TokenStream| {
        made.extend(parse("impl"));
        made.extend(generics.clone());
        made.extend(parse(name));
        made.extend(parse("for"));
        made.extend(target.clone());
        made.extend([TokenTree::from(Group::new(Delimiter::Brace, body))]);
    };
    implement(&mut made, "::pin_init::PinnedDrop", body);
    implement(
        &mut made,
        "::core::ops::Drop",
        parse(
            "fn drop(&mut self) {
                // SAFETY: a pinned value, which is not moved any more.
                let this = unsafe { ::core::pin::Pin::new_unchecked(self) };
                ::pin_init::PinnedDrop::drop(this);
            }",
        ),
    );
    made
}
