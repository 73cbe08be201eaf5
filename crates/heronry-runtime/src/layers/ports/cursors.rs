//! The port [`Cursors`](heronry_store::Cursors) of a store whose calls are seen.

use async_trait::async_trait;
use heronry_store::{
    ConsumerCursor, ConsumerError, ConsumerId, ConsumerStanding, CursorsLayer, StoreError,
};
use heronry_types::PoolId;

use crate::layers::observe::{Observed, Observer, StoreCall, StoreOperation};

fn of(name: &'static str) -> StoreOperation {
    StoreOperation {
        port: "cursors",
        name,
    }
}

#[async_trait]
impl<O: Observer> CursorsLayer for Observed<O> {
    async fn get(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
    ) -> Result<Option<ConsumerCursor>, StoreError> {
        let call = StoreCall {
            operation: of("get"),
            pool: Some(pool),
            size: None,
        };
        self.call(call, self.inner.cursors.get(pool, consumer))
            .await
    }

    async fn commit(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
        expected: Option<ConsumerCursor>,
        next: ConsumerCursor,
    ) -> Result<(), ConsumerError> {
        let call = StoreCall {
            operation: of("commit"),
            pool: Some(pool),
            size: None,
        };
        self.call(
            call,
            self.inner.cursors.commit(pool, consumer, expected, next),
        )
        .await
    }

    async fn list(&self, pool: &PoolId) -> Result<Vec<ConsumerStanding>, StoreError> {
        let call = StoreCall {
            operation: of("list"),
            pool: Some(pool),
            size: None,
        };
        self.call(call, self.inner.cursors.list(pool)).await
    }

    async fn delete(&self, pool: &PoolId, consumer: &ConsumerId) -> Result<(), StoreError> {
        let call = StoreCall {
            operation: of("delete"),
            pool: Some(pool),
            size: None,
        };
        self.call(call, self.inner.cursors.delete(pool, consumer))
            .await
    }
}
