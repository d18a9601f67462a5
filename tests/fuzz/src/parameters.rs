// SPDX-License-Identifier: MIT OR Apache-2.0
//! Parameters of any text: one list a line, entries separated by commas.

use muennet_core::config::{Lists, MAX_INTERFACES};

/// Checks parameters. What is refused is named; what is accepted can be had.
pub fn run(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else {
        return;
    };
    let mut lists: Vec<Vec<&str>> = text
        .split('\n')
        .map(|line| {
            if line.is_empty() {
                vec![]
            } else {
                line.split(',').collect()
            }
        })
        .collect();
    lists.resize(9, vec![]);
    let given = Lists {
        name: &lists[0],
        input: &lists[1],
        output: &lists[2],
        reader_protocol: &lists[3],
        writer_protocol: &lists[4],
        mtu: &lists[5],
        pmtu: &lists[6],
        flags: &lists[7],
        poll: lists[8].first().copied(),
    };
    let mut last = 0;
    for interface in given.interfaces() {
        match interface {
            Ok(interface) => {
                assert!(interface.position > last && interface.position <= MAX_INTERFACES);
                last = interface.position;
                assert_eq!(lists[0][interface.position - 1], interface.name);
                assert!((1..16).contains(&interface.name.len()));
                assert!(interface.input.is_some() || interface.output.is_some());
                assert!(interface.poll_us > 0);
                let framing = interface.framing();
                assert!(framing.is_ok(), "an MTU that the mode does not carry");
            }
            Err(error) => {
                let said = error.to_string();
                let named = format!(
                    "parameter {}, entry {}, value \"{}\": ",
                    error.parameter,
                    error.position,
                    error.value.as_bytes().escape_ascii()
                );
                assert!(
                    said.starts_with(&named) && said.len() > named.len(),
                    "{said}"
                );
                assert!(error.position >= 1);
                let list = lists.iter().any(|list| list.contains(&error.value));
                assert!(list || error.value.is_empty(), "a value that nobody gave");
                assert!([1, 6, 22].contains(&(error.errno() as i32)));
            }
        }
    }
}
