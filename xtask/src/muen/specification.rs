// SPDX-License-Identifier: MIT OR Apache-2.0
//! A component specification with the image's memory, made of its program headers: it needs
//! no mucbinsplit, and no `auto`, which Muen v1.0 does not know.

use super::elf_file::{entry, segments, symbol};
use anyhow::{ensure, Result};
use std::fmt::Write;

/// Where the network's channels are mapped.
const CHANNELS: u64 = 0x1_0000_0000;
const CHANNEL: u64 = 0x40_0000;
/// The numbers that Muen's tools give first.
const EVENT: u32 = 16;
const VECTOR: u32 = 64;

/// A number as Muen's policies write it.
fn hex(number: u64) -> String {
    let digits = format!("{number:016x}");
    let digits = digits.trim_start_matches('0');
    let digits = format!(
        "{digits:0>width$}",
        width = digits.len().next_multiple_of(4).max(4)
    );
    let groups: Vec<_> = digits
        .as_bytes()
        .chunks(4)
        .map(|g| g.escape_ascii().to_string())
        .collect();
    format!("16#{}#", groups.join("_"))
}

/// Completes the specification `template` for the image.
pub fn complete(template: &str, name: &str, image: &[u8]) -> Result<String> {
    let log = symbol(image, "debuglog_address")?;
    let size = symbol(image, "debuglog_size")?;
    let mut text = template.to_owned();
    let mut replace = |old: &str, new: &str| {
        ensure!(text.contains(old), "the specification lacks {old}");
        text = text.replace(old, new);
        Ok(())
    };
    // The image writes there before it knows any better.
    ensure!(
        template.contains(&format!("virtualAddress=\"{}\"", hex(log)))
            && template.contains(&format!("size=\"{}\"", hex(size))),
        "the specification maps debuglog elsewhere than at {} with {}",
        hex(log),
        hex(size)
    );
    replace(
        "vector=\"auto\"",
        &format!("vector=\"{VECTOR}\" virtualAddress=\"{}\"", hex(CHANNELS)),
    )?;
    replace(
        "event=\"auto\"",
        &format!(
            "event=\"{EVENT}\" virtualAddress=\"{}\"",
            hex(CHANNELS + CHANNEL)
        ),
    )?;
    replace(
        "    </vcpu>\n",
        &format!(
            "      <registers><gpr><rip>{}</rip></gpr></registers>\n    </vcpu>\n",
            hex(entry(image)?)
        ),
    )?;
    let mut memory = String::from("  <provides>\n");
    for segment in segments(image)? {
        writeln!(
            memory,
            "    <memory executable=\"{}\" logical=\"{}\" size=\"{}\" type=\"subject_binary\" \
             virtualAddress=\"{}\" writable=\"{}\">",
            segment.executable,
            segment.name,
            hex(segment.size),
            hex(segment.address),
            segment.writable
        )?;
        match segment.content {
            Some(_) => writeln!(
                memory,
                "      <file filename=\"{}\" offset=\"none\"/>",
                segment.file(name)
            )?,
            None => writeln!(memory, "      <fill pattern=\"16#00#\"/>")?,
        }
        memory.push_str("    </memory>\n");
    }
    memory.push_str("  </provides>\n</component>");
    replace("</component>", &memory)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::hex;

    #[test]
    fn numbers_are_written_as_muen_writes_them() {
        assert_eq!(hex(0), "16#0000#");
        assert_eq!(hex(0x1000), "16#1000#");
        assert_eq!(hex(0x20_0000), "16#0020_0000#");
        assert_eq!(hex(0x1_0040_0000), "16#0001_0040_0000#");
    }
}
