//! Cursors of a store over an embedded database.

use std::sync::Arc;

use async_trait::async_trait;
use heronry_store::{
    ConsumerCursor, ConsumerError, ConsumerId, ConsumerStanding, ConsumerStep, Cursors, RowChanges,
    StoreError, StoreErrorKind,
};
use heronry_types::PoolId;

use super::Embedded;
use crate::{
    Database,
    cursor::{self, CursorChange, CursorEdit},
    job::Work,
};

impl<D: Database> Embedded<D> {
    pub(super) async fn edit_cursor(
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
        let change = CursorChange::Move {
            step: ConsumerStep { expected, next },
            rows: RowChanges::new(),
        };
        self.edit_cursor(pool, consumer, change).await
    }

    async fn list(&self, pool: &PoolId) -> Result<Vec<ConsumerStanding>, StoreError> {
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
            | ConsumerError::TooMany { .. }
            | ConsumerError::TooLarge { .. }
            | ConsumerError::EmptyKey) => {
                let kind = StoreErrorKind::Closed;
                StoreError::new(kind, "delete a cursor", refusal.to_string())
            }
        })
    }
}
