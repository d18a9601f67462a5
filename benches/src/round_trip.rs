// SPDX-License-Identifier: MIT OR Apache-2.0
//! There and back between two polling processes: a cache line, a frame by hand, and
//! a frame.

use anyhow::{bail, ensure, Context, Result};
use muennet_core::{
    framing::{Ethernet, Meta},
    link::{Link, Received},
    notify::Notifier,
    shm::{Memory, MemoryMut},
};
use muennet_host::mapping::Output;
use std::{
    fs::OpenOptions,
    hint::spin_loop,
    path::Path,
    sync::atomic::{fence, AtomicU16, AtomicU32, AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// Bytes of a frame.
const FRAME: usize = 64;
/// After so many looks in vain, some seconds, the other side is gone.
const PATIENCE: u32 = 1 << 30;
/// Trips before the time is taken.
const WARM: u64 = 10_000;
/// Bytes from one side's line to the other's: neighbours are fetched in pairs.
const APART: usize = 256;

/// The side that begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Sends, and waits for the answer.
    Asks,
    /// Sends back what comes.
    Answers,
}

/// A word in a line of its own for each side, in a file both map.
struct Lines {
    _own: Output,
    mine: *const AtomicU64,
    theirs: *const AtomicU64,
}

impl Lines {
    fn new(path: &Path, side: Side) -> Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let own = Output::new(&file, 0, file.metadata()?.len() as usize)?;
        ensure!(own.len() >= 2 * APART, "the file is too short");
        let base = own.base().as_ptr().cast_const();
        let line = |index: usize| base.wrapping_add(index * APART).cast::<AtomicU64>();
        let (mine, theirs) = match side {
            Side::Asks => (line(0), line(1)),
            Side::Answers => (line(1), line(0)),
        };
        Ok(Self {
            _own: own,
            mine,
            theirs,
        })
    }

    #[inline]
    fn say(&self, value: u64) {
        // SAFETY: an aligned word of the mapping, which lives as long as `self`.
        unsafe { &*self.mine }.store(value, Ordering::Release);
    }

    #[inline]
    fn hear(&self, value: u64) -> Result<()> {
        for _ in 0..PATIENCE {
            // SAFETY: as in `say`.
            if unsafe { &*self.theirs }.load(Ordering::Acquire) == value {
                return Ok(());
            }
            spin_loop();
        }
        bail!("the other side is gone")
    }
}

/// A counter in a cache line, there and back: what the cores themselves take.
pub fn line(path: &Path, side: Side, trips: u64) -> Result<Duration> {
    let lines = Lines::new(path, side)?;
    let run = |from: u64, to: u64| -> Result<()> {
        for value in from..to {
            match side {
                Side::Asks => {
                    lines.say(value);
                    lines.hear(value)?;
                }
                Side::Answers => {
                    lines.hear(value)?;
                    lines.say(value);
                }
            }
        }
        Ok(())
    };
    run(1, WARM)?;
    let start = Instant::now();
    run(WARM, WARM + trips)?;
    Ok(start.elapsed())
}

/// A channel without muennet-core: its counters and elements where they belong, and
/// nothing checked, mapped into both processes.
struct ByHand {
    memory: Output,
    elements: u64,
}

impl ByHand {
    /// Bytes of an element, and where in it the length is.
    const SIZE: usize = 1516;
    const LENGTH: usize = 1514;
    /// Where the first element is, and the header's fields.
    const FIRST: usize = 64;
    const EPOCH: usize = 8;
    const START: usize = 48;
    const WRITTEN: usize = 56;

    fn new(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let memory = Output::new(&file, 0, file.metadata()?.len() as usize)?;
        let room = memory.len().checked_sub(Self::FIRST);
        let elements = room.context("the file is too short")? / Self::SIZE;
        ensure!(elements > 0, "the file is too short");
        Ok(Self {
            memory,
            elements: elements as u64,
        })
    }

    fn at<T>(&self, offset: usize) -> &T {
        // SAFETY: atomics only, as the callers ask for; aligned to four bytes at least in
        // an element, to eight in the header; the file holds header and elements.
        unsafe { &*self.memory.base().as_ptr().add(offset).cast::<T>() }
    }

