// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use clap::{Parser, Subcommand};
use clap_complete::Shell;
use muennet_core::config::number;

/// Children and marks of muennet interfaces.
///
/// A child is an interface of its own that shares its parent's pair of channels. What
/// the parent receives with a mark of the child is the child's; what the child sends
/// leaves by the parent. The parent's mode is net_hdr.
#[derive(Debug, Parser)]
#[command(name = "muennet_cfg", version, after_help = format!("Examples:\n{EXAMPLES}\n\n{EXIT_STATUS}"))]
pub struct Args {
    /// The command.
    #[command(subcommand)]
    pub action: Action,
}

/// Examples of command lines, with their effect.
pub const EXAMPLES: &str = "  \
  muennet_cfg add_child net0 c1      make c1, a child of net0, in this network namespace
  muennet_cfg add_mark c1 5          what arrives with mark 5 is for c1
  iptables -t mangle -A OUTPUT -o c1 -j MARK --set-mark 5
                                     what c1 sends leaves with mark 5
  muennet_cfg list                   show interfaces, children, marks and counters
  muennet_cfg list --json | jq -r '.[].children[].name'
  muennet_cfg del_mark c1 5          what arrives with mark 5 is net0's again
  muennet_cfg del_child c1           delete c1 and free its marks";

/// Meaning of the exit status.
pub const EXIT_STATUS: &str =
    "Exit status 0: done; 1: the kernel refused; 2: the command line is wrong. \
All but man and completions need CAP_NET_ADMIN over the network namespace.";

/// The command.
#[derive(Debug, PartialEq, Eq, Subcommand)]
#[command(rename_all = "snake_case")]
pub enum Action {
    /// Make a child of an interface.
    AddChild {
        /// The interface whose channels the child uses.
        #[arg(value_parser = interface)]
        parent: String,
        /// The child's name.
        #[arg(value_parser = interface)]
        child: String,
    },
    /// Delete a child and free its marks.
    DelChild {
        /// The child's name.
        #[arg(value_parser = interface)]
        child: String,
    },
    /// Give a child a mark that is free.
    AddMark {
        /// The child's name.
        #[arg(value_parser = interface)]
        child: String,
        /// The mark, decimal or hexadecimal with 0x.
        #[arg(value_parser = mark)]
        mark: u32,
    },
    /// Take a mark from a child.
    DelMark {
        /// The child's name.
        #[arg(value_parser = interface)]
        child: String,
        /// The mark, decimal or hexadecimal with 0x.
        #[arg(value_parser = mark)]
        mark: u32,
    },
    /// Show interfaces, children, marks, carrier and counters.
    List {
        /// As JSON: an array of interfaces.
        #[arg(long, short)]
        json: bool,
    },
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page.
    Man,
}

/// The kernel's bound (IFNAMSIZ) less the NUL.
const LONGEST_NAME: usize = 15;

fn interface(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("an interface has a name".to_owned());
    }
    if text.len() > LONGEST_NAME {
        return Err(format!(
            "an interface's name has at most {LONGEST_NAME} bytes, this one {}",
            text.len()
        ));
    }
    if text.contains('\0') {
        return Err("an interface's name has no NUL".to_owned());
    }
    Ok(text.to_owned())
}

fn mark(text: &str) -> Result<u32, String> {
    number::either(text)
        .ok()
        .and_then(|mark| u32::try_from(mark).ok())
        .ok_or_else(|| "a mark is a number from 0 to 4294967295 (0xffffffff)".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn action(line: &str) -> Result<Action, clap::Error> {
        let words = line.split(' ');
        Args::try_parse_from(std::iter::once("muennet_cfg").chain(words)).map(|args| args.action)
    }

    #[test]
    fn the_definition_holds() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_four_old_commands_keep_their_names() {
        let (parent, child) = ("net0".to_owned(), "c1".to_owned());
        assert_eq!(
            action("add_child net0 c1").unwrap(),
            Action::AddChild {
                parent,
                child: child.clone()
            }
        );
        assert_eq!(
            action("del_child c1").unwrap(),
            Action::DelChild {
                child: child.clone()
            }
        );
        assert_eq!(
            action("add_mark c1 5").unwrap(),
            Action::AddMark {
                child: child.clone(),
                mark: 5
            }
        );
        assert_eq!(
            action("del_mark c1 0xffffffff").unwrap(),
            Action::DelMark {
                child,
                mark: u32::MAX
            }
        );
    }

    #[test]
    fn a_name_has_up_to_fifteen_bytes() {
        let child = "fifteen-letters".to_owned();
        let line = format!("del_child {child}");
        assert_eq!(action(&line).unwrap(), Action::DelChild { child });
    }

    #[test]
    fn what_cannot_be_is_refused_before_the_kernel_is_asked() {
        for line in [
            "add_mark c1 4294967296",
            "add_mark c1 -1",
            "add_mark c1 five",
            "add_mark c1 0x",
            "add_mark c1 0x+5",
            "add_mark c1 +5",
            "add_child net0 sixteen-letters-",
            "add_child net0",
            "add_child net0 ",
            "del_child",
            "del_child sixteen-letters-",
            "",
        ] {
            let error = action(line).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }
}
