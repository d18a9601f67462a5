// SPDX-License-Identifier: MIT OR Apache-2.0
//! The manual page: one page for all commands, made from the command line's
//! definition so that both say the same.

use crate::args::{EXAMPLES, EXIT_STATUS};
use clap::Command;
use clap_mangen::{
    roff::{bold, roman, Roff},
    Man,
};
use std::io::{self, Write};

/// Writes the page of `command`.
pub fn write(command: Command, out: &mut dyn Write) -> io::Result<()> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let man = Man::new(command.clone()).section("8");
    man.render_title(out)?;
    man.render_name_section(out)?;
    let mut page = Roff::new();
    page.control("SH", ["SYNOPSIS"]);
    for sub in command.get_subcommands_mut() {
        let usage = sub.render_usage().to_string();
        page.text([roman(usage.trim_start_matches("Usage: "))])
            .control("br", []);
    }
    page.to_writer(out)?;
    man.render_description_section(out)?;
    let mut page = Roff::new();
    page.control("SH", ["COMMANDS"]);
    for sub in command.get_subcommands() {
        let mut line = vec![bold(sub.get_name())];
        let arguments = sub
            .get_arguments()
            .filter(|argument| argument.get_id() != "help");
        let mut about = vec![sub.get_about().map(|text| format!("{text}."))];
        for argument in arguments {
            line.push(roman(format!(" {argument}")));
            let help = argument.get_help();
            about.push(help.map(|text| format!("{argument}: {text}.")));
        }
        let about: Vec<_> = about.into_iter().flatten().collect();
        page.control("TP", [])
            .text(line)
            .text([roman(about.join(" "))]);
    }
    page.control("SH", ["EXAMPLES"])
        .control("nf", [])
        .text([roman(EXAMPLES)])
        .control("fi", [])
        .control("SH", ["EXIT STATUS"])
        .text([roman(EXIT_STATUS)])
        .control("SH", ["SEE ALSO"])
        .text([
            bold("modprobe"),
            roman("(8), "),
            bold("ip-link"),
            roman("(8), "),
            bold("iptables"),
            roman("(8)"),
        ]);
    page.to_writer(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Args;
    use clap::CommandFactory;

    #[test]
    fn the_page_names_every_command_and_argument() {
        let mut page = Vec::new();
        write(Args::command(), &mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        for text in [
            ".TH muennet_cfg 8",
            "muennet_cfg add_child <PARENT> <CHILD>",
            "muennet_cfg add_mark <CHILD> <MARK>",
            "\\fBdel_mark\\fR <CHILD> <MARK>",
            "\\fBlist\\fR",
            ".SH EXAMPLES",
            ".SH \"EXIT STATUS\"",
        ] {
            assert!(page.contains(text), "{text} is not in\n{page}");
        }
    }
}
