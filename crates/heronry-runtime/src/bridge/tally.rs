//! The tally of a bridge: what it has done so far.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The counts of a bridge.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct BridgeCounts {
    /// The number of events that were appended, ends of runs among them.
    pub appended: u64,
    /// The number of events that had been taken before, and of gaps that had been recorded before.
    pub repeated: u64,
    /// The number of events that the pool refuses, each with a gap.
    pub refused: u64,
    /// The number of events that came after a later one had been taken, each with a gap.
    pub late: u64,
    /// The number of events that the source said it had dropped.
    pub lagged: u64,
    /// The number of things in the source that could not be taken, each with a gap.
    pub unreadable: u64,
    /// The number of gaps that were recorded; one that was known before is a repeat.
    pub gaps: u64,
}

/// The present tally of a bridge, shared with its handle.
#[derive(Debug, Default)]
pub(super) struct BridgeTally {
    inner: Mutex<Counted>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    counts: BridgeCounts,
    accepted: u64,
    settled: u64,
    /// The number of items that were left when the bridge was aborted.
    left: Option<u64>,
}

impl BridgeTally {
    fn lock(&self) -> MutexGuard<'_, Counted> {
        // What is counted is whole at every moment.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an item that was taken from the source; false when the bridge was aborted.
    pub(super) fn accept(&self) -> bool {
        let mut inner = self.lock();
        inner.accepted += u64::from(inner.left.is_none());
        inner.left.is_none()
    }

    /// Counts items whose outcome is known.
    pub(super) fn settle(&self, items: u64, count: impl FnOnce(&mut BridgeCounts)) {
        let mut inner = self.lock();
        inner.settled += items;
        count(&mut inner.counts);
    }

    /// Marks the bridge as aborted, and returns how many items it leaves; every later time the same.
    pub(super) fn abort(&self) -> u64 {
        let mut inner = self.lock();
        let left = inner.accepted - inner.settled;
        *inner.left.get_or_insert(left)
    }

    /// Returns how many accepted items have no outcome.
    pub(super) fn left(&self) -> u64 {
        let inner = self.lock();
        inner.left.unwrap_or(inner.accepted - inner.settled)
    }

    pub(super) fn counts(&self) -> BridgeCounts {
        self.lock().counts
    }
}
