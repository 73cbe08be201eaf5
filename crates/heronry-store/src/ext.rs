//! Methods that every journal has once it can read whole chunks.

use async_trait::async_trait;
use heronry_journal::Record;
use heronry_types::{PoolId, Position};

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
