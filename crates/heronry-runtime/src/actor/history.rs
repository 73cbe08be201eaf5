//! Reading the journal for records that are matched again since the pool was opened.

use heronry_journal::{Chunk, Record};
use heronry_store::{ReadError, StoreError, StoreErrorKind};
use heronry_types::Position;

use super::{Flow, PoolActor};
use crate::StopReason;

/// The most bytes of the journal in one read, beside the first chunk.
const PAGE_BYTES: usize = 256 * 1024;
/// The most records that are decoded at once.
const RECORDS_AT_ONCE: usize = 64;

impl PoolActor {
    /// Matches records that wait, for one slice.
    pub(super) async fn match_more(&mut self) -> Flow {
        if let Err(why) = self.read_history().await {
            return Flow::Stop(why);
        }
        self.engine.match_more();
        Flow::Go
    }

    /// Reads the records that are matched next, when those are not in memory.
    pub(super) async fn read_history(&mut self) -> Result<(), StopReason> {
        let Some(after) = self.engine.reads_after() else {
            if !self.engine.is_behind() {
                self.history.clear();
            }
            return Ok(());
        };
        if !self.history.iter().any(|chunk| follows(chunk, after)) {
            let journal = &self.store.journal;
            let page = journal.read(&self.pool, after, PAGE_BYTES).await;
            self.history = page.map_err(|error| self.unreadable(&error))?.chunks;
        }
        let chunk = self.history.iter().find(|chunk| follows(chunk, after));
        let Some(chunk) = chunk else {
            tracing::error!(pool = %self.pool, %after, "the store shows nothing after it");
            return Err(StopReason::StoreFenced(StoreErrorKind::Corrupt));
        };
        let records = chunk.records_after(after).take(RECORDS_AT_ONCE);
        let records: Result<Vec<Record>, _> = records.collect();
        let records = records.map_err(|error| self.unreadable(&error))?;
        self.engine.put_read(records);
        Ok(())
    }

    /// Says that the journal cannot be read, and why: a store that failed, or damage.
    pub(super) fn unreadable(&self, error: &(dyn std::error::Error + 'static)) -> StopReason {
        tracing::error!(pool = %self.pool, %error, "journal cannot be read");
        let failed = match error.downcast_ref::<ReadError>() {
            Some(ReadError::Store(failed)) => Some(failed),
            Some(_) | None => None,
        };
        let cause = failed.map_or(StoreErrorKind::Corrupt, StoreError::cause);
        StopReason::StoreFenced(cause)
    }
}

/// Returns true when the record after `after` stands in a chunk.
fn follows(chunk: &Chunk, after: Position) -> bool {
    (chunk.first()..=chunk.last()).contains(&after.next())
}
