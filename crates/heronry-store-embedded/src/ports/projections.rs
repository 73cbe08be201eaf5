//! Projections of a store over an embedded database.

use async_trait::async_trait;
use heronry_store::{
    ConsumerError, ConsumerId, ConsumerStep, ProjectionChange, ProjectionRow, Projections,
    RowRange, StoreError, judge_changes,
};
use heronry_types::PoolId;

use super::Embedded;
use crate::{
    Database,
    cursor::CursorChange,
    projection::{self, ProjectionPlace},
    row_keys,
};

const READ: &str = "read a projection";

#[async_trait]
impl<D: Database> Projections for Embedded<D> {
    async fn commit(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
        step: ConsumerStep,
        changes: Vec<ProjectionChange>,
    ) -> Result<(), ConsumerError> {
        let rows = judge_changes(changes)?;
        let change = CursorChange::Move { step, rows };
        self.edit_cursor(pool, consumer, change).await
    }

    async fn get(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(view) = self.readable.pool(READ, pool)? else {
            return Ok(None);
        };
        let database = self.database(READ)?;
        let place = ProjectionPlace {
            pool,
            consumer,
            prefix: row_keys::projection(view.no, consumer),
        };
        projection::get(database, &self.readable, &place, key)
    }

    async fn scan(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
        range: RowRange<'_>,
    ) -> Result<Vec<ProjectionRow>, StoreError> {
        let Some(view) = self.readable.pool(READ, pool)? else {
            return Ok(Vec::new());
        };
        let database = self.database(READ)?;
        let place = ProjectionPlace {
            pool,
            consumer,
            prefix: row_keys::projection(view.no, consumer),
        };
        projection::scan(database, &self.readable, &place, range)
    }
}
