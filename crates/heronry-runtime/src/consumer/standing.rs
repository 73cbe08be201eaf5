//! The consumers of a pool as they stand.

use heronry_event::filter::Fingerprint;
use heronry_store::{ConsumerId, StoreError};
use heronry_types::{Cursor, Millis, Timestamp};

use super::{ClaimTurn, ConsumerActivity};
use crate::Pool;

/// A consumer, as it is listed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConsumerView {
    /// The name.
    pub name: ConsumerId,
    /// The committed cursor.
    pub cursor: Cursor,
    /// The number of records after its cursor. `None` when the cursor is not of this journal, or
    /// ahead of it.
    pub lag: Option<u64>,
    /// The fingerprint of its filter.
    pub filter: Fingerprint,
    /// The generation of its last holder.
    pub generation: u64,
    /// The time of its last commit; `None` when no commit noted it.
    pub committed_at: Option<Timestamp>,
    /// The time after its last commit in which it keeps records from being trimmed.
    pub hold_for: Millis,
    /// The activity of its holder in this process.
    pub activity: ConsumerActivity,
}

impl Pool {
    /// Returns every consumer of the pool, in the order of their names.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn consumers(&self) -> Result<Vec<ConsumerView>, StoreError> {
        let cursors = &self.shared().environment.store.cursors;
        let listed = cursors.list(self.id()).await?;
        let views = listed.into_iter().map(|standing| {
            let stands = standing.cursor;
            ConsumerView {
                lag: self.lag(stands.cursor),
                cursor: stands.cursor,
                filter: Fingerprint::from_bytes(stands.filter.0),
                generation: stands.tenure.generation,
                committed_at: stands.tenure.committed_at,
                hold_for: stands.tenure.hold_for,
                activity: self.shared().holders.activity(&standing.consumer),
                name: standing.consumer,
            }
        });
        Ok(views.collect())
    }

    /// Forgets a consumer: its cursor and its projection are gone, and its holder commits no more. A
    /// repeat changes nothing.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn forget_consumer(&self, name: &ConsumerId) -> Result<(), StoreError> {
        let cursors = &self.shared().environment.store.cursors;
        let turn = ClaimTurn::take(&self.shared().holders, name).await;
        cursors.delete(self.id(), name).await?;
        turn.lose();
        turn.is_fresh();
        Ok(())
    }

    /// Lets the export of a parked consumer go on. Returns false when it is not parked in this process.
    pub fn resume_consumer(&self, name: &ConsumerId) -> bool {
        self.shared().holders.resume(name)
    }

    fn lag(&self, cursor: Cursor) -> Option<u64> {
        self.timelines().check(cursor).ok()?;
        self.head().position.0.checked_sub(cursor.position.0)
    }
}
