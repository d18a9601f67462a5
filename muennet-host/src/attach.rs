// SPDX-License-Identifier: MIT OR Apache-2.0
//! A pair of channels for a program, as its command line names them.

use crate::{
    ivshmem::client::{Client, ClientError, Connection, Ringer, Vector},
    mapping::{Input, Output},
};
use clap::Args;
use muennet_core::config::number;
use std::{
    fs::OpenOptions,
    io,
    num::NonZeroU64,
    path::{Path, PathBuf},
    time::Duration,
};
use thiserror::Error;

/// The channels' part of a command line: a subject of `muen-ivshmem`, or two files.
#[derive(Debug, Clone, Args)]
pub struct ChannelArgs {
    /// Be a subject of muen-ivshmem, by its socket.
    #[arg(long, value_name = "SOCKET", requires = "input", requires = "output",
          required_unless_present = "in_file", conflicts_with_all = ["in_file", "out_file"])]
    pub ivshmem: Option<PathBuf>,

    /// Name of the channel to read.
    #[arg(long = "in", value_name = "CHANNEL", requires = "ivshmem")]
    pub input: Option<String>,

    /// Name of the channel to write.
    #[arg(long = "out", value_name = "CHANNEL", requires = "ivshmem")]
    pub output: Option<String>,

    /// File of the channel to read.
    #[arg(long, value_name = "FILE", requires = "out_file")]
    pub in_file: Option<PathBuf>,

    /// File of the channel to write.
    #[arg(long, value_name = "FILE", requires = "in_file")]
    pub out_file: Option<PathBuf>,

    /// Protocol of the channel to read, hexadecimal.
    #[arg(long, value_name = "HEX", default_value = "7ade5c549b08e814", value_parser = protocol)]
    pub reader_protocol: NonZeroU64,

    /// Protocol of the channel to write, hexadecimal.
    #[arg(long, value_name = "HEX", default_value = "7ade5c549b08e814", value_parser = protocol)]
    pub writer_protocol: NonZeroU64,

    /// Microseconds between looks at a channel without event.
    #[arg(long = "poll", value_name = "MICROSECONDS", default_value_t = 1000,
          value_parser = poll_us)]
    poll_us: u64,
}

/// Reads a protocol number as `modprobe muennet` does: hexadecimal, with or without `0x`.
///
/// ```
/// use muennet_host::attach::protocol;
///
/// assert_eq!(protocol("0X2"), protocol("2"));
/// assert!(protocol("+2").is_err());
/// ```
///
/// # Errors
///
/// A text that names the values that are taken.
pub fn protocol(text: &str) -> Result<NonZeroU64, String> {
    number::hexadecimal(text)
        .ok()
        .and_then(NonZeroU64::new)
        .ok_or_else(|| "give a hexadecimal number of at most 64 bits, not 0".to_owned())
}

fn poll_us(text: &str) -> Result<u64, String> {
    number::decimal(text)
        .ok()
        .filter(|number| (1..=1_000_000).contains(number))
        .ok_or_else(|| "give a decimal number from 1 to 1000000".to_owned())
}

/// Why there is no pair of channels.
#[derive(Debug, Error)]
pub enum AttachError {
    /// `muen-ivshmem` does not give them.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A file cannot be mapped.
    #[error("cannot map {path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        cause: io::Error,
    },
    /// The command line names no pair of channels.
    #[error("give --ivshmem with --in and --out, or --in-file and --out-file")]
    NoChannels,
}

/// A pair of channels, mapped, with what comes with them.
#[derive(Debug)]
pub struct Attachment {
    /// The channel to read.
    pub input: Input,
    /// The channel to write.
    pub output: Output,
    /// The notifier for the reader of `output`, if the channel has an event.
    pub ringer: Option<Ringer>,
    /// The event of `input`, if it has one.
    pub vector: Option<Vector>,
    /// The connection to the server; files have none.
    pub connection: Option<Connection>,
}

impl ChannelArgs {
    /// Time between looks at a channel without event.
    pub fn poll(&self) -> Duration {
        Duration::from_micros(self.poll_us)
    }

    /// Maps the channels.
    ///
    /// # Errors
    ///
    /// [`AttachError`] says what is wrong.
    pub fn attach(&self) -> Result<Attachment, AttachError> {
        if let (Some(socket), Some(input), Some(output)) =
            (&self.ivshmem, &self.input, &self.output)
        {
            let client = Client::connect(socket)?;
            return Ok(Attachment {
                input: client.input(input)?,
                output: client.output(output)?,
                ringer: client.notifier(output)?,
                vector: client.vector(input)?,
                connection: Some(client.into_connection()),
            });
        }
        let (Some(input), Some(output)) = (&self.in_file, &self.out_file) else {
            return Err(AttachError::NoChannels);
        };
        Ok(Attachment {
            input: read_file(input)?,
            output: write_file(output)?,
            ringer: None,
            vector: None,
            connection: None,
        })
    }
}

/// Maps a channel's file for reading.
///
/// # Errors
///
/// [`AttachError::File`].
pub fn read_file(path: &Path) -> Result<Input, AttachError> {
    let map = || {
        let file = OpenOptions::new().read(true).open(path)?;
        let len = file.metadata()?.len();
        Input::new(&file, 0, len as usize)
    };
    map().map_err(|cause| failed(path, cause))
}

/// Maps a channel's file for writing.
///
/// # Errors
///
/// [`AttachError::File`].
pub fn write_file(path: &Path) -> Result<Output, AttachError> {
    let map = || {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let len = file.metadata()?.len();
        Output::new(&file, 0, len as usize)
    };
    map().map_err(|cause| failed(path, cause))
}

fn failed(path: &Path, cause: io::Error) -> AttachError {
    AttachError::File {
        path: path.to_owned(),
        cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_is_read_as_the_module_reads_it() {
        for text in ["2", "0x2", "0X2"] {
            assert_eq!(protocol(text).map(NonZeroU64::get), Ok(2), "{text}");
        }
        for text in ["", "0", "+2", "-2", "0x", "0x+2", "10000000000000000"] {
            assert!(protocol(text).is_err(), "{text}");
        }
    }

    #[test]
    fn microseconds_are_decimal_and_bounded() {
        assert_eq!(poll_us("1"), Ok(1));
        assert_eq!(poll_us("1000000"), Ok(1_000_000));
        for text in ["", "0", "+5", "0x5", "1000001"] {
            assert!(poll_us(text).is_err(), "{text}");
        }
    }
}
