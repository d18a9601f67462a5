// SPDX-License-Identifier: MIT OR Apache-2.0
//! One interface out of the lists.

use super::error::{ConfigError, Parameter, Why};
use super::parse;
use crate::framing::{Dynamic, Ethernet, Mode, MtuError};
use core::num::NonZeroU64;

/// The most interfaces of one module.
pub const MAX_INTERFACES: usize = 32;
/// MTU in bytes, where none is given.
pub const DEFAULT_MTU: u16 = 1500;
/// Microseconds between looks at a channel without a vector, where none is given.
pub const DEFAULT_POLL_US: u32 = 1000;

/// Microseconds between looks where 0 is given: as often as is sensible.
pub const SHORTEST_POLL_US: u32 = 50;

/// The least MTU in bytes of the IP mode: no packet is shorter than IPv4's header.
const MIN_IP_MTU: u32 = 20;

/// The microseconds between looks that a user asks for: 0 leaves them to this end.
pub const fn poll_us(asked: u32) -> u32 {
    match asked {
        0 => SHORTEST_POLL_US,
        asked => asked,
    }
}

/// The parameters as given, a list of entries each. Lists may have different
/// lengths; an entry that is not there is like an empty one.
///
/// ```
/// use muennet_core::config::{ConfigError, Lists, Mode};
///
/// let lists = Lists {
///     name: &["net0"],
///     input: &["channel_in"],
///     reader_protocol: &["0x2"],
///     flags: &["net_hdr"],
///     ..Lists::default()
/// };
/// let interface = lists.interface(0)?.expect("the entry has a name");
/// assert_eq!((interface.mode, interface.mtu), (Mode::NetHdr, 1500));
/// assert!(interface.output.is_none());
/// # Ok::<(), ConfigError<'static>>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[allow(missing_docs)] // The fields are the parameters of the same name.
pub struct Lists<'a> {
    pub name: &'a [&'a str],
    /// The parameter `in`.
    pub input: &'a [&'a str],
    /// The parameter `out`.
    pub output: &'a [&'a str],
    pub reader_protocol: &'a [&'a str],
    pub writer_protocol: &'a [&'a str],
    pub mtu: &'a [&'a str],
    pub pmtu: &'a [&'a str],
    pub flags: &'a [&'a str],
    /// One value for all interfaces.
    pub poll: Option<&'a str>,
}

/// A channel of an interface.
///
/// ```
/// use muennet_core::config::Lists;
///
/// let lists = Lists {
///     name: &["net0"],
///     output: &["a_to_b"],
///     writer_protocol: &["0x2"],
///     ..Lists::default()
/// };
/// let output = lists.interface(0)?.and_then(|interface| interface.output).unwrap();
/// assert_eq!((output.name, output.protocol.get()), ("a_to_b", 2));
/// # Ok::<(), muennet_core::config::ConfigError<'static>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Channel<'a> {
    /// Name of the channel.
    pub name: &'a str,
    /// The protocol that its header must show.
    pub protocol: NonZeroU64,
}

/// A checked interface: at least one channel is given.
///
/// ```
/// use muennet_core::config::{Lists, Mode};
///
/// let lists = Lists {
///     name: &["net%d"],
///     input: &["b_to_a"],
///     reader_protocol: &["0x2"],
///     flags: &["eth_dev+vlan"],
///     ..Lists::default()
/// };
/// let interface = lists.interface(0)?.expect("the first entry has a name");
/// assert_eq!((interface.position, interface.name), (1, "net%d"));
/// assert_eq!((interface.mode, interface.vlan), (Mode::Ethernet, true));
/// assert!(interface.input.is_some() && interface.output.is_none());
/// # Ok::<(), muennet_core::config::ConfigError<'static>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Interface<'a> {
    /// Its entry in the lists, counted from 1.
    pub position: usize,
    /// Interface name, which may hold one `%d`.
    pub name: &'a str,
    /// The channel it reads.
    pub input: Option<Channel<'a>>,
    /// The channel it writes.
    pub output: Option<Channel<'a>>,
    /// Framing.
    pub mode: Mode,
    /// MTU in bytes.
    pub mtu: u16,
    /// The elements have room for a VLAN's tag. Ethernet frames only.
    pub vlan: bool,
    /// Memory region with the path MTUs.
    pub pmtu: Option<&'a str>,
    /// Microseconds between looks, if the input channel has no vector.
    pub poll_us: u32,
}

