//! A journal whose commits are marked.

use std::sync::Arc;

use async_trait::async_trait;
use heronry_store::{
    AppendError, Arrival, Capabilities, Commit, FencingToken, Guard, Head, Journal, Page,
    ReadError, StoreError,
};
use heronry_types::{PoolId, Position, Timelines};

use super::MarkKeeper;

/// A journal that answers an append when its mark says it, too.
pub(super) struct MarkedJournal {
    inner: Arc<dyn Journal>,
    keeper: MarkKeeper,
}

impl MarkedJournal {
    pub(super) fn new(inner: Arc<dyn Journal>, keeper: MarkKeeper) -> Self {
        Self { inner, keeper }
    }
}

#[async_trait]
impl Journal for MarkedJournal {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn append(
        &self,
        pool: &PoolId,
        commit: Commit,
        guard: Guard,
    ) -> Result<Head, AppendError> {
        let arrival = commit.arrival;
        let head = self.inner.append(pool, commit, guard).await?;
        match arrival {
            Arrival::Whole => self.keeper.saw(pool, head).await,
            // A crash may take it away again: nobody sees it.
            Arrival::Part => {}
        }
        Ok(head)
    }

    async fn read(
        &self,
        pool: &PoolId,
        after: Position,
        bytes_max: usize,
    ) -> Result<Page, ReadError> {
        self.inner.read(pool, after, bytes_max).await
    }

    async fn head(&self, pool: &PoolId) -> Result<Option<Head>, StoreError> {
        self.inner.head(pool).await
    }

    async fn timelines(&self, pool: &PoolId) -> Result<Option<Arc<Timelines>>, StoreError> {
        self.inner.timelines(pool).await
    }

    async fn pools(&self) -> Result<Vec<PoolId>, StoreError> {
        self.inner.pools().await
    }

    async fn trim(
        &self,
        pool: &PoolId,
        before: Position,
        token: FencingToken,
    ) -> Result<Head, AppendError> {
        self.inner.trim(pool, before, token).await
    }

    async fn delete(&self, pool: &PoolId, token: FencingToken) -> Result<(), AppendError> {
        self.keeper.forget(pool).await;
        let deleted = self.inner.delete(pool, token).await;
        if deleted.is_err()
            && let Ok(Some(head)) = self.inner.head(pool).await
        {
            self.keeper.saw(pool, head).await;
        }
        deleted
    }

    async fn watch(&self, pool: &PoolId, after: Position) -> Result<(), StoreError> {
        self.inner.watch(pool, after).await
    }

    async fn closed(&self) -> StoreError {
        self.inner.closed().await
    }
}
