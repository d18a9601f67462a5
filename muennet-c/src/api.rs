// SPDX-License-Identifier: MIT OR Apache-2.0
//! The functions that C calls. Each checks its pointers, then hands on.

use crate::{
    config::{self, Checked, Config},
    endpoint::{Counters, Endpoint, Info},
    frame::{Arrival, Burst, Frame, Packet, Slice, BATCH, PACKET_CHECKSUM, PARTS},
    handle::{self, Link},
    memory::Mapped,
    notify::Callback,
    pointers::{or_return, read, Array, Out, Parts, Room},
    Code,
};
use core::{ffi::c_void, num::NonZeroU64};
use muennet_core::{
    channel::layout::HEADER_SIZE,
    framing::{self, Checksum, Framing, Meta},
};

/// Fragments of a frame that are copied without a longer array.
const FEW: usize = 4;
/// Frames of a burst that are received without a longer array.
const SHORT: usize = 8;

/// Opens a link in memory that the caller provides.
///
/// The link comes up: frames that the peer sent before this call are not received, all that it
/// sends later are. It does not send before `muennet_activate`.
///
/// `link` is memory for the link. `config` is copied; it may be gone after the call.
///
/// Returns `MUENNET_RESULT_OK`, or a code that says what is wrong with the configuration;
/// nothing was changed then.
///
/// # Safety
///
/// `link` points to a `muennet_link` that is not in use by another call, `config` to a
/// configuration of which all fields are written. Until `muennet_close` both regions stay
/// mapped, the input readable and the output readable and writable; the program accesses them
/// through this link alone, and opens no second link for the same output. `notify` may be called
/// with `notify_context` from wherever the link is used.
#[no_mangle]
pub unsafe extern "C" fn muennet_open(link: *mut Link, config: *const Config) -> Code {
    let open = || {
        // SAFETY: the caller promises it.
        let config = unsafe { read(config) }?;
        // SAFETY: the caller promises it.
        let notify = unsafe { Callback::new(config.notify, config.notify_context) };
        let Checked {
            input,
            output,
            framing,
            resume,
            notify,
        } = config.check(notify)?;
        let mapped = |region: Option<config::Region>| -> Result<_, Code> {
            match region {
                // SAFETY: the caller promises it of both regions.
                Some(region) => Ok(Some((unsafe { Mapped::new(&region) }?, region.protocol))),
                None => Ok(None),
            }
        };
        Endpoint::new(mapped(input)?, mapped(output)?, framing, resume, notify)
    };
    // SAFETY: the caller promises it.
    match unsafe { handle::fill(link, open) } {
        Ok(()) => Code::Ok,
        Err(code) => code,
    }
}

/// Closes a link: ends its epoch, if one runs, and rings. The memory can be used anew.
///
/// # Safety
///
/// `link` points to a `muennet_link` that was zeroed or opened.
#[no_mangle]
pub unsafe extern "C" fn muennet_close(link: *mut Link) -> Code {
    // SAFETY: the caller promises it.
    unsafe { handle::close(link, Endpoint::deactivate) }
}

/// Comes up, or comes up anew: passes over what the peer sent before, starts an epoch of the
/// output and rings.
///
/// `epoch` is not 0 and should be random: the peer notices a restart by its change.
///
/// # Safety
///
/// `link` points to a `muennet_link` that was zeroed or opened.
#[no_mangle]
pub unsafe extern "C" fn muennet_activate(link: *mut Link, epoch: u64) -> Code {
    let Some(epoch) = NonZeroU64::new(epoch) else {
        return Code::ZeroEpoch;
    };
    // SAFETY: the caller promises it.
    unsafe {
        handle::enter(link, |endpoint| {
            endpoint.activate(epoch);
            Code::Ok
        })
    }
}

/// Ends the epoch of the output, if one runs, and rings. Frames that the peer has not received
/// yet may be lost to it.
///
/// # Safety
///
/// `link` points to a `muennet_link` that was zeroed or opened.
#[no_mangle]
pub unsafe extern "C" fn muennet_deactivate(link: *mut Link) -> Code {
    // SAFETY: the caller promises it.
    unsafe {
        handle::enter(link, |endpoint| {
            endpoint.deactivate();
            Code::Ok
        })
    }
}

