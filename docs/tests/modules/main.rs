// SPDX-License-Identifier: MIT OR Apache-2.0
//! The module graphs in docs/modules.md are those of the sources, and every arrow points
//! down. `MUENNET_WRITE=1 cargo test -p muennet-docs --test modules` writes the page.

mod source;

use muennet_docs::workspace;
use source::{Module, Sources};
use std::{collections::BTreeSet, fmt::Write, fs};

/// A picture: the modules below `within` in the crate with this root.
struct Graph {
    title: &'static str,
    root: &'static str,
    within: &'static [&'static str],
    /// The modules from the top down: an arrow leads to a later row.
    rows: &'static [&'static [&'static str]],
    /// Arrows that point up all the same, with the reason.
    up: &'static [(&'static str, &'static str, &'static str)],
}

const GRAPHS: [Graph; 4] = [
    Graph {
        title: "muennet-core",
        root: "muennet-core/src/lib.rs",
        within: &[],
        rows: &[
            &["config", "ivshmem"],
            &[
                "link", "carrier", "sinfo", "marks", "path_mtu", "fragment", "event",
            ],
            &["segment"],
            &["framing"],
            &["channel", "notify"],
            &["shm"],
        ],
        up: &[],
    },
    Graph {
        title: "smoltcp-device",
        root: "smoltcp-device/src/lib.rs",
        within: &[],
        rows: &[
            &["embassy"],
            &["device", "raw"],
            &["rx", "tx", "medium", "next"],
            &["counters", "options"],
        ],
        up: &[],
    },
    Graph {
        title: "linux-kmod/muennet",
        root: "linux-kmod/muennet/main.rs",
        within: &[],
        rows: &[
            &["netlink", "info"],
            &["interfaces"],
            &["child"],
            &["interface"],
            &["bell", "rx", "tx", "params"],
            &["children", "path", "direction", "muen", "counters"],
            &["mapping"],
            &["net"],
            &["newlink"],
            &["bindings"],
        ],
        up: &[(
            "children",
            "child",
            "an interface holds its children, and a child its interface",
        )],
    },
    Graph {
        title: "linux-kmod/net",
        root: "linux-kmod/muennet/main.rs",
        within: &["net"],
        rows: &[
            &["genl", "rtnl"],
            &["driver"],
            &["timer"],
            &["irq"],
            &["ethtool", "napi"],
            &["peers", "skb", "netlink", "softirq", "debugfs"],
            &["namespace", "work"],
            &["device"],
            &["rtnl_lock"],
        ],
        up: &[
            (
                "device",
                "namespace",
                "a device lies in a namespace, which finds its devices by name",
            ),
            (
                "ethtool",
                "driver",
                "ethtool_ops calls the driver of a device, whose registration points to \
                 ethtool_ops",
            ),
            (
                "napi",
                "driver",
                "napi_struct calls the driver of a device, which starts its NAPI",
            ),
        ],
    },
];

type Arrows = BTreeSet<(String, String)>;

impl Graph {
    /// The modules, and the arrows between them.
    fn read(&self) -> (BTreeSet<String>, Arrows) {
        let sources = Sources::read(&workspace().join(self.root));
        let depth = self.within.len();
        let node = |path: &Module| {
            let inside = path.len() > depth && path.iter().zip(self.within).all(|(a, b)| a == b);
            let module = path.get(..=depth)?;
            (inside && sources.modules.contains(module)).then(|| path[depth].clone())
        };
        let modules = sources.modules.iter().filter_map(node).collect();
        let arrows = sources.names.iter().filter_map(|(from, to)| {
            let (from, to) = (node(from)?, node(to).or_else(|| node(sources.resolve(to)))?);
            (from != to).then_some((from, to))
        });
        (modules, arrows.collect())
    }

    fn row(&self, module: &str) -> usize {
        let row = self.rows.iter().position(|row| row.contains(&module));
        row.unwrap_or_else(|| panic!("{}: give {module} a row", self.title))
    }
}

#[test]
fn every_arrow_points_down() {
    for graph in GRAPHS {
        let (modules, arrows) = graph.read();
        assert!(modules.len() > 5, "{}: {modules:?}", graph.title);
        let up: BTreeSet<_> = arrows
            .iter()
            .filter(|(from, to)| graph.row(from) >= graph.row(to))
            .map(|(from, to)| (from.as_str(), to.as_str()))
            .collect();
        let expected: BTreeSet<_> = graph.up.iter().map(|(from, to, _)| (*from, *to)).collect();
        assert_eq!(up, expected, "{}: arrows that point up", graph.title);
        let listed = graph.rows.iter().map(|row| row.len()).sum::<usize>();
        assert_eq!(
            listed,
            modules.len(),
            "{}: a row names no module",
            graph.title
        );
    }
}

#[test]
fn the_page_shows_the_sources() {
    let mut page = String::from(
        "<!-- SPDX-License-Identifier: MIT OR Apache-2.0 -->\n\
         <!-- Made by docs/tests/modules; see there. -->\n\
         # Modules\n\n\
         An arrow leads from a module to one that it names. `cargo test -p muennet-docs` fails when \
         an arrow points up, when there is a circle, or when this page is not that of the sources.\n",
    );
    for graph in GRAPHS {
        let (_, arrows) = graph.read();
        write!(page, "\n## {}\n\n```mermaid\nflowchart TD\n", graph.title).unwrap();
        for (number, row) in graph.rows.iter().enumerate() {
            writeln!(
                page,
                "  subgraph row{number}[\" \"]\n    {}\n  end",
                row.join("\n    ")
            )
            .unwrap();
        }
        for (from, to) in arrows {
            let up = graph.up.iter().any(|(a, b, _)| *a == from && *b == to);
            writeln!(page, "  {from} {} {to}", if up { "-.->" } else { "-->" }).unwrap();
        }
        page.push_str("```\n");
        if !graph.up.is_empty() {
            page.push_str("\nThe dotted arrows point up:\n\n");
        }
        for (from, to, why) in graph.up {
            writeln!(page, "- `{from}` names `{to}`: {why}.").unwrap();
        }
    }
    let path = workspace().join("docs/modules.md");
    if std::env::var_os("MUENNET_WRITE").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert_eq!(page, fs::read_to_string(path).unwrap_or_default());
}
