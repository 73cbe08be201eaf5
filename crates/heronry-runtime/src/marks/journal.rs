//! A journal whose commits are marked.

use std::sync::Arc;

use async_trait::async_trait;
use heronry_store::{
    AppendError, Arrival, Commit, FencingToken, Guard, Head, JournalLayer, Layer, Layered, Store,
};
use heronry_types::PoolId;

use super::MarkKeeper;

/// A journal that answers an append when its mark says it, too.
pub(super) struct MarkedJournal {
    inner: Store,
    keeper: MarkKeeper,
}

impl MarkedJournal {
    /// Returns a store whose journal is marked.
    pub(super) fn over(inner: Store, keeper: MarkKeeper) -> Store {
        let store = inner.clone();
        let journal = Arc::new(Layered(Self { inner, keeper }));
        Store { journal, ..store }
    }
}

impl Layer for MarkedJournal {
    fn inner(&self) -> &Store {
        &self.inner
    }
}

#[async_trait]
impl JournalLayer for MarkedJournal {
    async fn append(
        &self,
        pool: &PoolId,
        commit: Commit,
        guard: Guard,
    ) -> Result<Head, AppendError> {
        let arrival = commit.arrival;
        let head = self.inner.journal.append(pool, commit, guard).await?;
        match arrival {
            Arrival::Whole => self.keeper.saw(pool, head).await,
            // A crash may take it away again: nobody sees it.
            Arrival::Part => {}
        }
        Ok(head)
    }

    async fn delete(&self, pool: &PoolId, token: FencingToken) -> Result<(), AppendError> {
        self.keeper.forget(pool).await;
        let deleted = self.inner.journal.delete(pool, token).await;
        if deleted.is_err()
            && let Ok(Some(head)) = self.inner.journal.head(pool).await
        {
            self.keeper.saw(pool, head).await;
        }
        deleted
    }
}
