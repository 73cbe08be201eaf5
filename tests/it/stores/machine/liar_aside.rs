//! Lies about snapshots and consumers.

use async_trait::async_trait;
use heronry_store::{
    ConsumerCursor, ConsumerError, ConsumerId, ConsumerStanding, CursorsLayer, FencingToken,
    ProjectionsLayer, Snapshot, SnapshotsLayer, StoreError,
};
use heronry_types::PoolId;

use super::{liar::Liar, lies::Lie};

#[async_trait]
impl SnapshotsLayer for Liar {
    async fn put(
        &self,
        pool: &PoolId,
        snapshot: Snapshot,
        token: FencingToken,
    ) -> Result<(), StoreError> {
        let snapshots = &self.inner.snapshots;
        if self.is(Lie::KeepsTheFirstSnapshot) && snapshots.latest(pool).await?.is_some() {
            return Ok(());
        }
        snapshots.put(pool, snapshot, token).await
    }

    async fn latest(&self, pool: &PoolId) -> Result<Option<Snapshot>, StoreError> {
        let mut latest = self.inner.snapshots.latest(pool).await?;
        if let (Lie::CutsASnapshot, Some(snapshot)) = (self.lie, &mut latest) {
            snapshot.bytes.pop();
        }
        Ok(latest)
    }
}

impl ProjectionsLayer for Liar {}

#[async_trait]
impl CursorsLayer for Liar {
    async fn commit(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
        mut expected: Option<ConsumerCursor>,
        next: ConsumerCursor,
    ) -> Result<(), ConsumerError> {
        let cursors = &self.inner.cursors;
        if self.is(Lie::IgnoresWhereAConsumerStands) {
            expected = cursors.get(pool, consumer).await?;
        }
        cursors.commit(pool, consumer, expected, next).await
    }

    async fn list(&self, pool: &PoolId) -> Result<Vec<ConsumerStanding>, StoreError> {
        let mut consumers = self.inner.cursors.list(pool).await?;
        if self.is(Lie::ListsConsumersBackwards) {
            consumers.reverse();
        }
        Ok(consumers)
    }

    async fn delete(&self, pool: &PoolId, consumer: &ConsumerId) -> Result<(), StoreError> {
        if self.is(Lie::KeepsADeletedConsumer) {
            return Ok(());
        }
        self.inner.cursors.delete(pool, consumer).await
    }
}
