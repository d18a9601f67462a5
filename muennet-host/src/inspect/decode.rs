// SPDX-License-Identifier: MIT OR Apache-2.0
//! A frame in words.

use muennet_core::config::Mode;
use smoltcp::wire::{EthernetFrame, Ipv4Packet, Ipv6Packet, PrettyPrinter};

/// Bytes of a payload that is shown as it is.
const DUMPED: usize = 32;

/// The headers of a frame, a line each.
pub fn decode(mode: Mode, frame: &[u8]) -> Vec<String> {
    let text = match (mode, frame.first().map(|first| first >> 4)) {
        (Mode::Ethernet, _) => PrettyPrinter::<EthernetFrame<&[u8]>>::new("", &frame).to_string(),
        (Mode::NetHdr, Some(4)) => PrettyPrinter::<Ipv4Packet<&[u8]>>::new("", &frame).to_string(),
        (Mode::NetHdr, Some(6)) => PrettyPrinter::<Ipv6Packet<&[u8]>>::new("", &frame).to_string(),
        _ => dump(frame),
    };
    // The printer's branches are backslashes.
    text.lines()
        .map(|line| line.replacen("\\ ", "└ ", 1))
        .collect()
}

/// The first bytes in hexadecimal, with an ellipsis if there are more.
fn dump(frame: &[u8]) -> String {
    let mut text = String::new();
    for byte in frame.iter().take(DUMPED) {
        text += &format!("{byte:02x} ");
    }
    if frame.len() > DUMPED {
        text += "…";
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ICMP echo request from 192.168.7.1 to 192.168.7.2 without data.
    const PING: &str = "020000000002 020000000001 0800 \
        4500001c00010000 4001 eb8b c0a80701 c0a80702 0800f7fe00000001";

    fn bytes(hexadecimal: &str) -> Vec<u8> {
        let digits: Vec<_> = hexadecimal.bytes().filter(u8::is_ascii_hexdigit).collect();
        let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16);
        digits.chunks(2).map(|two| pair(two).unwrap()).collect()
    }

    #[test]
    fn headers_are_named() {
        let frame = bytes(PING);
        let lines = decode(Mode::Ethernet, &frame);
        assert!(lines[0].contains("src=02-00-00-00-00-01"), "{lines:?}");
        assert!(lines[1].contains("dst=192.168.7.2"), "{lines:?}");
        assert!(lines[2].contains("ICMPv4 echo request"), "{lines:?}");
        let packet = decode(Mode::NetHdr, &frame[14..]);
        assert_eq!(packet[1], lines[2].trim_start());
        assert_eq!(decode(Mode::Raw, &[1, 0xab]), ["01 ab"]);
        assert!(decode(Mode::Raw, &[0; 33])[0].ends_with("00 …"));
    }

    /// Every frame of a hostile writer is shown somehow.
    #[test]
    fn no_frame_is_too_strange() {
        let ping = bytes(PING);
        let mut noise = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = move || {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            noise as usize
        };
        let types: [u16; 4] = [0x0800, 0x0806, 0x86dd, 0x88a8];
        let protocols = [1, 6, 17, 43, 44, 58, 0];
        for _ in 0..40_000 {
            let mut frame = ping.clone();
            frame.resize(14 + next() % 90, 0);
            frame[14..].iter_mut().for_each(|byte| *byte = next() as u8);
            frame[12..14].copy_from_slice(&types[next() % types.len()].to_be_bytes());
            if let Some(packet) = frame.get_mut(14..54) {
                let v6 = next() % 2 == 0;
                packet[0] = if v6 { 0x60 } else { 0x45 };
                packet[if v6 { 6 } else { 9 }] = protocols[next() % protocols.len()];
                let length = (next() % 80) as u16;
                let at = if v6 { 4 } else { 2 };
                packet[at..at + 2].copy_from_slice(&length.to_be_bytes());
            }
            decode(Mode::Ethernet, &frame);
            decode(Mode::NetHdr, &frame[14.min(frame.len())..]);
            decode(Mode::Raw, &frame);
        }
    }
}
