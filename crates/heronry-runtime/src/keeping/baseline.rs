//! The point that a trim can move the floor to, and the baseline before it.

use heronry_journal::{Baseline, BaselinePoint};
use heronry_pool::{ENCODING_VERSION, Rejection, TrimNote, locate};
use heronry_store::{Head, JournalExt, ReadError};
use heronry_types::{Millis, Position, Retention, Timestamp};

use super::{FoldEnd, Folds, JournalSizes, TrimError, TrimTo};

impl Folds {
    /// Returns where the journal stands.
    pub(crate) async fn head(&self) -> Result<Head, TrimError> {
        let head = self.store.journal.head(&self.pool).await?;
        Ok(head.ok_or(ReadError::NoPool)?)
    }

    /// Returns the first position that a trim is asked to keep.
    pub(crate) async fn asked(
        &self,
        to: TrimTo,
        now: Timestamp,
        sizes: &mut JournalSizes,
    ) -> Result<Position, TrimError> {
        let journal = &self.store.journal;
        let head = self.head().await?;
        match to {
            TrimTo::Upto(cursor) => {
                let timelines = journal.timelines(&self.pool).await?;
                let timelines = timelines.ok_or(ReadError::NoPool)?;
                let upto: Result<_, Rejection> = locate(&timelines, head.head, cursor);
                Ok(upto?.next())
            }
            TrimTo::Older(age) => self.first_younger(head, age, now).await,
            TrimTo::Kept(retention) => {
                let Retention {
                    age_ms,
                    bytes,
                    keep_min,
                } = retention;
                let young = match age_ms {
                    Some(age) => self.first_younger(head, age, now).await?,
                    None => head.floor,
                };
                let small = match bytes {
                    Some(bytes) => sizes.first_within(self, head, bytes).await?,
                    None => head.floor,
                };
                let kept = keep_min.unwrap_or(0);
                let kept = Position(head.head.0.saturating_sub(kept)).next();
                Ok(young.max(small).min(kept))
            }
        }
    }

    /// Returns the first position of the first chunk that is not older than this; the head when all are.
    async fn first_younger(
        &self,
        head: Head,
        age: Millis,
        now: Timestamp,
    ) -> Result<Position, TrimError> {
        let (mut from, mut to) = (head.floor, head.head);
        // Times rise with positions, so a few looks find it.
        while from < to {
            let middle = Position(from.0 + (to.0 - from.0) / 2);
            let page = self
                .store
                .journal
                .read(&self.pool, middle.previous(), 1)
                .await?;
            let Some(chunk) = page.chunks.first() else {
                break;
            };
            if now.since(chunk.header().recorded_at) > age {
                from = chunk.last().next();
            } else if chunk.first() > from {
                to = chunk.first();
            } else {
                return Ok(chunk.first());
            }
        }
        Ok(from.min(head.head))
    }

    /// Returns where the floor can be, at or below a position.
    pub(crate) async fn point(
        &self,
        before: Position,
        now: Timestamp,
    ) -> Result<BaselinePoint, TrimError> {
        let journal = &*self.store.journal;
        Ok(journal.trim_point(&self.pool, before, now).await?)
    }

    /// Folds the baseline of a point, for a trim that was decided at this head; nothing when the pool stops.
    pub(crate) async fn baseline(
        &self,
        point: BaselinePoint,
        decided: Position,
    ) -> Result<FoldEnd<Baseline>, TrimError> {
        let head = self.head().await?;
        let note = TrimNote {
            floor: point.floor,
            at: point.recorded_at,
            decided,
        };
        let until = point.floor.previous();
        let made = self.fold(head, until, move |mut folded| {
            folded.replay.trimmed(note);
            Baseline::new(point, ENCODING_VERSION, folded.replay.image())
        });
        Ok(made.await?)
    }
}
