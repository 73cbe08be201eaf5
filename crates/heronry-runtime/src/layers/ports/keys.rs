//! The port [`Keys`](heronry_store::Keys) of a store whose calls are seen.

use async_trait::async_trait;
use heronry_store::{
    Checkpoint, FencingToken, KeyEntry, KeyHash, KeyedEntry, KeysLayer, StoreError,
};
use heronry_types::PoolId;

use crate::layers::{
    observe::{Observed, Observer, StoreCall, StoreOperation},
    ports::Size,
};

fn of(name: &'static str) -> StoreOperation {
    StoreOperation { port: "keys", name }
}

#[async_trait]
impl<O: Observer> KeysLayer for Observed<O> {
    async fn put_run(
        &self,
        pool: &PoolId,
        run: Vec<KeyedEntry>,
        checkpoint: Checkpoint,
        token: FencingToken,
    ) -> Result<(), StoreError> {
        let call = StoreCall {
            operation: of("put_run"),
            pool: Some(pool),
            size: self.size(|| Size::of_slice(&run)),
        };
        self.call(call, self.inner.keys.put_run(pool, run, checkpoint, token))
            .await
    }

    async fn find(
        &self,
        pool: &PoolId,
        keys: &[KeyHash],
    ) -> Result<Vec<Option<KeyEntry>>, StoreError> {
        let call = StoreCall {
            operation: of("find"),
            pool: Some(pool),
            size: self.size(|| Size::of_slice(keys)),
        };
        self.call(call, self.inner.keys.find(pool, keys)).await
    }

    async fn list(
        &self,
        pool: &PoolId,
        after: Option<KeyHash>,
        limit: usize,
    ) -> Result<Vec<KeyedEntry>, StoreError> {
        let call = StoreCall {
            operation: of("list"),
            pool: Some(pool),
            size: None,
        };
        self.call(call, self.inner.keys.list(pool, after, limit))
            .await
    }

    async fn checkpoint(&self, pool: &PoolId) -> Result<Option<Checkpoint>, StoreError> {
        let call = StoreCall {
            operation: of("checkpoint"),
            pool: Some(pool),
            size: None,
        };
        self.call(call, self.inner.keys.checkpoint(pool)).await
    }

    async fn clear(&self, pool: &PoolId) -> Result<(), StoreError> {
        let call = StoreCall {
            operation: of("clear"),
            pool: Some(pool),
            size: None,
        };
        self.call(call, self.inner.keys.clear(pool)).await
    }
}
