//! The open file, as the shared writer and readers use it.

use std::{fmt, sync::Arc};

use heronry_store::StoreError;
use heronry_store_embedded::{Database, Fill, Reading, guarded};
use heronry_types::Durability;
use redb::ReadableDatabase;

use crate::{failure::failed, reader::Reader, rows::Writing};

const COMMIT: &str = "commit";

/// The open file behind a [`RedbStore`](crate::RedbStore), which alone can make one.
pub struct RedbFile(pub(crate) redb::Database);

impl fmt::Debug for RedbFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedbFile")
    }
}

impl RedbFile {
    /// Returns a snapshot of the file.
    pub(crate) fn snapshot(&self, op: &'static str) -> Result<Reader, StoreError> {
        let transaction = self.0.begin_read().map_err(|error| failed(op, error))?;
        Ok(Reader { transaction, op })
    }
}

impl Database for RedbFile {
    const NAME: &'static str = "redb";
    const DURABILITY: Durability = Durability::Fsync;

    fn commit(&self, fill: &mut Fill<'_>) -> Result<(), StoreError> {
        let mut transaction = self
            .0
            .begin_write()
            .map_err(|error| failed(COMMIT, error))?;
        // One sync for each commit: one phase, and no allocator state beside it.
        transaction
            .set_durability(redb::Durability::Immediate)
            .map_err(|error| failed(COMMIT, error))?;
        transaction.set_two_phase_commit(false);
        transaction.set_quick_repair(false);
        let mut rows = Writing::open(&transaction).map_err(|error| failed(COMMIT, error))?;
        fill(&mut rows)?;
        if rows.is_clean() {
            drop(rows);
            return transaction.abort().map_err(|error| failed(COMMIT, error));
        }
        rows.finish().map_err(|error| failed(COMMIT, error))?;
        transaction.commit().map_err(|error| failed(COMMIT, error))
    }

    fn read<T, E: From<StoreError>>(
        self: Arc<Self>,
        op: &'static str,
        look: impl FnOnce(&dyn Reading) -> Result<T, E>,
    ) -> Result<T, E> {
        guarded(op, move || look(&self.snapshot(op)?))
    }
}
