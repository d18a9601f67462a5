// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of subjects and resources.

use super::layout::{self, NAME_SIZE};
use core::fmt;

/// A name of up to 63 bytes.
///
/// ```
/// use muennet_core::sinfo::Name;
///
/// let name = Name::new("testchannel_1")?;
/// assert_eq!(name.as_str(), Some("testchannel_1"));
/// assert!(Name::new(&"n".repeat(64)).is_err());
/// # Ok::<(), muennet_core::sinfo::NameError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name {
    len: u8,
    bytes: [u8; Name::MAX_LEN],
}

/// A name that does not fit its field.
///
/// ```
/// use muennet_core::sinfo::{Name, NameError};
///
/// assert_eq!(Name::new(&"x".repeat(64)), Err(NameError { len: 64 }));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NameError {
    /// Bytes of the name.
    pub len: usize,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (len, max) = (self.len, Name::MAX_LEN);
        write!(
            f,
            "a name of {len} bytes is not between 1 and {max} bytes long"
        )
    }
}

impl core::error::Error for NameError {}

impl Name {
    /// The most bytes of a name.
    pub const MAX_LEN: usize = 63;

    /// Takes a name.
    ///
    /// # Errors
    ///
    /// [`NameError`] unless it has 1 to 63 bytes.
    pub fn new(name: &str) -> Result<Self, NameError> {
        let error = NameError { len: name.len() };
        if name.is_empty() {
            return Err(error);
        }
        let mut bytes = [0; Self::MAX_LEN];
        bytes
            .get_mut(..name.len())
            .ok_or(error)?
            .copy_from_slice(name.as_bytes());
        Ok(Self {
            // CAST: at most 63, as its bytes fit above.
            len: name.len() as u8,
            bytes,
        })
    }

    /// Reads a name's field: length, bytes, NUL. The error is a length above 63.
    pub(super) fn parse(field: &[u8; NAME_SIZE]) -> Result<Self, u8> {
        let [len, ..] = *field;
        if usize::from(len) > Self::MAX_LEN {
            return Err(len);
        }
        let mut bytes = layout::field::<1, { Self::MAX_LEN }, NAME_SIZE>(field);
        // What lies behind the name is no part of it, nor of its equality.
        bytes.iter_mut().skip(len.into()).for_each(|byte| *byte = 0);
        Ok(Self { len, bytes })
    }

    /// The name's field.
    #[cfg(feature = "builder")]
    pub(super) fn field(&self) -> [u8; NAME_SIZE] {
        let mut field = [0; NAME_SIZE];
        field[0] = self.len;
        field[1..=Self::MAX_LEN].copy_from_slice(&self.bytes);
        field
    }

    /// The bytes of the name.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&[])
    }

    /// The name as text; `None` if it is not UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        core::str::from_utf8(self.as_bytes()).ok()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_bytes().escape_ascii(), f)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Name {
    fn format(&self, f: defmt::Formatter<'_>) {
        match self.as_str() {
            Some(name) => defmt::write!(f, "{=str}", name),
            None => defmt::write!(f, "{=[u8]}", self.as_bytes()),
        }
    }
}