/// Stops sending, if an epoch runs, and rings; the epoch stays in the channel, so that the peer
/// can receive all that was sent. It does not notice the end.
///
/// # Safety
///
/// `link` points to a `muennet_link` that was zeroed or opened.
#[no_mangle]
pub unsafe extern "C" fn muennet_detach(link: *mut Link) -> Code {
    // SAFETY: the caller promises it.
    unsafe {
        handle::enter(link, |endpoint| {
            endpoint.detach();
            Code::Ok
        })
    }
}

/// Sends one frame and rings.
///
/// `parts` are `count` fragments, at most `MUENNET_PARTS`, which are copied one behind the other
/// into the channel. `mark` is sent in the mode `MUENNET_MODE_NET_HDR` alone. A frame always
/// fits: a peer that is too slow loses the oldest.
///
/// # Safety
///
/// `link` points to a `muennet_link` that was zeroed or opened, `parts` to `count` fragments
/// whose bytes can be read.
#[no_mangle]
pub unsafe extern "C" fn muennet_send(
    link: *mut Link,
    parts: *const Slice,
    count: usize,
    mark: u32,
) -> Code {
    // SAFETY: the caller promises it.
    unsafe {
        match count {
            1 => send::<1>(link, parts, count, mark),
            0..=FEW => send::<FEW>(link, parts, count, mark),
            _ => send::<PARTS>(link, parts, count, mark),
        }
    }
}

/// As [`muennet_send`], with up to `N` fragments.
///
/// # Safety
///
/// As for [`muennet_send`].
#[inline]
unsafe fn send<const N: usize>(
    link: *mut Link,
    parts: *const Slice,
    count: usize,
    mark: u32,
) -> Code {
    let mut copies = Parts::<N>::new();
    // SAFETY: the caller promises it for the time of this call.
    let range = or_return!(unsafe { copies.add(parts, count) });
    let packet = framing::Packet::of_parts(copies.get(range)).with_meta(Meta { mark });
    // SAFETY: the caller promises it.
    unsafe {
        handle::enter(link, |endpoint| match endpoint.write(&packet) {
            Code::Ok => endpoint.notify(),
            code => code,
        })
    }
}

/// Sends frames together and rings once: the peer sees all of them or none yet.
///
/// `packets` are `count` frames, at most `MUENNET_BATCH`, with at most `MUENNET_PARTS` fragments
/// in all. If one cannot be sent, none is; then `*failed` is its place, counted from 0, unless
/// `failed` is null. Without frames nothing is rung.
///
/// # Safety
///
/// `link` points to a `muennet_link` that was zeroed or opened, `packets` to `count` frames of
/// which all fields are written, `failed` to a `size_t` or nowhere.
#[no_mangle]
pub unsafe extern "C" fn muennet_send_batch(
    link: *mut Link,
    packets: *const Packet,
    count: usize,
    failed: *mut usize,
) -> Code {
    // SAFETY: the caller promises it.
    unsafe { batch(link, packets, count, failed, true) }
}

/// As `muennet_send_batch`, without ringing: call `muennet_notify` behind the last batch.
///
/// # Safety
///
/// As for `muennet_send_batch`.
#[no_mangle]
pub unsafe extern "C" fn muennet_write_batch(
    link: *mut Link,
    packets: *const Packet,
    count: usize,
    failed: *mut usize,
) -> Code {
    // SAFETY: the caller promises it.
    unsafe { batch(link, packets, count, failed, false) }
}