impl Interface<'_> {
    /// Its framing.
    ///
    /// # Errors
    ///
    /// [`MtuError`] when the mode does not carry the MTU; [`Lists::interface`] gives no
    /// such interface.
    pub const fn framing(&self) -> Result<Dynamic, MtuError> {
        match (self.mode, self.vlan) {
            (Mode::Ethernet, true) => match Ethernet::with_vlan(self.mtu) {
                Ok(framing) => Ok(Dynamic::Ethernet(framing)),
                Err(error) => Err(error),
            },
            (mode, _) => Dynamic::new(mode, self.mtu),
        }
    }
}

impl<'a> Lists<'a> {
    /// The interfaces, in order; entries without a name are skipped.
    ///
    /// The first error ends a sound use of this iterator: refuse the whole.
    pub fn interfaces(self) -> impl Iterator<Item = Result<Interface<'a>, ConfigError<'a>>> {
        (0..self.name.len()).filter_map(move |index| self.interface(index).transpose())
    }

    /// The entries behind the last name, which nothing uses: most likely a slip.
    pub fn ignored(self) -> impl Iterator<Item = ConfigError<'a>> {
        let names = self.name.len();
        self.lists().into_iter().flat_map(move |(parameter, list)| {
            let behind = list.iter().enumerate().skip(names);
            behind
                .filter(|(_, value)| !value.is_empty())
                .map(move |(index, value)| ConfigError {
                    parameter,
                    position: index + 1,
                    value,
                    why: Why::NoInterface,
                })
        })
    }

    fn lists(&self) -> [(Parameter, &'a [&'a str]); 8] {
        [
            (Parameter::Name, self.name),
            (Parameter::In, self.input),
            (Parameter::Out, self.output),
            (Parameter::ReaderProtocol, self.reader_protocol),
            (Parameter::WriterProtocol, self.writer_protocol),
            (Parameter::Mtu, self.mtu),
            (Parameter::Pmtu, self.pmtu),
            (Parameter::Flags, self.flags),
        ]
    }

    /// The interface of the entry `index`, counted from 0; `None` where the
    /// name is empty.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the parameter, the entry and its value.
    pub fn interface(&self, index: usize) -> Result<Option<Interface<'a>>, ConfigError<'a>> {
        let entry = |list: &[&'a str]| list.get(index).copied().unwrap_or("");
        let error = |parameter, value, why| ConfigError {
            parameter,
            position: index + 1,
            value,
            why,
        };
        let name = entry(self.name);
        if name.is_empty() {
            return Ok(None);
        }
        if index >= MAX_INTERFACES {
            let max = MAX_INTERFACES;
            return Err(error(Parameter::Name, name, Why::TooMany { max }));
        }
        parse::name(name).map_err(|why| error(Parameter::Name, name, why))?;

        let channel = |list, protocol_parameter, protocol_list| {
            let (name, protocol) = (entry(list), entry(protocol_list));
            let wrong = |why| error(protocol_parameter, protocol, why);
            let number = match protocol {
                "" => None,
                given => Some(parse::hexadecimal(given).map_err(wrong)?),
            };
            if name.is_empty() {
                return Ok(None);
            }
            let number = number.ok_or(wrong(Why::ProtocolMissing))?;
            let protocol = NonZeroU64::new(number).ok_or(wrong(Why::ProtocolZero))?;
            Ok(Some(Channel { name, protocol }))
        };
        let input = channel(self.input, Parameter::ReaderProtocol, self.reader_protocol)?;
        let output = channel(self.output, Parameter::WriterProtocol, self.writer_protocol)?;
        if input.is_none() && output.is_none() {
            return Err(error(Parameter::In, "", Why::NoChannel));
        }

        let value = entry(self.flags);
        let (mode, vlan) =
            parse::flags(value).map_err(|why| error(Parameter::Flags, value, why))?;
        let pmtu = Some(entry(self.pmtu)).filter(|name| !name.is_empty());
        if let (Some(region), Mode::Ethernet) = (pmtu, mode) {
            return Err(error(Parameter::Pmtu, region, Why::PathMtuOfEthernet));
        }
        let mtu = match entry(self.mtu) {
            "" => DEFAULT_MTU,
            value => {
                let (min, max) = match (mode, vlan) {
                    (Mode::Raw, _) => (1, u16::MAX),
                    (Mode::NetHdr, _) => (MIN_IP_MTU, u16::MAX),
                    (Mode::Ethernet, false) => (1, Ethernet::MAX_MTU),
                    (Mode::Ethernet, true) => (1, Ethernet::MAX_VLAN_MTU),
                };
                // CAST: at most a u16.
                parse::decimal(value, min, max.into())
                    .map_err(|why| error(Parameter::Mtu, value, why))? as u16
            }
        };
        let poll_us = match self.poll {
            None => DEFAULT_POLL_US,
            Some(value) => {
                let asked = parse::decimal(value, 0, u32::MAX).map_err(|why| ConfigError {
                    parameter: Parameter::Poll,
                    position: 1,
                    value,
                    why,
                })?;
                poll_us(asked)
            }
        };
        Ok(Some(Interface {
            position: index + 1,
            name,
            input,
            output,
            mode,
            mtu,
            vlan,
            pmtu,
            poll_us,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Errno;
    use crate::framing::Framing;
    use std::{string::ToString, vec::Vec};

    const MUEN: u64 = crate::framing::SOLO5_PROTOCOL.get();

    fn all<'a>(lists: Lists<'a>) -> Result<Vec<Interface<'a>>, ConfigError<'a>> {
        lists.interfaces().collect()
    }

    #[test]
    fn the_demo_systems_line() {
        let interfaces = all(Lists {
            name: &["net0", "mirage1"],
            reader_protocol: &["2", "0x7ade5c549b08e814"],
            writer_protocol: &["2", "0x7ade5c549b08e814"],
            input: &["testchannel_4", "mirage1|out"],
            output: &["testchannel_3", "mirage1|in"],
            flags: &["net_hdr", "eth_dev"],
            ..Lists::default()
        })
        .unwrap();
        assert_eq!(interfaces.len(), 2);
        assert_eq!(interfaces[0].mode, Mode::NetHdr);
        assert_eq!(interfaces[0].input.unwrap().protocol.get(), 2);
        assert_eq!(interfaces[1].mode, Mode::Ethernet);
        assert_eq!(interfaces[1].input.unwrap().name, "mirage1|out");
        assert_eq!(interfaces[1].output.unwrap().protocol.get(), MUEN);
        assert_eq!(interfaces[1].mtu, 1500);
        assert_eq!(interfaces[1].position, 2);
    }

    #[test]
    fn one_way_and_skipped_entries() {
        let interfaces = all(Lists {
            name: &["", "tx"],
            output: &["ignored", "out"],
            writer_protocol: &["", "1"],
            mtu: &["", "9000"],
            poll: Some("250"),
            ..Lists::default()
        })
        .unwrap();
        assert_eq!(interfaces.len(), 1);
        assert_eq!(interfaces[0].input, None);
        assert_eq!((interfaces[0].mtu, interfaces[0].poll_us), (9000, 250));
        assert_eq!(all(Lists::default()), Ok(Vec::new()));
    }

    #[test]
    fn what_the_original_takes_is_taken() {
        let taken = |mtu, flags, poll| {
            let lists = Lists {
                name: &["a"],
                output: &["o"],
                writer_protocol: &["1"],
                poll: Some(poll),
                ..Lists::default()
            };
            let mtu = [mtu];
            let flags = [flags];
            let lists = Lists {
                mtu: &mtu,
                flags: &flags,
                ..lists
            };
            let interface = lists.interface(0).map_err(|error| error.why)?.unwrap();
            let element = interface.framing().unwrap().element_size();
            Ok((interface.mtu, element, interface.poll_us))
        };
        assert_eq!(taken("64", "", "0"), Ok((64, 64, SHORTEST_POLL_US)));
        assert_eq!(taken("1", "", "1"), Ok((1, 1, 1)));
        let hour = "3600000000";
        assert_eq!(taken("65535", "", hour), Ok((65535, 65535, 3_600_000_000)));
        assert_eq!(taken("20", "net_hdr", "5"), Ok((20, 28, 5)));
        assert_eq!(taken("65535", "net_hdr", "5"), Ok((65535, 65543, 5)));
        assert_eq!(taken("50", "eth_dev", "5"), Ok((50, 66, 5)));
        assert_eq!(taken("1500", "eth_dev", "5"), Ok((1500, 1516, 5)));
        assert_eq!(taken("1500", "eth_dev+vlan", "5"), Ok((1500, 1520, 5)));
        assert_eq!(taken("65517", "eth_dev+vlan", "5"), Ok((65517, 65537, 5)));
        for (mtu, flags, min, max) in [
            ("65536", "", 1, 65535),
            ("19", "net_hdr", 20, 65535),
            ("65522", "eth_dev", 1, 65521),
            ("65518", "eth_dev+vlan", 1, 65517),
        ] {
            assert_eq!(taken(mtu, flags, "1"), Err(Why::OutOfRange { min, max }));
        }
        let most = u32::MAX;
        assert_eq!(
            taken("64", "", "4294967296"),
            Err(Why::OutOfRange { min: 0, max: most })
        );
    }

    #[test]
    fn entries_behind_the_last_name_are_ignored() {
        let lists = Lists {
            name: &["a"],
            input: &["i", "", "j"],
            reader_protocol: &["1", "none"],
            ..Lists::default()
        };
        assert_eq!(all(lists).unwrap().len(), 1);
        let said: Vec<_> = lists.ignored().map(|error| error.to_string()).collect();
        assert_eq!(
            said,
            [
                "parameter in, entry 3, value \"j\": ignored, as there is no interface name for \
                 this entry",
                "parameter reader_protocol, entry 2, value \"none\": ignored, as there is no \
                 interface name for this entry",
            ]
        );
    }

    #[test]
    fn a_wrong_entry_is_named() {
        let good = Lists {
            name: &["a", "b"],
            input: &["i", "i"],
            output: &["o", "o"],
            reader_protocol: &["1", "2"],
            writer_protocol: &["1", "2"],
            ..Lists::default()
        };
        assert!(all(good).is_ok());
        let refused = |lists: Lists<'static>, text: &str| {
            let error = all(lists).unwrap_err();
            assert_eq!(error.to_string(), text);
            assert_eq!(error.errno(), Errno::Inval);
        };
        refused(
            Lists {
                flags: &["eth_dev", "eth"],
                ..good
            },
            "parameter flags, entry 2, value \"eth\": unknown flag; there are net_hdr, eth_dev and vlan",
        );
        refused(
            Lists {
                flags: &["net_hdr+vlan"],
                ..good
            },
            "parameter flags, entry 1, value \"net_hdr+vlan\": vlan goes with Ethernet frames; \
             give eth_dev+vlan",
        );
        refused(
            Lists {
                writer_protocol: &["1"],
                ..good
            },
            "parameter writer_protocol, entry 2, value \"\": the channel needs a protocol; \
             give a hexadecimal number",
        );
        refused(
            Lists {
                reader_protocol: &["0x0", "1"],
                ..good
            },
            "parameter reader_protocol, entry 1, value \"0x0\": a protocol must not be 0",
        );
        let names = ["a"; MAX_INTERFACES + 1];
        let error = all(Lists {
            name: &names,
            input: &names,
            reader_protocol: &names,
            ..Lists::default()
        })
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "parameter name, entry 33, value \"a\": there can be no more than 32 interfaces"
        );
        refused(
            Lists {
                mtu: &["0"],
                ..good
            },
            "parameter mtu, entry 1, value \"0\": not between 1 and 65535",
        );
        refused(
            Lists {
                poll: Some("1,2"),
                ..good
            },
            "parameter poll, entry 1, value \"1,2\": not a decimal number",
        );
        refused(
            Lists {
                flags: &["eth_dev", "eth_dev"],
                pmtu: &["", "mtus"],
                ..good
            },
            "parameter pmtu, entry 2, value \"mtus\": path MTUs are for IP packets, and eth_dev \
             carries frames; leave one of them out",
        );
        refused(
            Lists {
                input: &[],
                output: &["o"],
                ..good
            },
            "parameter in, entry 2, value \"\": an interface needs a channel; give in, out or both",
        );
        refused(
            Lists {
                name: &["a\n", "b"],
                ..good
            },
            "parameter name, entry 1, value \"a\\n\": not an interface name; \
             use letters, digits, -, _ and at most one %d",
        );
    }
}
