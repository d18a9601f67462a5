// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line: `sinfo=VERSION debuglog=ADDRESS unmapped=CHANNEL [-- BOOTPARAMS]`.

use crate::subject::Refusal;
use muennet_core::config::number;

/// Settings from the command line.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// Version of the subject information; one that does not exist leaves the page empty.
    pub sinfo: u8,
    /// Where the component specification maps the log.
    pub debuglog: u64,
    /// A channel that the subject information names and no page table maps.
    pub unmapped: Option<&'static str>,
    /// The command line that the policy passes, if it passes one.
    pub bootparams: Option<&'static str>,
}

impl Words {
    /// Reads a command line.
    pub fn parse(line: &'static str) -> Result<Self, Refusal> {
        let (line, bootparams) = match line.split_once(" -- ") {
            Some((line, rest)) => (line, Some(rest)),
            None => (line, None),
        };
        let mut words = Self {
            sinfo: 5,
            debuglog: 0x4000_0000,
            unmapped: None,
            bootparams,
        };
        for word in line.split_ascii_whitespace() {
            let refused = |_| Refusal::Word(word);
            match word.split_once('=') {
                Some(("sinfo", version)) => {
                    let version = number::decimal(version).map_err(refused)?;
                    words.sinfo = u8::try_from(version).map_err(|_| Refusal::Word(word))?;
                }
                Some(("debuglog", address)) => {
                    words.debuglog = number::hexadecimal(address).map_err(refused)?;
                }
                Some(("unmapped", channel)) => words.unmapped = Some(channel),
                _ => return Err(Refusal::Word(word)),
            }
        }
        Ok(words)
    }
}
