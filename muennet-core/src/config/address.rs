// SPDX-License-Identifier: MIT OR Apache-2.0
//! The hardware address of an interface that was given none.

/// The hardware address of an Ethernet interface: the same at every load, another
/// one for every subject and pair of channels.
///
/// It is an FNV-1a hash of the subject's name and the names of the channels (`""` for
/// none), each ended by a NUL, as a locally administered address of one station.
/// The policy gives both ends of a channel other subject names, so that two ends of a
/// link have different addresses.
///
/// ```
/// use muennet_core::config::hardware_address;
///
/// let address = hardware_address("linux-a", "b_to_a", "a_to_b");
/// assert_eq!(address, hardware_address("linux-a", "b_to_a", "a_to_b"));
/// assert_eq!(address[0] & 3, 2);
/// ```
pub fn hardware_address(subject: &str, input: &str, output: &str) -> [u8; 6] {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let mut hash = BASIS;
    for name in [subject, input, output] {
        for byte in name.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        }
    }
    // The low bytes alone do not depend on the high bits of what came before.
    let [.., a, b, c, d, e, f] = (hash ^ hash >> 16).to_be_bytes();
    [a & !1 | 2, b, c, d, e, f]
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn it_differs_with_each_name_and_with_where_a_name_ends() {
        let names = [
            ("linux-a", "b_to_a", "a_to_b"),
            ("linux-b", "b_to_a", "a_to_b"),
            ("linux-b", "a_to_b", "b_to_a"),
            ("linux-a", "b_to_a", ""),
            ("linux-a", "", "b_to_a"),
            ("linux-ab", "_to_a", ""),
            ("", "", ""),
        ];
        let addresses =
            names.map(|(subject, input, output)| hardware_address(subject, input, output));
        for (index, address) in addresses.iter().enumerate() {
            assert_eq!(address[0] & 3, 2, "locally administered, one station");
            assert!(!addresses[..index].contains(address));
        }
    }

    #[test]
    fn it_stays_what_it_was_in_earlier_versions() {
        // Worked out from the definition of FNV-1a, 64 bits, by another program.
        assert_eq!(
            hardware_address("linux", "testchannel_2", "testchannel_1"),
            EXPECTED
        );
    }

    const EXPECTED: [u8; 6] = [0x52, 0xe8, 0x26, 0x50, 0x0d, 0x20];
}
