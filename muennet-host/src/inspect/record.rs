// SPDX-License-Identifier: MIT OR Apache-2.0
//! Frames recorded for Wireshark: pcapng, an interface for each channel,
//! nanoseconds.

use muennet_core::config::Mode;
use pcap_file::{
    pcapng::{
        blocks::{
            enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption},
            interface_description::{InterfaceDescriptionBlock, InterfaceDescriptionOption},
        },
        PcapNgWriter,
    },
    DataLink, PcapError,
};
use std::{
    borrow::Cow,
    fs::File,
    io::{self, BufWriter, Write},
    os::fd::AsFd,
    path::Path,
    time::SystemTime,
};

/// Digits of a second that the file keeps.
const NANOSECONDS: u8 = 9;

/// A file being written.
pub struct Record<W: Write = BufWriter<File>> {
    writer: PcapNgWriter<W>,
    frames: u64,
}

fn io_error(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        other => io::Error::other(other),
    }
}

impl Record {
    /// Makes the file, with an interface for each of `channels`, by name and mode.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    pub fn create<'a>(
        path: &Path,
        channels: impl IntoIterator<Item = (&'a str, Mode)>,
    ) -> io::Result<Self> {
        let file = if is_standard_output(path) {
            // The standard library's own would flush at each line.
            File::from(io::stdout().as_fd().try_clone_to_owned()?)
        } else {
            File::create(path)?
        };
        Self::new(BufWriter::new(file), channels)
    }
}

/// True for the names of the standard output, to which `-` belongs.
pub fn is_standard_output(path: &Path) -> bool {
    ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]
        .iter()
        .any(|name| path == Path::new(name))
}

impl<W: Write> Record<W> {
    fn new<'a>(target: W, channels: impl IntoIterator<Item = (&'a str, Mode)>) -> io::Result<Self> {
        let mut writer = PcapNgWriter::new(target).map_err(io_error)?;
        for (name, mode) in channels {
            let interface = InterfaceDescriptionBlock {
                linktype: match mode {
                    Mode::Ethernet => DataLink::ETHERNET,
                    Mode::NetHdr => DataLink::RAW,
                    Mode::Raw => DataLink::USER0,
                },
                snaplen: 0,
                options: vec![
                    InterfaceDescriptionOption::IfName(Cow::Borrowed(name)),
                    InterfaceDescriptionOption::IfTsResol(NANOSECONDS),
                ],
            };
            writer.write_pcapng_block(interface).map_err(io_error)?;
        }
        let mut record = Self { writer, frames: 0 };
        record.flush()?;
        Ok(record)
    }

    /// Adds a frame of the channel with this index, looked at now; `lost` frames
    /// went unseen before it.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    pub fn add(&mut self, channel: usize, frame: &[u8], mark: u32, lost: u64) -> io::Result<()> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let mut options = Vec::new();
        if lost > 0 {
            options.push(EnhancedPacketOption::DropCount(lost));
        }
        if mark > 0 {
            options.push(EnhancedPacketOption::Comment(format!("mark {mark}").into()));
        }
        // CAST: few channels, and frames have at most 64 KiB.
        let block = EnhancedPacketBlock {
            interface_id: channel as u32,
            timestamp: now.unwrap_or_default(),
            original_len: frame.len() as u32,
            data: Cow::Borrowed(frame),
            options,
        };
        self.writer.write_pcapng_block(block).map_err(io_error)?;
        self.frames += 1;
        Ok(())
    }

    /// Frames recorded so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Hands to the system what is still here.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.get_mut().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pcap_file::pcapng::{Block, PcapNgReader};

    #[test]
    fn names_of_the_standard_output() {
        assert!(is_standard_output(Path::new("-")));
        assert!(is_standard_output(Path::new("/dev/stdout")));
        assert!(!is_standard_output(Path::new("./-")));
    }

    #[test]
    fn what_is_recorded_can_be_read() {
        let mut file = Vec::new();
        let channels = [("a|in", Mode::Ethernet), ("b", Mode::NetHdr)];
        let mut record = Record::new(&mut file, channels).unwrap();
        record.add(0, &[1; 61], 0, 0).unwrap();
        record.add(1, &[2; 40], 7, 3).unwrap();
        assert_eq!(record.frames(), 2);
        drop(record);

        let mut reader = PcapNgReader::new(&file[..]).unwrap();
        let mut packets = Vec::new();
        while let Some(block) = reader.next_block() {
            if let Block::EnhancedPacket(packet) = block.unwrap() {
                packets.push((packet.interface_id, packet.data.len(), packet.options.len()));
                let age = SystemTime::UNIX_EPOCH + packet.timestamp;
                assert!(age.elapsed().unwrap().as_secs() < 3600);
            }
        }
        assert_eq!(packets, [(0, 61, 0), (1, 40, 2)]);
        let links: Vec<_> = reader.interfaces().iter().map(|i| i.linktype).collect();
        assert_eq!(links, [DataLink::ETHERNET, DataLink::RAW]);
    }
}
