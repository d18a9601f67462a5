// SPDX-License-Identifier: MIT OR Apache-2.0
//! The messages of the generic netlink family `muennet`, version 1.
//!
//! The numbers are those of `linux-kmod/netlink/muennet.yaml`; commands 1 to 4 and
//! attributes 1 to 3 are as old as the C driver and never change.

use netlink_packet_core::{
    emit_u32, emit_u64, parse_u32, parse_u64, parse_u8, DecodeError, Emitable, ErrorContext, Nla,
    NlaBuffer, NlasIterator, Parseable, ParseableParametrized,
};
use netlink_packet_generic::{GenlFamily, GenlHeader};

/// The family's name.
pub const FAMILY: &str = "muennet";
/// The family's version.
pub const VERSION: u8 = 1;

/// Requests to the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Command {
    /// Makes a child: DEV is the parent, CHILD_DEV the child.
    AddChild = 1,
    /// Deletes the child CHILD_DEV.
    DelChild = 2,
    /// Gives the child CHILD_DEV the mark MARK.
    AddMark = 3,
    /// Takes the mark MARK from the child CHILD_DEV.
    DelMark = 4,
    /// Lists the interfaces: DEV, IFINDEX and all that follows.
    GetInterface = 5,
    /// Lists the children: DEV, CHILD_DEV, IFINDEX, RX_FRAMES, TX_FRAMES,
    /// PARENT_IFINDEX.
    GetChild = 6,
    /// Lists the marks, one a message: CHILD_DEV, MARK.
    GetMark = 7,
}

/// One attribute of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// Name of an interface with channels.
    Dev(String),
    /// Name of a child.
    ChildDev(String),
    /// A mark.
    Mark(u32),
    /// Index of the interface.
    IfIndex(u32),
    /// `raw`, `net_hdr` or `eth_dev`.
    Mode(String),
    /// Name of the input channel.
    In(String),
    /// Name of the output channel.
    Out(String),
    /// Bytes of the largest packet.
    Mtu(u32),
    /// Whether a peer is there.
    Carrier(bool),
    /// Frames received.
    RxFrames(u64),
    /// Frames sent.
    TxFrames(u64),
    /// Frames overwritten before they were read.
    RxLost(u64),
    /// Frames that were no frames.
    RxRejected(u64),
    /// Times the peer began anew.
    Epochs(u64),
    /// Index of a child's parent, if it is in the same network namespace.
    ParentIfIndex(u32),
    /// One that this program does not know: a younger driver may say more.
    Unknown(u16),
}

mod number {
    pub const DEV: u16 = 1;
    pub const CHILD_DEV: u16 = 2;
    pub const MARK: u16 = 3;
    pub const IFINDEX: u16 = 4;
    pub const MODE: u16 = 5;
    pub const IN: u16 = 6;
    pub const OUT: u16 = 7;
    pub const MTU: u16 = 8;
    pub const CARRIER: u16 = 9;
    pub const RX_FRAMES: u16 = 10;
    pub const TX_FRAMES: u16 = 11;
    pub const RX_LOST: u16 = 12;
    pub const RX_REJECTED: u16 = 13;
    pub const EPOCHS: u16 = 14;
    pub const PARENT_IFINDEX: u16 = 16;
}

impl Nla for Attribute {
    fn value_len(&self) -> usize {
        match self {
            // Strings end with a NUL, as libnl sends them.
            Self::Dev(text)
            | Self::ChildDev(text)
            | Self::Mode(text)
            | Self::In(text)
            | Self::Out(text) => text.len() + 1,
            Self::Mark(_) | Self::IfIndex(_) | Self::Mtu(_) | Self::ParentIfIndex(_) => 4,
            Self::Carrier(_) => 1,
            Self::RxFrames(_)
            | Self::TxFrames(_)
            | Self::RxLost(_)
            | Self::RxRejected(_)
            | Self::Epochs(_) => 8,
            Self::Unknown(_) => 0,
        }
    }

    fn kind(&self) -> u16 {
        match self {
            Self::Dev(_) => number::DEV,
            Self::ChildDev(_) => number::CHILD_DEV,
            Self::Mark(_) => number::MARK,
            Self::IfIndex(_) => number::IFINDEX,
            Self::Mode(_) => number::MODE,
            Self::In(_) => number::IN,
            Self::Out(_) => number::OUT,
            Self::Mtu(_) => number::MTU,
            Self::Carrier(_) => number::CARRIER,
            Self::RxFrames(_) => number::RX_FRAMES,
            Self::TxFrames(_) => number::TX_FRAMES,
            Self::RxLost(_) => number::RX_LOST,
            Self::RxRejected(_) => number::RX_REJECTED,
            Self::Epochs(_) => number::EPOCHS,
            Self::ParentIfIndex(_) => number::PARENT_IFINDEX,
            Self::Unknown(kind) => *kind,
        }
    }

