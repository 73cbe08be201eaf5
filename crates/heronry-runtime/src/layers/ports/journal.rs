//! The port [`Journal`](heronry_store::Journal) of a store whose calls are seen.

use std::sync::Arc;

use async_trait::async_trait;
use heronry_journal::Baseline;
use heronry_store::{
    AppendError, Commit, FencingToken, Guard, Head, JournalLayer, Page, ReadError, StoreError,
};
use heronry_types::{PoolId, Position, Timelines};

use crate::layers::{
    observe::{Observed, Observer, StoreCall, StoreOperation},
    ports::Size,
};

fn of(name: &'static str) -> StoreOperation {
    StoreOperation {
        port: "journal",
        name,
    }
}

#[async_trait]
impl<O: Observer> JournalLayer for Observed<O> {
    async fn append(
        &self,
        pool: &PoolId,
        commit: Commit,
        guard: Guard,
    ) -> Result<Head, AppendError> {
        let call = StoreCall {
            operation: of("append"),
            pool: Some(pool),
            size: self.size(|| Size::of_commit(&commit)),
        };
        self.call(call, self.inner.journal.append(pool, commit, guard))
            .await
    }

    async fn read(
        &self,
        pool: &PoolId,
        after: Position,
        bytes_max: usize,
    ) -> Result<Page, ReadError> {
        let call = StoreCall {
            operation: of("read"),
            pool: Some(pool),
            size: None,
        };
        let run = self.inner.journal.read(pool, after, bytes_max);
        self.read(call, run, |page| Size::of_chunks(&page.chunks))
            .await
    }

    async fn head(&self, pool: &PoolId) -> Result<Option<Head>, StoreError> {
        let call = StoreCall {
            operation: of("head"),
            pool: Some(pool),
            size: None,
        };
        self.call(call, self.inner.journal.head(pool)).await
    }

    async fn timelines(&self, pool: &PoolId) -> Result<Option<Arc<Timelines>>, StoreError> {
        let call = StoreCall {
            operation: of("timelines"),
            pool: Some(pool),
            size: None,
        };
        self.call(call, self.inner.journal.timelines(pool)).await
    }

    async fn pools(&self) -> Result<Vec<PoolId>, StoreError> {
        let call = StoreCall {
            operation: of("pools"),
            pool: None,
            size: None,
        };
        self.call(call, self.inner.journal.pools()).await
    }

    async fn trim(
        &self,
        pool: &PoolId,
        baseline: Baseline,
        token: FencingToken,
    ) -> Result<Head, AppendError> {
        let call = StoreCall {
            operation: of("trim"),
            pool: Some(pool),
            size: None,
        };
        self.call(call, self.inner.journal.trim(pool, baseline, token))
            .await
    }

    async fn baseline(&self, pool: &PoolId) -> Result<Option<Baseline>, StoreError> {
        let call = StoreCall {
            operation: of("baseline"),
            pool: Some(pool),
            size: None,
        };
        self.call(call, self.inner.journal.baseline(pool)).await
    }

    async fn delete(&self, pool: &PoolId, token: FencingToken) -> Result<(), AppendError> {
        let call = StoreCall {
            operation: of("delete"),
            pool: Some(pool),
            size: None,
        };
        self.call(call, self.inner.journal.delete(pool, token))
            .await
    }
}