/// Writes the frames, and rings if it is to `ring`.
///
/// # Safety
///
/// As for [`muennet_send_batch`].
unsafe fn batch(
    link: *mut Link,
    packets: *const Packet,
    count: usize,
    failed: *mut usize,
    ring: bool,
) -> Code {
    // SAFETY: the caller promises it.
    let mut failed = or_return!(unsafe { Out::optional(failed) });
    // SAFETY: the caller promises it; they are read alone.
    let packets =
        or_return!(unsafe { Array::new(packets.cast_mut(), count, BATCH, Code::TooManyFrames) });
    let mut refuse = |index, code| {
        if let Some(failed) = &mut failed {
            failed.put(index);
        }
        code
    };
    let mut parts = Parts::<PARTS>::new();
    let mut ranges = [const { 0..0 }; BATCH];
    for (index, range) in ranges.iter_mut().enumerate().take(packets.count()) {
        let Some(packet) = packets.get(index) else {
            break;
        };
        if packet.flags & !PACKET_CHECKSUM != 0 {
            return refuse(index, Code::UnknownFlag);
        }
        // SAFETY: the caller promises it for the time of this call.
        match unsafe { parts.add(packet.parts, packet.count) } {
            Ok(added) => *range = added,
            Err(code) => return refuse(index, code),
        }
    }
    let mut all = [const { None }; BATCH];
    for (index, (place, range)) in all.iter_mut().zip(ranges).enumerate() {
        let Some(packet) = packets.get(index) else {
            break;
        };
        let meta = Meta { mark: packet.mark };
        let whole = framing::Packet::of_parts(parts.get(range)).with_meta(meta);
        *place = Some(if packet.flags & PACKET_CHECKSUM != 0 {
            whole.with_checksum(Checksum {
                start: packet.checksum_start,
                offset: packet.checksum_offset,
            })
        } else {
            whole
        });
    }
    let empty = framing::Packet::new(&[]);
    let all = all.map(|packet| packet.unwrap_or(empty));
    let all = all.get(..packets.count()).unwrap_or_default();
    // SAFETY: the caller promises it.
    unsafe {
        handle::enter(link, |endpoint| match endpoint.write_batch(all) {
            Ok(()) if ring && !all.is_empty() => endpoint.notify(),
            Ok(()) => Code::Ok,
            Err((index, code)) => refuse(index, code),
        })
    }
}

/// Rings the peer's event: calls the notifier of the configuration.
///
/// # Safety
///
/// `link` points to a `muennet_link` that was zeroed or opened.
#[no_mangle]
pub unsafe extern "C" fn muennet_notify(link: *mut Link) -> Code {
    // SAFETY: the caller promises it.
    unsafe { handle::enter(link, |endpoint| endpoint.notify()) }
}

/// Receives at most one frame.
///
/// The frame is copied to `buffer`, which has `room` bytes; `muennet_info` says how many suffice.
/// `frame` is written with every result of a link that is open.
///
/// Returns `MUENNET_RESULT_OK` if a frame lies in the buffer, `MUENNET_RESULT_EMPTY` or
/// `MUENNET_RESULT_INACTIVE` if there is nothing to do, or a code for something that happened:
/// a new epoch, frames that are lost or rejected, a fault of the peer. After those call again;
/// a fault lasts until the peer starts a new epoch. Only after `MUENNET_RESULT_OK` do the bytes
/// of the buffer count. Each call does a bounded amount of work, whatever the peer does.
///
/// # Safety
///
/// `link` points to a `muennet_link` that was zeroed or opened, `buffer` to `room` bytes outside
/// of the regions that can be written and that nothing else accesses during the call, `frame`
/// to a `muennet_frame`.
#[no_mangle]
pub unsafe extern "C" fn muennet_receive(
    link: *mut Link,
    buffer: *mut c_void,
    room: usize,
    frame: *mut Frame,
) -> Code {
    // SAFETY: the caller promises it of both.
    let (mut frame, mut room) = unsafe {
        (
            or_return!(Out::new(frame)),
            or_return!(Room::new(buffer.cast(), room)),
        )
    };
    // SAFETY: the caller promises it.
    unsafe {
        handle::enter(link, |endpoint| {
            let (received, code) = endpoint.receive(&mut room);
            frame.put(received);
            code
        })
    }
}

/// Receives up to `count` frames with one look at the peer's counters before and one after.
///
/// `arrivals` are `count` places, at most `MUENNET_BATCH`, whose `buffer` and `room` the caller
/// fills in. Of an open link, the call writes `frame` and `result` of each, and `burst`.
///
/// Returns `MUENNET_RESULT_OK` if elements were taken: then the result of each arrival says
/// whether a frame lies in its buffer. Other results are those of `muennet_receive`, and no
/// arrival has a frame.
///
/// # Safety
///
/// `link` points to a `muennet_link` that was zeroed or opened, `arrivals` to `count` arrivals
/// that can be written, the buffer of each to as many bytes as its room says, outside of the
/// regions, which nothing else accesses during the call, `burst` to a `muennet_burst`.
#[no_mangle]
pub unsafe extern "C" fn muennet_receive_burst(
    link: *mut Link,
    arrivals: *mut Arrival,
    count: usize,
    burst: *mut Burst,
) -> Code {
    // SAFETY: the caller promises it of both.
    let (mut burst, mut arrivals) = unsafe {
        (
            or_return!(Out::new(burst)),
            or_return!(Array::new(arrivals, count, BATCH, Code::TooManyFrames)),
        )
    };
    // SAFETY: the caller promises it.
    unsafe {
        handle::enter(link, |endpoint| {
            let (taken, code) = if arrivals.count() <= SHORT {
                endpoint.receive_burst::<SHORT>(&mut arrivals)
            } else {
                endpoint.receive_burst::<BATCH>(&mut arrivals)
            };
            burst.put(taken);
            code
        })
    }
}

