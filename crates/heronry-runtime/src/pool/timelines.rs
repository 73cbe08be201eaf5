//! The starts of timelines, with the reasons that their records say.

use heronry_journal::{Body, EpochStarted};
use heronry_store::{ReadError, Store, StoreError, StoreErrorKind};
use heronry_types::{PoolId, Position, TimelineStart};

use crate::Pool;

/// The start of a timeline of a pool, with its record.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct StartedTimeline {
    /// The epoch, and the position of its first record.
    pub start: TimelineStart,
    /// The record that starts it. `None` for the first timeline, which begins with the pool, and when the record
    /// was trimmed.
    pub record: Option<EpochStarted>,
}

impl Pool {
    /// Returns the newest `max` timelines of the journal, oldest first. A chunk is read for each but the first
    /// timeline of all.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn started_timelines(&self, max: usize) -> Result<Vec<StartedTimeline>, StoreError> {
        let starts: Vec<_> = self.timelines().iter().collect();
        let left_out = starts.len().saturating_sub(max);
        let store = &self.shared().environment.store;
        let mut started = Vec::new();
        for (number, start) in starts.into_iter().enumerate().skip(left_out) {
            let record = match number {
                0 => None,
                _ => start_of_timeline(store, self.id(), start.at).await?,
            };
            started.push(StartedTimeline { start, record });
        }
        Ok(started)
    }
}

/// Returns the record that starts a timeline at a position; `None` when it is trimmed, or its pool is being
/// deleted.
pub(crate) async fn start_of_timeline(
    store: &Store,
    pool: &PoolId,
    at: Position,
) -> Result<Option<EpochStarted>, StoreError> {
    let page = match store.journal.read(pool, at.previous(), 1).await {
        Ok(page) => page,
        Err(ReadError::NoPool | ReadError::Trimmed { .. }) => return Ok(None),
        Err(ReadError::Store(error)) => return Err(error),
    };
    let Some(chunk) = page.chunks.first() else {
        return Ok(None);
    };
    let damaged = |error| {
        let what = format!("the start of a timeline at {at} cannot be read");
        StoreError::new(StoreErrorKind::Corrupt, "read", what).with_source(error)
    };
    let record = chunk.record(at).map_err(damaged)?;
    Ok(if let Body::EpochStarted(started) = record.entry.body {
        Some(started)
    } else {
        None
    })
}
