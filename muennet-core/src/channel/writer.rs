// SPDX-License-Identifier: MIT OR Apache-2.0
//! The writing end of a channel.

use super::cursor::Cursor;
use super::layout::{field, TRANSPORT};
use super::{Geometry, GeometryError, Slot};
use crate::shm::{MemoryMut, Region, Site};
use core::num::NonZeroU64;

/// Writes elements into a channel.
///
/// A writer is *inactive* (epoch 0 in the header) until [`activate`](Self::activate)
/// and again after [`deactivate`](Self::deactivate) or when it is dropped, unless it
/// [detached](Self::detach) before.
/// Counters and geometry live here, in private memory; the header is written
/// and never read.
///
/// ```
/// # use core::{cell::UnsafeCell, ptr::NonNull};
/// # use muennet_core::shm::{Memory, MemoryMut};
/// # #[derive(Clone, Copy)]
/// # struct Words(&'static [UnsafeCell<u64>]);
/// # impl Words {
/// #     fn new(count: usize) -> Self {
/// #         let words: Box<[_]> = (0..count).map(|_| UnsafeCell::new(0)).collect();
/// #         Self(Box::leak(words))
/// #     }
/// # }
/// # // SAFETY: the words are there for ever, and nothing but the channel touches them.
/// # unsafe impl Memory for Words {
/// #     fn base(&self) -> NonNull<u8> { NonNull::from(self.0).cast() }
/// #     fn len(&self) -> usize { size_of_val(self.0) }
/// # }
/// # // SAFETY: cells may be written, and there is one writer.
/// # unsafe impl MemoryMut for Words {}
/// use core::num::NonZeroU64;
/// use muennet_core::channel::{Peer, Read, Reader, Writer};
///
/// let memory = Words::new(512);
/// let (protocol, epoch) = (NonZeroU64::MIN, NonZeroU64::new(0x5eed).unwrap());
/// let mut reader = Reader::new(memory, protocol, 16)?;
/// let mut writer = Writer::new(memory, protocol, 16)?;
/// writer.activate(epoch);
/// assert_eq!(reader.peer(), Peer::Up { epoch: 0x5eed });
/// writer.write(|slot| {
///     slot.put(0, &b"hello"[..]);
/// });
/// let mut bytes = [0; 5];
/// let read = loop {
///     match reader.read(|element| element.copy_out(0, &mut bytes)) {
///         Read::NewEpoch { .. } => {}
///         read => break read,
///     }
/// };
/// assert!(matches!(read, Read::Taken(true)));
/// assert_eq!(&bytes, b"hello");
/// # Ok::<(), muennet_core::channel::GeometryError>(())
/// ```
#[derive(Debug)]
pub struct Writer<M: MemoryMut> {
    region: Region<M>,
    protocol: NonZeroU64,
    geometry: Geometry,
    written: Cursor,
    epoch: Option<NonZeroU64>,
    last_epoch: u64,
}

impl<M: MemoryMut> Writer<M> {
    /// Takes over a channel's memory for elements of `element_size` bytes.
    /// The memory is not written before the writer starts.
    ///
    /// # Errors
    ///
    /// [`GeometryError`] when no element fits.
    pub fn new(
        memory: M,
        protocol: NonZeroU64,
        element_size: usize,
    ) -> Result<Self, GeometryError> {
        let region = Region::new(memory)?;
        let geometry = Geometry::fill(region.len(), element_size)?;
        Ok(Self {
            region,
            protocol,
            geometry,
            written: Cursor::START,
            epoch: None,
            last_epoch: 0,
        })
    }

