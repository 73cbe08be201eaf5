//! The port [`Snapshots`](heronry_store::Snapshots) of a store whose calls are seen.

use async_trait::async_trait;
use heronry_store::{FencingToken, Snapshot, SnapshotsLayer, StoreError};
use heronry_types::PoolId;

use crate::layers::{
    observe::{Observed, Observer, StoreCall, StoreOperation},
    ports::Size,
};

fn of(name: &'static str) -> StoreOperation {
    StoreOperation {
        port: "snapshots",
        name,
    }
}

#[async_trait]
impl<O: Observer> SnapshotsLayer for Observed<O> {
    async fn put(
        &self,
        pool: &PoolId,
        snapshot: Snapshot,
        token: FencingToken,
    ) -> Result<(), StoreError> {
        let call = StoreCall {
            operation: of("put"),
            pool: Some(pool),
            size: self.size(|| Size::of_bytes(snapshot.bytes.len())),
        };
        self.call(call, self.inner.snapshots.put(pool, snapshot, token))
            .await
    }

    async fn latest(&self, pool: &PoolId) -> Result<Option<Snapshot>, StoreError> {
        let call = StoreCall {
            operation: of("latest"),
            pool: Some(pool),
            size: None,
        };
        let run = self.inner.snapshots.latest(pool);
        self.read(call, run, |found| {
            found.as_ref().map_or_else(Size::default, |snapshot| {
                Size::of_bytes(snapshot.bytes.len())
            })
        })
        .await
    }

    async fn delete(&self, pool: &PoolId, token: FencingToken) -> Result<(), StoreError> {
        let call = StoreCall {
            operation: of("delete"),
            pool: Some(pool),
            size: None,
        };
        self.call(call, self.inner.snapshots.delete(pool, token))
            .await
    }
}
