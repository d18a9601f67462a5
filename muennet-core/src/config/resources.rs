// SPDX-License-Identifier: MIT OR Apache-2.0
//! Checks of a subject's resources against the parameters.

use super::error::{ConfigError, Parameter, Why};
use crate::channel::layout::HEADER_SIZE;
use crate::sinfo::{linux::Irq, Memory, MemoryKind};

/// The direction in which an interface uses a channel.
///
/// ```
/// use muennet_core::config::{channel, Access, Parameter, Why};
///
/// // The subject has no memory of this name: the error names the parameter of the access.
/// let error = channel(Access::Output, 1, "a_to_b", None).unwrap_err();
/// assert_eq!((error.parameter, error.why), (Parameter::Out, Why::UnknownResource));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Access {
    /// The parameter `in`.
    Input,
    /// The parameter `out`.
    Output,
}

/// Checks the memory `found` under the channel `name`, entry `position` of `in` or `out`.
///
/// # Errors
///
/// [`ConfigError`]: no such memory, not a channel, the wrong rights, no room for a
/// channel's header, or a misaligned address.
pub fn channel(
    access: Access,
    position: usize,
    name: &str,
    found: Option<Memory>,
) -> Result<Memory, ConfigError<'_>> {
    let (parameter, wrong_rights) = match access {
        Access::Input => (Parameter::In, Why::InputWritable),
        Access::Output => (Parameter::Out, Why::OutputReadOnly),
    };
    let error = |why| ConfigError {
        parameter,
        position,
        value: name,
        why,
    };
    let memory = found.ok_or(error(Why::UnknownResource))?;
    if memory.kind != MemoryKind::Channel {
        return Err(error(Why::NotAChannel));
    }
    if memory.writable != (access == Access::Output) {
        return Err(error(wrong_rights));
    }
    // CAST: a small constant.
    fits(&memory, HEADER_SIZE as u64, 8).map_err(error)?;
    Ok(memory)
}

/// Checks the memory `found` under the region `name`, entry `position` of `pmtu`.
///
/// # Errors
///
/// [`ConfigError`]: no such memory, no room for one entry, or a misaligned address.
pub fn path_mtu(
    position: usize,
    name: &str,
    found: Option<Memory>,
) -> Result<Memory, ConfigError<'_>> {
    let error = |why| ConfigError {
        parameter: Parameter::Pmtu,
        position,
        value: name,
        why,
    };
    let memory = found.ok_or(error(Why::UnknownResource))?;
    fits(&memory, 4, 4).map_err(error)?;
    Ok(memory)
}

/// Checks that memory has `min` bytes or more, at a multiple of `word`.
fn fits(memory: &Memory, min: u64, word: u64) -> Result<(), Why> {
    let size = memory.size;
    if size < min {
        return Err(Why::TooSmall { size, min });
    }
    if memory.address % word != 0 {
        return Err(Why::Misaligned { word });
    }
    Ok(())
}

/// Checks the `vector` of the input channel `name`, entry `position` of `in`, and gives
/// its interrupt. `taken` tells if another interface or driver
/// takes an interrupt.
///
/// An interrupt belongs to one interface: it masks the interrupt while it polls.
///
/// # Errors
///
/// [`ConfigError`]: a vector without an interrupt, or one that is taken.
pub fn interrupt(
    position: usize,
    name: &str,
    vector: u8,
    taken: impl FnOnce(u32) -> bool,
) -> Result<Irq, ConfigError<'_>> {
    let error = |why| ConfigError {
        parameter: Parameter::In,
        position,
        value: name,
        why,
    };
    let irq = Irq::of_vector(vector).ok_or(error(Why::NoInterrupt { vector }))?;
    if taken(irq.number) {
        return Err(error(Why::InterruptTaken { irq: irq.number }));
    }
    Ok(irq)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Errno;

    fn memory(kind: MemoryKind, writable: bool) -> Option<Memory> {
        Some(Memory {
            kind,
            content: 0,
            writable,
            executable: false,
            pattern: 0,
            address: 0,
            size: 4096,
            hash: [0; 32],
        })
    }

    #[test]
    fn rights_must_fit_the_direction() {
        use MemoryKind::{Channel, Plain};
        let why = |access, found| channel(access, 1, "c", found).map_err(|error| error.why);
        assert!(why(Access::Input, memory(Channel, false)).is_ok());
        assert!(why(Access::Output, memory(Channel, true)).is_ok());
        assert_eq!(
            why(Access::Input, memory(Channel, true)),
            Err(Why::InputWritable)
        );
        assert_eq!(
            why(Access::Output, memory(Channel, false)),
            Err(Why::OutputReadOnly)
        );
        assert_eq!(
            why(Access::Input, memory(Plain, false)),
            Err(Why::NotAChannel)
        );
        assert_eq!(why(Access::Input, None), Err(Why::UnknownResource));
    }

    #[test]
    fn an_interrupt_has_one_interface() {
        let irq = interrupt(1, "c", 0x48, |_| false).unwrap();
        assert_eq!(Irq::of_vector(0x48), Some(irq));
        let error = interrupt(2, "c", 0x48, |other| other == irq.number).unwrap_err();
        assert_eq!(error.why, Why::InterruptTaken { irq: irq.number });
        assert_eq!((error.parameter, error.position), (Parameter::In, 2));
        assert_eq!(error.errno(), Errno::Inval);
        if let Some(vector) = Irq::FIRST_VECTOR.checked_sub(1) {
            let error = interrupt(2, "c", vector, |_| false).unwrap_err();
            assert_eq!(error.why, Why::NoInterrupt { vector });
        }
    }

    #[test]
    fn memory_must_have_room_and_be_aligned() {
        let sized = |kind, size, address| {
            let mut found = memory(kind, false).unwrap();
            (found.size, found.address) = (size, address);
            Some(found)
        };
        let input = |size, address| {
            let found = sized(MemoryKind::Channel, size, address);
            channel(Access::Input, 1, "c", found).map_err(|error| error.why)
        };
        for size in [0, 63] {
            assert_eq!(input(size, 0), Err(Why::TooSmall { size, min: 64 }));
        }
        assert!(input(64, 4096).is_ok());
        assert_eq!(input(64, 4100), Err(Why::Misaligned { word: 8 }));
        let region = |size, address| {
            let found = sized(MemoryKind::Plain, size, address);
            path_mtu(2, "p", found).map_err(|error| error.why)
        };
        for size in [0, 3] {
            assert_eq!(region(size, 0), Err(Why::TooSmall { size, min: 4 }));
        }
        assert!(region(4, 4).is_ok());
        assert_eq!(region(4, 2), Err(Why::Misaligned { word: 4 }));
    }

    #[test]
    fn errors_have_the_documented_numbers() {
        let number = |access, found| channel(access, 1, "c", found).unwrap_err().errno();
        assert_eq!(number(Access::Input, None), Errno::Nxio);
        assert_eq!(
            number(Access::Input, memory(MemoryKind::Channel, true)),
            Errno::Perm
        );
        assert_eq!(path_mtu(1, "p", None).unwrap_err().errno(), Errno::Nxio);
    }
}