    /// Starts a new epoch: an empty channel with a fresh header.
    ///
    /// `epoch` should be random, so that a reader tells this start from any
    /// earlier one; if it repeats this writer's last one, the next number is taken.
    pub fn activate(&mut self, epoch: NonZeroU64) {
        let epoch = if epoch.get() == self.last_epoch {
            epoch.checked_add(1).unwrap_or(NonZeroU64::MIN)
        } else {
            epoch
        };
        self.region.store(field::EPOCH, 0);
        // A reader that sees any of what follows sees the epoch gone, too.
        self.region.release(Site::EpochGoneThenHeader);
        self.region.store(field::TRANSPORT, TRANSPORT);
        self.region.store(field::PROTOCOL, self.protocol.get());
        // CAST: usize is at most 64 bits on every target.
        let size = self.geometry.element_size() as u64;
        self.region.store(field::SIZE, size);
        self.region.store(field::ELEMENTS, self.geometry.elements());
        self.region.store(field::RESERVED, 0);
        self.region.store(field::WRITE_START, 0);
        self.region.store(field::WRITTEN, 0);
        self.region.clear_data();
        self.written = Cursor::START;
        // A reader that sees the epoch sees all of the header.
        self.region.release(Site::HeaderThenNewEpoch);
        self.region.store(field::EPOCH, epoch.get());
        self.epoch = Some(epoch);
        self.last_epoch = epoch.get();
    }

    /// Ends the epoch: readers see an inactive channel.
    pub fn deactivate(&mut self) {
        self.region.store(field::EPOCH, 0);
        self.epoch = None;
    }

    /// Stops writing, and leaves the epoch in the header: readers can still take the
    /// elements that they have not read, and go on to see a peer that is up.
    ///
    /// After [`deactivate`](Self::deactivate) they cannot.
    pub fn detach(&mut self) {
        self.epoch = None;
    }

    /// The running epoch, if any.
    #[inline]
    pub fn epoch(&self) -> Option<NonZeroU64> {
        self.epoch
    }

    /// Element size and count.
    #[inline]
    pub fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// Elements written since the epoch began.
    #[inline]
    pub fn written(&self) -> u64 {
        self.written.count()
    }

    /// Writes one element by `fill` and publishes it.
    ///
    /// Bytes that `fill` does not touch keep what this channel held there before.
    /// While inactive this does nothing and `fill` is not called.
    #[inline]
    pub fn write(&mut self, fill: impl FnOnce(&mut Slot<'_, M>)) {
        if self.epoch.is_none() {
            return;
        }
        let mut at = self.written;
        self.start(1);
        fill(&mut self.slot(&at));
        at.advance(&self.geometry);
        self.publish(at);
    }

    /// Writes `count` elements, each by one call of `fill` in order, and publishes
    /// them together: the header is touched twice instead of twice an element.
    ///
    /// Their slots are given up as a whole when the first is begun, so that a
    /// reader more than `elements - count` behind loses what lies there. More
    /// elements than the channel has go in steps of all it has.
    ///
    /// While inactive this does nothing and `fill` is not called.
    #[inline]
    pub fn write_batch(&mut self, count: u64, mut fill: impl FnMut(&mut Slot<'_, M>)) {
        if self.epoch.is_none() {
            return;
        }
        let mut left = count;
        while left > 0 {
            let step = left.min(self.geometry.elements());
            let mut at = self.written;
            self.start(step);
            for _ in 0..step {
                fill(&mut self.slot(&at));
                at.advance(&self.geometry);
            }
            self.publish(at);
            left -= step;
        }
    }

    /// Says that the writing of `count` elements begins.
    #[inline]
    fn start(&mut self, count: u64) {
        let started = self.written.count().wrapping_add(count);
        self.region.store(field::WRITE_START, started);
        // No byte of the elements is seen without the new start count.
        self.region.release(Site::StartThenElement);
    }

    #[inline]
    fn slot(&mut self, at: &Cursor) -> Slot<'_, M> {
        Slot::new(&mut self.region, &self.geometry, at)
    }

    /// Says that all elements before `end` are written.
    #[inline]
    fn publish(&mut self, end: Cursor) {
        // The new count is not seen without the elements' bytes.
        self.region.release(Site::ElementThenWritten);
        self.region.store(field::WRITTEN, end.count());
        self.written = end;
    }
}

impl<M: MemoryMut> Drop for Writer<M> {
    fn drop(&mut self) {
        if self.epoch.is_some() {
            self.deactivate();
        }
    }
}
