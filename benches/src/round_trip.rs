// SPDX-License-Identifier: MIT OR Apache-2.0
//! There and back between two polling processes: a cache line, and a frame.

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
    sync::atomic::{AtomicU64, Ordering},
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

/// Who begins.
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
