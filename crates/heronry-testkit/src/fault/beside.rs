//! Snapshots and cursors of a store that fails where a test asks it to.

use async_trait::async_trait;
use heronry_store::{
    ConsumerCursor, ConsumerError, ConsumerId, Cursors, FencingToken, Snapshot, Snapshots,
    StoreError,
};
use heronry_types::PoolId;

use super::FaultStore;

#[async_trait]
impl Snapshots for FaultStore {
    async fn put(
        &self,
        pool: &PoolId,
        snapshot: Snapshot,
        token: FencingToken,
    ) -> Result<(), StoreError> {
        self.plan.check_open("put a snapshot")?;
        self.inner.snapshots.put(pool, snapshot, token).await
    }

    async fn latest(&self, pool: &PoolId) -> Result<Option<Snapshot>, StoreError> {
        self.plan.check_open("read a snapshot")?;
        self.inner.snapshots.latest(pool).await
    }

    async fn delete(&self, pool: &PoolId, token: FencingToken) -> Result<(), StoreError> {
        self.plan.check_open("delete a snapshot")?;
        self.inner.snapshots.delete(pool, token).await
    }
}

#[async_trait]
impl Cursors for FaultStore {
    async fn get(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
    ) -> Result<Option<ConsumerCursor>, StoreError> {
        self.plan.check_open("read cursors")?;
        self.inner.cursors.get(pool, consumer).await
    }

    async fn commit(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
        expected: Option<ConsumerCursor>,
        next: ConsumerCursor,
    ) -> Result<(), ConsumerError> {
        self.plan.check_open("commit a cursor")?;
        let cursors = &self.inner.cursors;
        cursors.commit(pool, consumer, expected, next).await
    }

    async fn list(&self, pool: &PoolId) -> Result<Vec<(ConsumerId, ConsumerCursor)>, StoreError> {
        self.plan.check_open("read cursors")?;
        self.inner.cursors.list(pool).await
    }

    async fn delete(&self, pool: &PoolId, consumer: &ConsumerId) -> Result<(), StoreError> {
        self.plan.check_open("delete a cursor")?;
        self.inner.cursors.delete(pool, consumer).await
    }
}
