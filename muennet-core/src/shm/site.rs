// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every fence of the protocol, by what it keeps in order.

/// The place of a fence. The release fences are the writer's, the acquire fences
/// the reader's; each is paired with the other side's fence that its doc names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Site {
    /// Release, activation: whoever sees part of a new header or a cleared
    /// element sees the old epoch gone. Pairs with `CopyThenStart`,
    /// `StartThenEpoch`, `WrittenThenCopy` and `HeaderThenEpoch`.
    EpochGoneThenHeader,
    /// Release, activation: whoever sees the epoch sees its header, counters and
    /// cleared elements. Pairs with `EpochThenHeader`.
    HeaderThenNewEpoch,
    /// Release, write: whoever sees a byte of the element sees that its writing
    /// began. Pairs with `CopyThenStart`.
    StartThenElement,
    /// Release, write: whoever sees the write count sees the element. Pairs with
    /// `WrittenThenCopy`, `ResumeThenCopy` and `RewindThenCopy`.
    ElementThenWritten,
    /// Acquire, read: the copy is as new as the write count.
    WrittenThenCopy,
    /// Acquire, read after an overrun: the next copy is as new as the write count
    /// that says where to resume.
    ResumeThenCopy,
    /// Acquire, going back: the next copy is as new as the write count that says how
    /// far.
    RewindThenCopy,
    /// Acquire, read: the start count is as new as the copy.
    CopyThenStart,
    /// Acquire, read: the epoch is as new as the start count, so that counters of
    /// the next epoch are not taken for a lie.
    StartThenEpoch,
    /// Acquire, following an epoch: the header is as new as the epoch.
    EpochThenHeader,
    /// Acquire, following an epoch: the second look at the epoch is as new as the
    /// header, so that half a header is not taken for a lie.
    HeaderThenEpoch,
}
