// SPDX-License-Identifier: MIT OR Apache-2.0
//! Entries of the lists: names, protocols, numbers in a range, flags.

use super::error::Why;
use super::number::{self, NumberError};
use crate::framing::Mode;

/// Bytes of the kernel's name buffer, NUL included.
const IFNAMSIZ: usize = 16;

pub(super) fn name(value: &str) -> Result<(), Why> {
    if value.len() >= IFNAMSIZ {
        return Err(Why::NameTooLong);
    }
    let bad = |byte: u8| byte == b'/' || byte == b':' || byte <= b' ' || byte == 0x7f;
    let mut percents = value.split('%').skip(1);
    let percent = percents.next().is_none_or(|rest| rest.starts_with('d'));
    if value == "."
        || value == ".."
        || value.bytes().any(bad)
        || !percent
        || percents.next().is_some()
    {
        return Err(Why::NameInvalid);
    }
    Ok(())
}

pub(super) fn hexadecimal(value: &str) -> Result<u64, Why> {
    number::hexadecimal(value).map_err(|_| Why::NotHexadecimal)
}

pub(super) fn decimal(value: &str, min: u32, max: u32) -> Result<u32, Why> {
    let number = match number::decimal(value) {
        Ok(number) => u32::try_from(number).ok(),
        Err(NumberError::TooLarge) => None,
        Err(NumberError::NotANumber) => return Err(Why::NotDecimal),
    };
    number
        .filter(|number| (min..=max).contains(number))
        .ok_or(Why::OutOfRange { min, max })
}

/// The mode, and whether its elements have room for a VLAN's tag.
pub(super) fn flags(value: &str) -> Result<(Mode, bool), Why> {
    let (mut net_hdr, mut eth_dev, mut vlan) = (false, false, false);
    if !value.is_empty() {
        for flag in value.split('+') {
            match flag {
                "net_hdr" => net_hdr = true,
                "eth_dev" => eth_dev = true,
                "vlan" => vlan = true,
                _ => return Err(Why::UnknownFlag),
            }
        }
    }
    match (net_hdr, eth_dev) {
        (true, true) => Err(Why::BothModes),
        (false, true) => Ok((Mode::Ethernet, vlan)),
        _ if vlan => Err(Why::VlanWithoutEthernet),
        (false, false) => Ok((Mode::Raw, false)),
        (true, false) => Ok((Mode::NetHdr, false)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["net0", "net%d", "a", "mirage-1", "123456789012345"] {
            assert_eq!(name(good), Ok(()), "{good}");
        }
        assert_eq!(name("1234567890123456"), Err(Why::NameTooLong));
        for bad in [
            ".", "..", "a/b", "a b", "a:b", "%", "%s", "a%d%d", "a%%d", "a\tb",
        ] {
            assert_eq!(name(bad), Err(Why::NameInvalid), "{bad}");
        }
    }

    #[test]
    fn protocols() {
        assert_eq!(hexadecimal("2"), Ok(2));
        assert_eq!(hexadecimal("12"), Ok(0x12));
        assert_eq!(hexadecimal("0x7ade5c549b08e814"), Ok(0x7ade_5c54_9b08_e814));
        assert_eq!(hexadecimal("FFFFFFFFFFFFFFFF"), Ok(u64::MAX));
        for bad in [
            "",
            "0x",
            "g",
            "+2",
            "-2",
            "1 ",
            "0x0x1",
            "10000000000000000",
        ] {
            assert_eq!(hexadecimal(bad), Err(Why::NotHexadecimal), "{bad}");
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(decimal("1500", 68, 9000), Ok(1500));
        assert_eq!(
            decimal("67", 68, 9000),
            Err(Why::OutOfRange { min: 68, max: 9000 })
        );
        assert!(matches!(
            decimal("99999999999", 68, 9000),
            Err(Why::OutOfRange { .. })
        ));
        assert!(matches!(
            decimal("99999999999999999999", 68, 9000),
            Err(Why::OutOfRange { .. })
        ));
        for bad in ["", "+5", "0x5", "five", "5 "] {
            assert_eq!(decimal(bad, 0, 10), Err(Why::NotDecimal), "{bad}");
        }
    }

    #[test]
    fn modes() {
        assert_eq!(flags(""), Ok((Mode::Raw, false)));
        assert_eq!(flags("net_hdr"), Ok((Mode::NetHdr, false)));
        assert_eq!(flags("eth_dev"), Ok((Mode::Ethernet, false)));
        for vlan in ["eth_dev+vlan", "vlan+eth_dev"] {
            assert_eq!(flags(vlan), Ok((Mode::Ethernet, true)));
        }
        for alone in ["vlan", "net_hdr+vlan"] {
            assert_eq!(flags(alone), Err(Why::VlanWithoutEthernet));
        }
        assert_eq!(flags("eth_dev+net_hdr"), Err(Why::BothModes));
        for bad in [
            "eth_device",
            "eth",
            "eth_dev+",
            "+",
            "ETH_DEV",
            "eth_dev net_hdr",
        ] {
            assert_eq!(flags(bad), Err(Why::UnknownFlag), "{bad}");
        }
    }
}