    fn emit_value(&self, buffer: &mut [u8]) {
        match self {
            Self::Dev(text)
            | Self::ChildDev(text)
            | Self::Mode(text)
            | Self::In(text)
            | Self::Out(text) => {
                buffer[..text.len()].copy_from_slice(text.as_bytes());
                buffer[text.len()] = 0;
            }
            Self::Mark(value)
            | Self::IfIndex(value)
            | Self::Mtu(value)
            | Self::ParentIfIndex(value) => {
                emit_u32(buffer, *value).expect("value_len gives the room");
            }
            Self::Carrier(value) => buffer[0] = u8::from(*value),
            Self::RxFrames(value)
            | Self::TxFrames(value)
            | Self::RxLost(value)
            | Self::RxRejected(value)
            | Self::Epochs(value) => {
                emit_u64(buffer, *value).expect("value_len gives the room");
            }
            Self::Unknown(_) => {}
        }
    }
}

/// A string up to its NUL. A name may be any bytes; what is no UTF-8 is shown replaced.
fn text(value: &[u8]) -> String {
    let end = value
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}

impl Parseable<NlaBuffer<&[u8]>> for Attribute {
    fn parse(attribute: &NlaBuffer<&[u8]>) -> Result<Self, DecodeError> {
        let value = attribute.value();
        let parsed = match attribute.kind() {
            number::DEV => Ok(Self::Dev(text(value))),
            number::CHILD_DEV => Ok(Self::ChildDev(text(value))),
            number::MARK => parse_u32(value).map(Self::Mark),
            number::IFINDEX => parse_u32(value).map(Self::IfIndex),
            number::MODE => Ok(Self::Mode(text(value))),
            number::IN => Ok(Self::In(text(value))),
            number::OUT => Ok(Self::Out(text(value))),
            number::MTU => parse_u32(value).map(Self::Mtu),
            number::CARRIER => parse_u8(value).map(|carrier| Self::Carrier(carrier != 0)),
            number::RX_FRAMES => parse_u64(value).map(Self::RxFrames),
            number::TX_FRAMES => parse_u64(value).map(Self::TxFrames),
            number::RX_LOST => parse_u64(value).map(Self::RxLost),
            number::RX_REJECTED => parse_u64(value).map(Self::RxRejected),
            number::EPOCHS => parse_u64(value).map(Self::Epochs),
            number::PARENT_IFINDEX => parse_u32(value).map(Self::ParentIfIndex),
            unknown => Ok(Self::Unknown(unknown)),
        };
        parsed.with_context(|| format!("attribute {}", attribute.kind()))
    }
}

/// A message of the family, without its headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The command's number; of an answer, that of its question.
    pub command: u8,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
}

impl Message {
    /// A request.
    pub fn new(command: Command, attributes: Vec<Attribute>) -> Self {
        Self {
            command: command as u8,
            attributes,
        }
    }
}

impl GenlFamily for Message {
    fn family_name() -> &'static str {
        FAMILY
    }

    fn command(&self) -> u8 {
        self.command
    }

    fn version(&self) -> u8 {
        VERSION
    }
}

impl Emitable for Message {
    fn buffer_len(&self) -> usize {
        self.attributes.as_slice().buffer_len()
    }

    fn emit(&self, buffer: &mut [u8]) {
        self.attributes.as_slice().emit(buffer);
    }
}

