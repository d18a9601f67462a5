// SPDX-License-Identifier: MIT OR Apache-2.0
//! The listing as people read it.

use crate::listing::{Child, Here, Interface};
use std::fmt;

/// Shows interfaces as a tree.
pub struct Tree<'a>(pub &'a [Interface]);

impl fmt::Display for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for interface in self.0 {
            write_interface(f, interface)?;
        }
        Ok(())
    }
}

fn write_interface(f: &mut fmt::Formatter<'_>, interface: &Interface) -> fmt::Result {
    write!(f, "{}: ", Printable(&interface.name))?;
    let stem = if interface.children.is_empty() {
        ' '
    } else {
        '│'
    };
    match &interface.here {
        Some(here) => write_here(f, here, stem)?,
        None => writeln!(f, "in another network namespace")?,
    }
    let last = interface.children.len().saturating_sub(1);
    for (index, child) in interface.children.iter().enumerate() {
        write_child(f, child, if index == last { '└' } else { '├' })?;
    }
    Ok(())
}

fn write_here(f: &mut fmt::Formatter<'_>, here: &Here, stem: char) -> fmt::Result {
    let channel = |name: &str| {
        if name.is_empty() {
            "none".to_owned()
        } else {
            Printable(name).to_string()
        }
    };
    writeln!(
        f,
        "{}, in {}, out {}, mtu {}, {}",
        Printable(&here.mode),
        channel(&here.input),
        channel(&here.output),
        here.mtu,
        if here.carrier {
            "carrier"
        } else {
            "no carrier"
        },
    )?;
    writeln!(
        f,
        "{stem}   rx frames {}, lost {}, rejected {}, epochs {}; tx frames {}",
        here.rx_frames, here.rx_lost, here.rx_rejected, here.epochs, here.tx_frames,
    )
}

fn write_child(f: &mut fmt::Formatter<'_>, child: &Child, branch: char) -> fmt::Result {
    writeln!(
        f,
        "{branch}── {}: {}; rx frames {}; tx frames {}",
        Printable(&child.name),
        Marks(&child.marks),
        child.rx_frames,
        child.tx_frames,
    )
}

/// Marks in order, runs of them shortened: 5, 7-9.
struct Marks<'a>(&'a [u32]);

impl fmt::Display for Marks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut runs = self
            .0
            .chunk_by(|a, b| a.checked_add(1) == Some(*b))
            .peekable();
        match self.0.len() {
            0 => return f.write_str("no marks"),
            1 => f.write_str("mark ")?,
            _ => f.write_str("marks ")?,
        }
        while let Some(run) = runs.next() {
            match run {
                [one] => write!(f, "{one}")?,
                [first, last] => write!(f, "{first}, {last}")?,
                [first, .., last] => write!(f, "{first}-{last}")?,
                [] => {}
            }
            if runs.peek().is_some() {
                f.write_str(", ")?;
            }
        }
        Ok(())
    }
}

/// A name without what would play tricks on a terminal.
struct Printable<'a>(&'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            if letter.is_control() {
                write!(f, "{}", letter.escape_default())?;
            } else {
                write!(f, "{letter}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::tests::sample;

    #[test]
    fn the_tree_shows_everything() {
        let expected = "\
net0: net_hdr, in testchannel_4, out testchannel_3, mtu 1500, carrier
│   rx frames 120, lost 2, rejected 0, epochs 1; tx frames 118
├── c1: marks 5, 7-9; rx frames 12; tx frames 3
└── c2: no marks; rx frames 12; tx frames 3
mirage1: eth_dev, in mirage1|out, out none, mtu 1500, no carrier
    rx frames 0, lost 0, rejected 0, epochs 0; tx frames 0
net0: in another network namespace
└── c3: no marks; rx frames 0; tx frames 0
";
        assert_eq!(Tree(&sample()).to_string(), expected);
    }

    #[test]
    fn runs_of_marks_are_short() {
        let all: Vec<u32> = (1..=100).collect();
        assert_eq!(Marks(&all).to_string(), "marks 1-100");
        assert_eq!(Marks(&[3]).to_string(), "mark 3");
        assert_eq!(Marks(&[3, 4]).to_string(), "marks 3, 4");
        let edge = [1, u32::MAX - 1, u32::MAX];
        assert_eq!(Marks(&edge).to_string(), "marks 1, 4294967294, 4294967295");
    }

    #[test]
    fn names_play_no_tricks() {
        assert_eq!(Printable("a\u{1b}[31mb").to_string(), "a\\u{1b}[31mb");
    }
}
