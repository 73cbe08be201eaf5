//! Methods that every journal has once it can read whole chunks.

use async_trait::async_trait;
use heronry_journal::{BaselinePoint, Record};
use heronry_types::{PoolId, Position, Timelines, Timestamp};

use crate::{Head, Journal, ReadError, StoreError, StoreErrorKind};

/// Records that follow a position.
#[derive(Clone, Debug)]
pub struct RecordPage {
    /// The records in order; at least one.
    pub records: Vec<Record>,
    /// The position of the last of them: where the next page begins.
    pub last: Position,
    /// The head of the journal.
    pub head: Head,
}

/// Conveniences over [`Journal`], for every adapter.
#[async_trait]
pub trait JournalExt: Journal {
    /// Returns the records after a position, from as many whole chunks as fit into `bytes_max`;
    /// nothing when none follows yet.
    ///
    /// # Errors
    /// As [`Journal::read`]; a record that cannot be read is [`StoreErrorKind::Corrupt`], or
    /// [`StoreErrorKind::NewerSchema`] when a newer build wrote it.
    async fn records(
        &self,
        pool: &PoolId,
        after: Position,
        bytes_max: usize,
    ) -> Result<Option<RecordPage>, ReadError> {
        let page = self.read(pool, after, bytes_max).await?;
        let records = page
            .chunks
            .iter()
            .flat_map(|chunk| chunk.records_after(after))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| unreadable(pool, error))?;
        Ok(records
            .last()
            .map(|last| last.position)
            .map(|last| RecordPage {
                records,
                last,
                head: page.head,
            }))
    }

    /// Returns the highest floor at or below `before` that a trim can move to: where a whole chunk begins. The
    /// last chunk always stays. It is the present floor when nothing more is to be dropped.
    ///
    /// # Errors
    /// As [`Journal::read`].
    async fn trim_point(
        &self,
        pool: &PoolId,
        before: Position,
        at: Timestamp,
    ) -> Result<BaselinePoint, ReadError> {
        let head = self.head(pool).await?.ok_or(ReadError::NoPool)?;
        let wanted = before.clamp(head.floor, head.head);
        let page = self.read(pool, wanted.previous(), 1).await?;
        let timelines = self.timelines(pool).await?.ok_or(ReadError::NoPool)?;
        let chunk = page.chunks.first().ok_or(ReadError::NoPool)?;
        let floor = chunk.first();
        Ok(BaselinePoint {
            floor,
            timelines: timelines_before(&timelines, floor),
            hash: chunk.header().previous,
            recorded_at: at,
        })
    }
}

/// Returns the timelines of the records before a floor.
fn timelines_before(timelines: &Timelines, floor: Position) -> Timelines {
    let mut before = Timelines::of(timelines.at(Position::ZERO));
    let starts = timelines.iter().take_while(|start| start.at < floor);
    starts.for_each(|start| before.start(start.at, start.epoch));
    before
}

impl<J: Journal + ?Sized> JournalExt for J {}

fn unreadable(pool: &PoolId, error: heronry_journal::ChunkError) -> StoreError {
    let kind = if error.is_newer() {
        StoreErrorKind::NewerSchema
    } else {
        StoreErrorKind::Corrupt
    };
    StoreError::new(kind, "read the journal", format!("pool {pool}: {error}")).with_source(error)
}
