//! The cursors of a pool's consumers.

use async_trait::async_trait;
use heronry_store::{
    ConsumerCursor, ConsumerError, ConsumerId, ConsumerStanding, CursorMove, Cursors, StoreError,
    judge_cursor,
};
use heronry_types::PoolId;

use crate::MemoryStore;

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

    async fn list(&self, pool: &PoolId) -> Result<Vec<ConsumerStanding>, StoreError> {
        let state = self.lock("read cursors")?;
        let consumers = state.pools.get(pool).map(|pool| pool.consumers.iter());
        let consumers = consumers.into_iter().flatten();
        let standing = consumers.map(|(consumer, cursor)| ConsumerStanding {
            consumer: consumer.clone(),
            cursor: *cursor,
        });
        Ok(standing.collect())
    }

    async fn delete(&self, pool: &PoolId, consumer: &ConsumerId) -> Result<(), StoreError> {
        let mut state = self.lock_to_write("delete a cursor")?;
        if let Some(pool) = state.pools.get_mut(pool) {
            pool.consumers.remove(consumer);
            pool.projections.remove(consumer);
        }
        Ok(())
    }
}