    fn counter(&self, field: usize) -> &AtomicU64 {
        self.at(field)
    }

    /// The first words of an element, and its length.
    #[inline]
    fn element(&self, count: u64) -> (&[AtomicU32; FRAME / 4], &AtomicU16) {
        let offset = Self::FIRST + (count % self.elements) as usize * Self::SIZE;
        (self.at(offset), self.at(offset + Self::LENGTH))
    }

    #[inline]
    fn write(&self, count: u64) {
        self.counter(Self::START).store(count, Ordering::Relaxed);
        fence(Ordering::Release);
        let (words, length) = self.element(count);
        for word in words {
            word.store(count as u32, Ordering::Relaxed);
        }
        length.store(FRAME as u16, Ordering::Relaxed);
        fence(Ordering::Release);
        self.counter(Self::WRITTEN).store(count, Ordering::Relaxed);
    }

    #[inline]
    fn read(&self, count: u64) -> Result<()> {
        let current = || self.counter(Self::EPOCH).load(Ordering::Relaxed) == 0;
        let mut looks = 0..PATIENCE;
        while !current() || self.counter(Self::WRITTEN).load(Ordering::Relaxed) != count {
            ensure!(looks.next().is_some(), "the other side is gone");
            spin_loop();
        }
        fence(Ordering::Acquire);
        let (words, length) = self.element(count);
        let whole = length.load(Ordering::Relaxed) == FRAME as u16;
        let mut same = true;
        for word in words {
            same &= word.load(Ordering::Relaxed) == count as u32;
        }
        fence(Ordering::Acquire);
        let started = self.counter(Self::START).load(Ordering::Relaxed);
        ensure!(
            whole && same && started == count && current(),
            "another element came"
        );
        Ok(())
    }
}

/// The same by hand, in elements of channels: what the protocol itself takes.
pub fn by_hand(there: &Path, back: &Path, side: Side, trips: u64) -> Result<Duration> {
    let (there, back) = (ByHand::new(there)?, ByHand::new(back)?);
    let run = |from: u64, to: u64| -> Result<()> {
        for count in from..to {
            match side {
                Side::Asks => {
                    there.write(count);
                    back.read(count)?;
                }
                Side::Answers => {
                    there.read(count)?;
                    back.write(count);
                }
            }
        }
        Ok(())
    };
    run(1, WARM)?;
    let start = Instant::now();
    run(WARM, WARM + trips)?;
    Ok(start.elapsed())
}

/// A frame of 64 bytes, there and back, copied out and in at each side.
pub fn frame<R: Memory, W: MemoryMut, N: Notifier>(
    link: &mut Link<R, W, Ethernet, N>,
    side: Side,
    trips: u64,
) -> Result<Duration> {
    link.tx.activate(muennet_host::epoch::random());
    let mut buffer = [0; FRAME];
    let mut trip = |value: u64| -> Result<()> {
        if side == Side::Asks {
            buffer[..8].copy_from_slice(&value.to_le_bytes());
            link.tx.write(&[&buffer], Meta::default())?;
        }
        let mut looks = 0..PATIENCE;
        loop {
            match link.rx.receive(&mut &mut buffer[..]) {
                Received::Frame(frame) => {
                    ensure!(frame.len == FRAME, "a frame of {} bytes", frame.len);
                    break;
                }
                Received::Empty | Received::Inactive | Received::NewEpoch { .. } => {
                    ensure!(looks.next().is_some(), "the other side is gone");
                    spin_loop();
                }
                other => bail!("instead of a frame: {other:?}"),
            }
        }
        if side == Side::Answers {
            link.tx.write(&[&buffer], Meta::default())?;
        } else {
            let back = buffer.first_chunk().context("eight bytes")?;
            ensure!(
                u64::from_le_bytes(*back) == value,
                "another frame came back"
            );
        }
        Ok(())
    };
    for value in 0..WARM {
        trip(value)?;
    }
    let start = Instant::now();
    for value in WARM..WARM + trips {
        trip(value)?;
    }
    Ok(start.elapsed())
}