/// Asks whether a receive call has something to say: `MUENNET_RESULT_OK` if so, else
/// `MUENNET_RESULT_EMPTY`. Ask before going to sleep.
///
/// # Safety
///
/// `link` points to a `muennet_link` that was zeroed or opened.
#[no_mangle]
pub unsafe extern "C" fn muennet_pending(link: *mut Link) -> Code {
    // SAFETY: the caller promises it.
    unsafe { handle::enter(link, |endpoint| endpoint.pending()) }
}

/// Looks at the peer: `MUENNET_RESULT_OK` while it is up, `MUENNET_RESULT_INACTIVE` while it is
/// down, a fault if its header is impossible. The carrier of an interface is on while it is up.
///
/// `*epoch` is the peer's epoch, or 0, unless `epoch` is null. A new epoch is still reported by
/// the next receive call.
///
/// # Safety
///
/// `link` points to a `muennet_link` that was zeroed or opened, `epoch` to a `uint64_t` or
/// nowhere.
#[no_mangle]
pub unsafe extern "C" fn muennet_peer(link: *mut Link, epoch: *mut u64) -> Code {
    // SAFETY: the caller promises it.
    let mut epoch = or_return!(unsafe { Out::optional(epoch) });
    // SAFETY: the caller promises it.
    unsafe {
        handle::enter(link, |endpoint| {
            let said = endpoint.peer();
            if let Some(epoch) = &mut epoch {
                epoch.put(if said.code == Code::Ok { said.found } else { 0 });
            }
            said.code
        })
    }
}

/// Copies the counters of a link.
///
/// # Safety
///
/// `link` points to a `muennet_link` that was zeroed or opened, `counters` to a
/// `muennet_counters`.
#[no_mangle]
pub unsafe extern "C" fn muennet_counters(link: *mut Link, counters: *mut Counters) -> Code {
    // SAFETY: the caller promises it.
    let mut counters = or_return!(unsafe { Out::new(counters) });
    // SAFETY: the caller promises it.
    unsafe {
        handle::enter(link, |endpoint| {
            counters.put(endpoint.counters());
            Code::Ok
        })
    }
}

/// Tells the sizes of a link.
///
/// # Safety
///
/// `link` points to a `muennet_link` that was zeroed or opened, `info` to a `muennet_info`.
#[no_mangle]
pub unsafe extern "C" fn muennet_info(link: *mut Link, info: *mut Info) -> Code {
    // SAFETY: the caller promises it.
    let mut info = or_return!(unsafe { Out::new(info) });
    // SAFETY: the caller promises it.
    unsafe {
        handle::enter(link, |endpoint| {
            info.put(endpoint.info());
            Code::Ok
        })
    }
}

/// Tells how many bytes a region needs for `elements` elements of a mode: `*size` is a multiple
/// of 8, header included.
///
/// Returns `MUENNET_RESULT_REGION_WRAPS` if that is more than there can be.
///
/// # Safety
///
/// `size` points to a `size_t`.
#[no_mangle]
pub unsafe extern "C" fn muennet_region_size(
    mode: u32,
    mtu: u16,
    elements: usize,
    size: *mut usize,
) -> Code {
    // SAFETY: the caller promises it.
    let mut size = or_return!(unsafe { Out::new(size) });
    let framing = or_return!(config::framing(mode, mtu));
    let bytes = framing
        .element_size()
        .checked_mul(elements)
        .and_then(|bytes| bytes.checked_add(HEADER_SIZE))
        .and_then(|bytes| bytes.checked_next_multiple_of(8));
    match bytes {
        Some(bytes) => {
            size.put(bytes);
            Code::Ok
        }
        None => Code::RegionWraps,
    }
}
