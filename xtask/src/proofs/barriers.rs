// SPDX-License-Identifier: MIT OR Apache-2.0
//! The barriers in the code that the compiler makes for aarch64, which reorders
//! what x86_64 does not: between the accesses that the protocol keeps in order.

use crate::{
    run::{quietly, target, workspace},
    rust_src,
};
use anyhow::{ensure, Context, Result};
use std::{collections::BTreeSet, fs};

const TARGET: &str = "aarch64-unknown-none";
/// Fields of the header by their offset divided by eight.
const FIELDS: [&str; 8] = [
    "transport",
    "epoch",
    "protocol",
    "size",
    "elements",
    "reserved",
    "wsc",
    "wc",
];

/// A function of tests/barriers and what its code must look like.
struct Expected {
    /// A part of its label.
    function: &'static str,
    /// The least number of barriers.
    barriers: usize,
    holds: fn(&[&str]) -> bool,
}

const EXPECTED: [Expected; 5] = [
    Expected {
        function: "write",
        barriers: 2,
        holds: |code| code == ["store wsc", "release", "copy", "release", "store wc"],
    },
    Expected {
        function: "start",
        barriers: 2,
        holds: |code| {
            code.starts_with(&["store epoch", "release"])
                && code.ends_with(&["release", "store epoch"])
                && same(
                    &code[2..code.len() - 2],
                    &[
                        "store transport",
                        "store protocol",
                        "store size",
                        "store elements",
                        "store reserved",
                        "store wsc",
                        "store wc",
                        "clear",
                    ],
                )
        },
    },
    Expected {
        function: "read",
        barriers: 3,
        holds: |code| {
            let copy = code.iter().position(|access| *access == "copy");
            let (before, after) = code.split_at(copy.unwrap_or(code.len()));
            contains(before, &["load wc", "acquire"])
                && after.starts_with(&["copy", "acquire", "load wsc", "acquire", "load epoch"])
        },
    },
    Expected {
        function: "6follow",
        barriers: 2,
        holds: |code| {
            // What comes behind the loads is there once for each way the check goes.
            code.len() > 5
                && code[0] == "acquire"
                && same(
                    &code[1..5],
                    &[
                        "load transport",
                        "load protocol",
                        "load size",
                        "load elements",
                    ],
                )
                && code[5..]
                    .chunks(2)
                    .all(|look| look == ["acquire", "load epoch"])
        },
    },
    Expected {
        function: "ring",
        barriers: 1,
        holds: |code| code == ["dsb", "call hypervisor"],
    },
];

fn contains(code: &[&str], part: &[&str]) -> bool {
    code.windows(part.len()).any(|window| window == part)
}

/// The same accesses, in any order.
fn same(code: &[&str], accesses: &[&str]) -> bool {
    code.len() == accesses.len() && accesses.iter().all(|access| code.contains(access))
}

/// Looks for the barriers, and sees to it that each that is taken away is missed.
pub fn barriers() -> Result<()> {
    let folder = target("barriers")?;
    let listing = folder.join("barriers.s");
    quietly(
        rust_src::cargo_freestanding(&["rustc", "--release", "--lib"], TARGET)?
            .arg("--manifest-path")
            .arg(workspace().join("tests/barriers/Cargo.toml"))
            .arg("--target-dir")
            .arg(&folder)
            .arg("--")
            .arg(format!("--emit=asm={}", listing.display())),
    )?;
    let listing = fs::read_to_string(listing)?;
    for expected in EXPECTED {
        let function = expected.function;
        let code = accesses(&listing, function)?;
        let code: Vec<_> = code.iter().map(String::as_str).collect();
        ensure!(
            (expected.holds)(&code),
            "aarch64: the code of \"{function}\" is not as it must be: {code:?}"
        );
        let needed = (0..code.len()).filter(|index| {
            let barrier = ["acquire", "release", "dsb"].contains(&code[*index]);
            let mut rest = code.clone();
            rest.remove(*index);
            barrier && !(expected.holds)(&rest)
        });
        let needed = needed.count();
        ensure!(
            needed >= expected.barriers,
            "aarch64: {needed} barriers of \"{function}\" are noticed, fewer than {}",
            expected.barriers
        );
    }
    Ok(())
}

/// The accesses to a header, the barriers and calls of a function, in order.
fn accesses(listing: &str, function: &str) -> Result<Vec<String>> {
    let label = |line: &str| {
        line.strip_suffix(':').is_some_and(|name| {
            // A plain name, or a part of a mangled one: its length comes first.
            let mangled = function.starts_with(|first: char| first.is_ascii_digit());
            name == function || (mangled && name.contains(function))
        })
    };
    let mut lines = listing.lines().skip_while(|line| !label(line));
    lines
        .next()
        .with_context(|| format!("aarch64: there is no function \"{function}\""))?;
    // Registers that hold the writer or the reader, which is private memory.
    let mut private = BTreeSet::from(["x0".to_owned(), "sp".to_owned()]);
    let mut found = Vec::new();
    for line in lines.take_while(|line| !line.starts_with(".Lfunc_end")) {
        let mut words = line.split_whitespace();
        let (operation, operands) = (words.next().unwrap_or(""), words.collect::<Vec<_>>());
        match (operation, operands.as_slice()) {
            ("mov", [to, "x0"]) => {
                private.insert(to.trim_end_matches(',').to_owned());
            }
            ("dmb", ["ish"]) => found.push("release".to_owned()),
            ("dmb", ["ishld"]) => found.push("acquire".to_owned()),
            ("dsb", ["ishst"]) => found.push("dsb".to_owned()),
            ("hvc", _) => found.push("call hypervisor".to_owned()),
            ("bl", ["memcpy"]) => found.push("copy".to_owned()),
            ("bl", [to]) if to.contains("5clear") => found.push("clear".to_owned()),
            ("ldr" | "str", [register, base, rest @ ..]) if register.starts_with('x') => {
                let base = base.trim_matches(['[', ']', ',']);
                let offset = match rest {
                    [] => Some(0),
                    [offset] => offset.trim_matches(['#', ']']).parse::<usize>().ok(),
                    _ => None,
                };
                let field = offset.and_then(|offset| FIELDS.get(offset / 8));
                if let (Some(field), false) = (field, private.contains(base)) {
                    let verb = if operation == "ldr" { "load" } else { "store" };
                    found.push(format!("{verb} {field}"));
                }
            }
            _ => {}
        }
    }
    Ok(found)
}
