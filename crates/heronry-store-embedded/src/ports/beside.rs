//! Snapshots and cursors of a store over an embedded database.

use std::sync::Arc;

use async_trait::async_trait;
use heronry_types::PoolId;

use super::Embedded;
use crate::{
    Database,
    cursor::{self, CursorChange, CursorEdit},
    job::Work,
    snapshot::{self, SnapshotEdit},
};

use heronry_store::{
    ConsumerCursor, ConsumerError, ConsumerId, Cursors, FencingToken, Snapshot, Snapshots,
    StoreError, judge_snapshot, stands_on,
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

    async fn edit_cursor(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
        change: CursorChange,
    ) -> Result<(), ConsumerError> {
        let edit = CursorEdit {
            consumer: consumer.clone(),
            change,
            readable: Arc::clone(&self.readable),
        };
        let op = edit.op();
        self.ask(pool, |reply| Work::Cursor(edit, reply))
            .await
            .unwrap_or_else(|_| Err(self.readable.closed(op).into()))
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
        let database = self.database(op)?;
        let Some(found) = snapshot::latest(database, &self.readable, (pool, view.no))? else {
            return Ok(None);
        };
        let is_ours = stands_on(self, pool, found.at).await?;
        Ok(is_ours.then_some(found))
    }

    async fn delete(&self, pool: &PoolId, token: FencingToken) -> Result<(), StoreError> {
        self.edit_snapshot(pool, None, token).await
    }
}

#[async_trait]
impl<D: Database> Cursors for Embedded<D> {
    async fn get(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
    ) -> Result<Option<ConsumerCursor>, StoreError> {
        let op = "read cursors";
        let Some(view) = self.readable.pool(op, pool)? else {
            return Ok(None);
        };
        let database = self.database(op)?;
        cursor::get(database, &self.readable, (pool, view.no), consumer)
    }

    async fn commit(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
        expected: Option<ConsumerCursor>,
        next: ConsumerCursor,
    ) -> Result<(), ConsumerError> {
        let change = CursorChange::Move { expected, next };
        self.edit_cursor(pool, consumer, change).await
    }

    async fn list(&self, pool: &PoolId) -> Result<Vec<(ConsumerId, ConsumerCursor)>, StoreError> {
        let op = "read cursors";
        let Some(view) = self.readable.pool(op, pool)? else {
            return Ok(Vec::new());
        };
        let database = self.database(op)?;
        cursor::list(database, &self.readable, (pool, view.no))
    }

    async fn delete(&self, pool: &PoolId, consumer: &ConsumerId) -> Result<(), StoreError> {
        let change = CursorChange::Delete;
        let end = self.edit_cursor(pool, consumer, change).await;
        end.map_err(|error| match error {
            ConsumerError::Store(error) => error,
            // A delete expects nothing, so nothing else refuses it.
            refusal @ (ConsumerError::Conflict { .. }
            | ConsumerError::Ahead { .. }
            | ConsumerError::NoPool
            | ConsumerError::TooMany { .. }) => {
                let kind = heronry_store::StoreErrorKind::Closed;
                StoreError::new(kind, "delete a cursor", refusal.to_string())
            }
        })
    }
}
