//! The state of a pool beside its journal: the latest snapshot, and the cursors of consumers.

use async_trait::async_trait;
use heronry_store::{
    ConsumerCursor, ConsumerError, ConsumerId, CursorMove, Cursors, FencingToken, Snapshot,
    Snapshots, StoreError, judge_cursor, judge_snapshot, stands_on,
};
use heronry_types::PoolId;

use crate::MemoryStore;

#[async_trait]
impl Snapshots for MemoryStore {
    async fn put(
        &self,
        pool: &PoolId,
        snapshot: Snapshot,
        token: FencingToken,
    ) -> Result<(), StoreError> {
        let op = "put a snapshot";
        judge_snapshot(self, pool, &snapshot).await?;
        let mut state = self.lock_to_write(op)?;
        let pool = state.entry(pool);
        pool.ownership.check_aside(token, op)?;
        pool.snapshot = Some(snapshot);
        Ok(())
    }

    async fn latest(&self, pool: &PoolId) -> Result<Option<Snapshot>, StoreError> {
        let found = {
            let state = self.lock("read a snapshot")?;
            let pool = state.pools.get(pool);
            pool.and_then(|pool| pool.snapshot.clone())
        };
        let Some(found) = found else {
            return Ok(None);
        };
        let is_ours = stands_on(self, pool, found.at).await?;
        Ok(is_ours.then_some(found))
    }

    async fn delete(&self, pool: &PoolId, token: FencingToken) -> Result<(), StoreError> {
        let op = "delete a snapshot";
        let mut state = self.lock_to_write(op)?;
        let pool = state.entry(pool);
        pool.ownership.check_aside(token, op)?;
        pool.snapshot = None;
        Ok(())
    }
}

#[async_trait]
impl Cursors for MemoryStore {
    async fn get(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
    ) -> Result<Option<ConsumerCursor>, StoreError> {
        let state = self.lock("read cursors")?;
        let pool = state.pools.get(pool);
        Ok(pool.and_then(|pool| pool.consumers.get(consumer).copied()))
    }

    async fn commit(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
        expected: Option<ConsumerCursor>,
        next: ConsumerCursor,
    ) -> Result<(), ConsumerError> {
        let mut state = self.lock_to_write("commit a cursor")?;
        let pool = state.pools.get_mut(pool).ok_or(ConsumerError::NoPool)?;
        let head = pool.head().map(|head| head.head);
        let found = pool.consumers.get(consumer).copied();
        let consumers = || Ok(pool.consumers.len());
        let asked = CursorMove {
            found,
            expected,
            next,
        };
        judge_cursor(head, asked, consumers)?;
        pool.consumers.insert(consumer.clone(), next);
        Ok(())
    }

    async fn list(&self, pool: &PoolId) -> Result<Vec<(ConsumerId, ConsumerCursor)>, StoreError> {
        let state = self.lock("read cursors")?;
        let consumers = state.pools.get(pool).map(|pool| pool.consumers.iter());
        let consumers = consumers.into_iter().flatten();
        Ok(consumers.map(|(name, at)| (name.clone(), *at)).collect())
    }

    async fn delete(&self, pool: &PoolId, consumer: &ConsumerId) -> Result<(), StoreError> {
        let mut state = self.lock_to_write("delete a cursor")?;
        if let Some(pool) = state.pools.get_mut(pool) {
            pool.consumers.remove(consumer);
        }
        Ok(())
    }
}
