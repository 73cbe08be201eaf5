//! Facts about a pool that callers read without asking its actor.

use std::sync::{Arc, Mutex, PoisonError};

use heronry_journal::Record;
use heronry_types::{Limits, Retention, Settings};
use tokio::sync::watch;

use crate::figures::PoolCounts;

/// Facts about a pool that callers read without asking its actor.
///
/// They are durable, and they are published before any answer that was decided on them leaves.
#[derive(Debug)]
pub(crate) struct Published {
    limits: Mutex<Arc<Limits>>,
    counts: Mutex<PoolCounts>,
    retention: watch::Sender<Option<Retention>>,
}

impl Default for Published {
    fn default() -> Self {
        Self {
            limits: Mutex::default(),
            counts: Mutex::default(),
            retention: watch::Sender::new(None),
        }
    }
}

impl Published {
    /// Returns the limits that hold at the durable head.
    pub(crate) fn limits(&self) -> Arc<Limits> {
        let limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&limits)
    }

    /// Returns what tells how much of the journal is kept from now on.
    pub(crate) fn retention(&self) -> watch::Receiver<Option<Retention>> {
        self.retention.subscribe()
    }

    /// Publishes the settings of a record that is durable.
    pub(crate) fn set(&self, settings: &Settings) {
        let limits = Arc::new(settings.limits.clone());
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner) = limits;
        let retention = settings.retention;
        self.retention
            .send_if_modified(|now| std::mem::replace(now, retention) != retention);
    }

    /// Returns the counts up to the durable head.
    pub(crate) fn counts(&self) -> PoolCounts {
        let counts = self.counts.lock();
        counts.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts an append that is durable.
    pub(crate) fn note_append(&self, records: &[Record]) {
        self.counting(|counts| counts.note(records));
    }

    /// Counts a trim that is durable, by the number of records that it dropped.
    pub(crate) fn note_trim(&self, records: u64) {
        self.counting(|counts| counts.note_trim(records));
    }

    /// Counts reported events that had been taken before.
    pub(crate) fn note_repeats(&self, events: u64) {
        self.counting(|counts| counts.sources.repeated += events);
    }

    fn counting(&self, count: impl FnOnce(&mut PoolCounts)) {
        // Counts are numbers at every point, so a panic elsewhere cannot have broken them.
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        count(&mut counts);
    }
}