impl ParseableParametrized<[u8], GenlHeader> for Message {
    fn parse_with_param(bytes: &[u8], header: GenlHeader) -> Result<Self, DecodeError> {
        let attributes = NlasIterator::new(bytes)
            .map(|attribute| Attribute::parse(&attribute?))
            .collect::<Result<_, DecodeError>>()?;
        Ok(Self {
            command: header.cmd,
            attributes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_packet_core::{NetlinkHeader, NetlinkMessage, NetlinkPayload, NLM_F_REQUEST};
    use netlink_packet_generic::GenlMessage;

    fn bytes(message: Message) -> Vec<u8> {
        let mut message = GenlMessage::from_payload(message);
        message.set_resolved_family_id(0x1c);
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST;
        header.sequence_number = 1;
        let mut packet = NetlinkMessage::new(header, NetlinkPayload::from(message));
        packet.finalize();
        let mut bytes = vec![0; packet.buffer_len()];
        packet.serialize(&mut bytes);
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Message, DecodeError> {
        let header = GenlHeader::parse(bytes)?;
        Message::parse_with_param(&bytes[4..], header)
    }

    // What libnl makes of genlmsg_put and nla_put, on a little-endian machine.
    #[test]
    #[cfg(target_endian = "little")]
    fn requests_are_the_bytes_of_the_original() {
        #[rustfmt::skip]
        let add_mark = [
            32 + 4, 0, 0, 0,  0x1c, 0,  1, 0,  1, 0, 0, 0,  0, 0, 0, 0,
            3, 1, 0, 0,
            7, 0, 2, 0,  b'c', b'1', 0, 0,
            8, 0, 3, 0,  0x78, 0x56, 0x34, 0x12,
        ];
        let made = bytes(Message::new(
            Command::AddMark,
            vec![
                Attribute::ChildDev("c1".into()),
                Attribute::Mark(0x1234_5678),
            ],
        ));
        assert_eq!(made, add_mark);
        assert_eq!(Message::family_name(), FAMILY);
        #[rustfmt::skip]
        let add_child = [
            36 + 4, 0, 0, 0,  0x1c, 0,  1, 0,  1, 0, 0, 0,  0, 0, 0, 0,
            1, 1, 0, 0,
            9, 0, 1, 0,  b'n', b'e', b't', b'0', 0, 0, 0, 0,
            7, 0, 2, 0,  b'c', b'1', 0, 0,
        ];
        let made = bytes(Message::new(
            Command::AddChild,
            vec![
                Attribute::Dev("net0".into()),
                Attribute::ChildDev("c1".into()),
            ],
        ));
        assert_eq!(made, add_child);
    }

    const SPECIFICATION: &str = include_str!("../../linux-kmod/netlink/muennet.yaml");

    /// Names in the specification, by the depth at which they stand. Their order is
    /// that of the numbers, from 1.
    fn named(depth: usize) -> Vec<&'static str> {
        let start = format!("{}name: ", " ".repeat(depth));
        SPECIFICATION
            .lines()
            .filter_map(|line| line.strip_prefix(&start))
            .collect()
    }

    #[test]
    fn numbers_are_those_of_the_specification() {
        let commands = [
            ("add-child", Command::AddChild),
            ("del-child", Command::DelChild),
            ("add-mark", Command::AddMark),
            ("del-mark", Command::DelMark),
            ("get-interface", Command::GetInterface),
            ("get-child", Command::GetChild),
            ("get-mark", Command::GetMark),
        ];
        assert_eq!(named(6), commands.map(|(name, _)| name));
        assert!(commands
            .into_iter()
            .map(|(_, command)| command as u8)
            .eq(1..=7));
        let attributes = [
            ("dev", number::DEV),
            ("child-dev", number::CHILD_DEV),
            ("mark", number::MARK),
            ("ifindex", number::IFINDEX),
            ("mode", number::MODE),
            ("in", number::IN),
            ("out", number::OUT),
            ("mtu", number::MTU),
            ("carrier", number::CARRIER),
            ("rx-frames", number::RX_FRAMES),
            ("tx-frames", number::TX_FRAMES),
            ("rx-lost", number::RX_LOST),
            ("rx-rejected", number::RX_REJECTED),
            ("epochs", number::EPOCHS),
            ("pad", 15),
            ("parent-ifindex", number::PARENT_IFINDEX),
        ];
        assert_eq!(named(8), attributes.map(|(name, _)| name));
        assert!(attributes.into_iter().map(|(_, number)| number).eq(1..=16));
    }

    #[test]
    fn every_attribute_survives_the_way_there_and_back() {
        let attributes = vec![
            Attribute::Dev("net0".into()),
            Attribute::ChildDev("child0".into()),
            Attribute::Mark(u32::MAX),
            Attribute::IfIndex(7),
            Attribute::Mode("net_hdr".into()),
            Attribute::In("mirage1|out".into()),
            Attribute::Out(String::new()),
            Attribute::Mtu(1500),
            Attribute::Carrier(true),
            Attribute::RxFrames(u64::MAX),
            Attribute::TxFrames(1),
            Attribute::RxLost(2),
            Attribute::RxRejected(3),
            Attribute::Epochs(4),
            Attribute::ParentIfIndex(3),
            Attribute::Unknown(15),
        ];
        let message = Message::new(Command::GetInterface, attributes);
        let bytes = bytes(message.clone());
        assert_eq!(parse(&bytes[16..]).unwrap(), message);
    }

    #[test]
    fn strings_need_no_nul_and_numbers_need_their_bytes() {
        let dev = [5, 1, 0, 0, 7, 0, 1, 0, b'a', b'b', b'c', 0];
        assert_eq!(
            parse(&dev).unwrap().attributes,
            [Attribute::Dev("abc".into())]
        );
        let short = [5, 1, 0, 0, 7, 0, 8, 0, 1, 2, 3, 0];
        assert!(parse(&short)
            .unwrap_err()
            .to_string()
            .contains("attribute 8"));
    }

    #[test]
    fn an_attribute_that_ends_outside_of_the_message_is_refused() {
        assert!(parse(&[5, 1, 0, 0, 40, 0, 1, 0, b'a', 0, 0, 0]).is_err());
        assert!(parse(&[5, 1, 0, 0, 2, 0, 1, 0]).is_err());
        assert!(parse(&[5, 1]).is_err());
    }
}
