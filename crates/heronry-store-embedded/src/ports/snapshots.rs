//! Snapshots of a store over an embedded database.

use std::sync::Arc;

use async_trait::async_trait;
use heronry_store::{FencingToken, Snapshot, Snapshots, StoreError, judge_snapshot, stands_on};
use heronry_types::PoolId;

use super::Embedded;
use crate::{
    Database,
    job::Work,
    snapshot::{self, SnapshotEdit},
};

impl<D: Database> Embedded<D> {
    async fn edit_snapshot(
        &self,
        pool: &PoolId,
        row: Option<Vec<u8>>,
        token: FencingToken,
    ) -> Result<(), StoreError> {
        let readable = Arc::clone(&self.readable);
        let edit = SnapshotEdit {
            row,
            token,
            readable,
        };
        let op = edit.op();
        self.ask(pool, |reply| Work::Snapshot(edit, reply))
            .await
            .unwrap_or_else(|_| Err(self.readable.closed(op)))
    }
}

#[async_trait]
impl<D: Database> Snapshots for Embedded<D> {
    async fn put(
        &self,
        pool: &PoolId,
        snapshot: Snapshot,
        token: FencingToken,
    ) -> Result<(), StoreError> {
        judge_snapshot(self, pool, &snapshot).await?;
        let row = Some(snapshot::encode(&snapshot));
        drop(snapshot);
        self.edit_snapshot(pool, row, token).await
    }

    async fn latest(&self, pool: &PoolId) -> Result<Option<Snapshot>, StoreError> {
        let op = "read a snapshot";
        let Some(view) = self.readable.pool(op, pool)? else {
            return Ok(None);
        };
        let (database, readable) = (self.database(op)?, Arc::clone(&self.readable));
        let name = pool.clone();
        let read = move || snapshot::latest(database, &readable, (&name, view.no));
        let Some(found) = self.read_long(op, read).await? else {
            return Ok(None);
        };
        let is_ours = stands_on(self, pool, found.at).await?;
        Ok(is_ours.then_some(found))
    }

    async fn delete(&self, pool: &PoolId, token: FencingToken) -> Result<(), StoreError> {
        self.edit_snapshot(pool, None, token).await
    }
}
