// SPDX-License-Identifier: MIT OR Apache-2.0
//! Extended acknowledgements: what the kernel says beside the number of an error.

use netlink_packet_core::NlasIterator;

/// NLMSGERR_ATTR_MSG, of linux/netlink.h.
const MESSAGE: u16 = 1;

/// The header of the request, which an error repeats before the attributes. The rest
/// of the request is left out: the socket asks for that (NETLINK_CAP_ACK).
const REPEATED: usize = 16;

/// The kernel's words in an NLMSG_ERROR; `payload` is what follows the error's number.
pub fn of_error(payload: &[u8]) -> Option<String> {
    of_attributes(payload.get(REPEATED..)?)
}

/// The kernel's words in attributes, as they follow the number in an NLMSG_DONE.
pub fn of_attributes(attributes: &[u8]) -> Option<String> {
    let message = NlasIterator::new(attributes)
        .flatten()
        .find(|attribute| attribute.kind() == MESSAGE)?;
    let words = String::from_utf8_lossy(message.value());
    Some(words.trim_end_matches('\0').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_among_other_attributes() {
        let mut error = vec![0; REPEATED];
        error.extend([8, 0, 2, 0, 20, 0, 0, 0]); // NLMSGERR_ATTR_OFFS
        error.extend([8, 0, 1, 0, b'n', b'o', b'!', 0]);
        assert_eq!(of_error(&error).as_deref(), Some("no!"));
    }

    #[test]
    fn silence_is_none() {
        assert_eq!(of_error(&[]), None);
        assert_eq!(of_error(&[0; REPEATED]), None);
        assert_eq!(of_attributes(&[200, 0, 1, 0, b'x']), None);
    }
}
