//! The latest snapshot of a pool.

use async_trait::async_trait;
use heronry_store::{FencingToken, Snapshot, Snapshots, StoreError, judge_snapshot, stands_on};
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
