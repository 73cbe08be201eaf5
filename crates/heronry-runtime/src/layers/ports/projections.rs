//! The port [`Projections`](heronry_store::Projections) of a store whose calls are seen.

use async_trait::async_trait;
use heronry_store::{
    ConsumerError, ConsumerId, ConsumerStep, ProjectionChange, ProjectionRow, ProjectionsLayer,
    RowRange, StoreError,
};
use heronry_types::PoolId;

use crate::layers::{
    observe::{Observed, Observer, StoreCall, StoreOperation},
    ports::Size,
};

fn of(name: &'static str) -> StoreOperation {
    StoreOperation {
        port: "projections",
        name,
    }
}

impl Size {
    /// Returns the number of changes, and the bytes of their keys and values.
    fn of_changes(changes: &[ProjectionChange]) -> Self {
        let bytes = changes
            .iter()
            .map(|it| it.key().len() + it.value().map_or(0, <[u8]>::len));
        Self {
            items: changes.len(),
            bytes: bytes.sum(),
        }
    }

    /// Returns the number of rows, and the bytes of their keys and values.
    fn of_rows(rows: &[ProjectionRow]) -> Self {
        let bytes = rows.iter().map(|row| row.key.len() + row.value.len());
        Self {
            items: rows.len(),
            bytes: bytes.sum(),
        }
    }
}

#[async_trait]
impl<O: Observer> ProjectionsLayer for Observed<O> {
    async fn commit(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
        step: ConsumerStep,
        changes: Vec<ProjectionChange>,
    ) -> Result<(), ConsumerError> {
        let call = StoreCall {
            operation: of("commit"),
            pool: Some(pool),
            size: self.size(|| Size::of_changes(&changes)),
        };
        let projections = &self.inner.projections;
        self.call(call, projections.commit(pool, consumer, step, changes))
            .await
    }

    async fn get(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let call = StoreCall {
            operation: of("get"),
            pool: Some(pool),
            size: None,
        };
        let get = self.inner.projections.get(pool, consumer, key);
        self.read(call, get, |value| {
            let bytes = value.as_ref().map(Vec::len);
            bytes.map_or_else(Size::default, Size::of_bytes)
        })
        .await
    }

    async fn scan(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
        range: RowRange<'_>,
    ) -> Result<Vec<ProjectionRow>, StoreError> {
        let call = StoreCall {
            operation: of("scan"),
            pool: Some(pool),
            size: None,
        };
        let scan = self.inner.projections.scan(pool, consumer, range);
        self.read(call, scan, |rows| Size::of_rows(rows)).await
    }
}
